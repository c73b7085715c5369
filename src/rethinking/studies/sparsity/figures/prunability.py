"""How prunable networks are: the smallest fraction of weights with which each keeps its train accuracy."""

import math

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Results
from rethinking.results.style import GREY, figure
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.sparsity.curves import kept_by, ways
from rethinking.studies.sparsity.design import dataset
from rethinking.studies.sparsity.figures.shared import color
from rethinking.studies.sparsity.tables import METHOD_TITLES, MISSING
from rethinking.studies.sparsity.vocabulary import CORRUPTIONS

MARKERS = {"true": "o", "random-labels": "s"}


def points(results: Results) -> pd.DataFrame:
    """Return the smallest fraction, for each model and way to prune; `at_most` where no smaller one was tried."""
    found: list[Point] = []
    for model, method in ways(results.params):
        for corruption in CORRUPTIONS:
            left = kept_by(results, method, model, corruption)
            at = {"corruption": corruption, "method": method, "at_most": bool(left and left.at_most)}
            value = MISSING if left is None else left.fraction
            found.append(point(OURS, dataset(results.params), model, at, fraction_left=value))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw a row for each model and way to prune, with the two fractions on it; an arrow where it may be smaller."""
    rows = list(dict.fromkeys(zip(points["method"], points["series"], strict=True)))
    drawn, (axes,) = figure(height=0.9 + 0.26 * len(rows))
    for position, (method, model) in enumerate(reversed(rows)):
        pair = points[(points["method"] == method) & (points["series"] == model)]
        shown = pair[pair["note"] == ""]
        if shown.empty:
            axes.text(0.1, position, "not run", color=GREY, va="center", ha="center", fontsize=7)
            continue
        axes.plot(shown["fraction_left"], [position] * len(shown), color=GREY, linewidth=1.2, alpha=0.6)
        for each in shown.to_dict("records"):
            name = str(each["corruption"])
            axes.plot(each["fraction_left"], position, MARKERS[name], color=color(name))
            if each["at_most"]:
                axes.annotate(
                    "",
                    (each["fraction_left"] / 1.35, position),
                    (each["fraction_left"], position),
                    arrowprops={"arrowstyle": "->", "color": color(name)},
                )
    axes.set_xscale("log")
    lowest = points["fraction_left"].min()
    axes.set_xlim(0.005 if math.isnan(lowest) else min(0.005, lowest / 1.6), 1.1)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlabel="Weights left (%) with which train accuracy is kept", ylim=(-0.6, len(rows) - 0.4))
    names = [f"{model_title(model)}, {METHOD_TITLES[method]}" for method, model in reversed(rows)]
    axes.set_yticks(range(len(rows)), names)
    axes.grid(axis="y", visible=False)
    handles = [
        Line2D([], [], color=color(name), marker=MARKERS[name], linestyle="", label=CORRUPTION_TITLES[name])
        for name in CORRUPTIONS
    ]
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2)
    return drawn


DRAWING = Drawing(points, draw)
