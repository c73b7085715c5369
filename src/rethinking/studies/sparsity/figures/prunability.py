"""How prunable networks are: the smallest fraction of weights with which each keeps its train accuracy."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Estimate, Results
from rethinking.results.panels import key, not_run
from rethinking.results.rows import rows
from rethinking.results.scales import weights_left
from rethinking.results.style import GREY, LABELS, Look
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.sparsity.curves import curve, kept_by, ways
from rethinking.studies.sparsity.design import dataset
from rethinking.studies.sparsity.tables import METHOD_TITLES, MISSING
from rethinking.studies.sparsity.vocabulary import CORRUPTIONS

MARKERS: dict[str, Look] = {"true": {"marker": "o"}, "random-labels": {"marker": "s"}}


def points(results: Results) -> pd.DataFrame:
    """Return the smallest fraction, for each model and way to prune; `at_most` where no smaller one was tried."""
    found: list[Point] = []
    for model, method in ways(results.params):
        for corruption in CORRUPTIONS:
            left = kept_by(results, method, model, corruption)
            accuracies = curve(results, method, model, corruption).values()
            seeds = max((value.seeds for value in accuracies if isinstance(value, Estimate)), default=0)
            at = {"corruption": corruption, "method": method, "at_most": bool(left and left.at_most)}
            value = MISSING if left is None else Estimate(left.fraction, None, seeds)
            found.append(point(OURS, dataset(results.params), model, at, fraction_left=value))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw a row for each model and way to prune, with the two fractions on it; an arrow where it may be smaller."""
    known = points[points["note"] == ""]
    if known.empty:
        return not_run("Pruned networks")
    ways = {
        model_title(str(model)): [METHOD_TITLES[str(method)] for method in found["method"].unique()]
        for model, found in points.groupby("series", sort=False)
    }
    made, axes, places = rows(ways)
    for (model, method), pair in points.groupby(["series", "method"], sort=False):
        place = places[model_title(str(model)), METHOD_TITLES[str(method)]]
        shown = pair[pair["note"] == ""]
        if shown.empty:
            axes.text(0.1, place, MISSING, color=GREY, va="center", ha="center")
            continue
        axes.plot(shown["fraction_left"], [place] * len(shown), color=GREY, linewidth=1.2, alpha=0.6)
        for each in shown.to_dict("records"):
            left, look = each["fraction_left"], LABELS[each["corruption"]]
            axes.plot(left, place, **look | MARKERS[each["corruption"]])
            if each["at_most"]:
                arrow = {"arrowstyle": "->", "color": look["color"]}
                axes.annotate("", (left / 1.5, place), (left, place), arrowprops=arrow)
    weights_left(axes, min(0.01, known["fraction_left"].min()) / 1.4)
    axes.invert_xaxis()
    axes.set_xlabel("Weights left (%) with which train accuracy is kept")
    key(
        made,
        [
            Line2D([], [], linestyle="", label=CORRUPTION_TITLES[name], **LABELS[name] | look)
            for name, look in MARKERS.items()
        ],
    )
    return made.figure


DRAWING = Drawing(points, draw)
