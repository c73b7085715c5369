"""Accuracy by epoch of tickets with an eighth of the weights, beside the whole network and the controls."""

import math

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Results, estimate, matching
from rethinking.results.style import BLACK
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.sparsity.curves import trials
from rethinking.studies.sparsity.design import dataset
from rethinking.studies.sparsity.figures.shared import Look, panels, say_not_run_here
from rethinking.studies.sparsity.figures.tickets import LOOKS as SPARSE
from rethinking.studies.sparsity.tables import MEASURES, MISSING, TICKET_TITLES
from rethinking.studies.sparsity.vocabulary import DENSE

FRACTION = 1 / 8
"""Of the weights; the round nearest to it is shown."""

LOOKS: dict[str, Look] = {DENSE: {"color": BLACK, "marker": "", "linestyle": "-"}, **SPARSE}


def points(results: Results) -> pd.DataFrame:
    """Return accuracy by epoch, means over draws and trials; series are the whole network, tickets and controls."""
    found: list[Point] = []
    for part in results.params.studies.sparsity.tickets:
        for model in part.models:
            for corruption in part.corruptions:
                for method in LOOKS:
                    found += _points(results, model, corruption, method)
    return frame(found)


def _points(results: Results, model: str, corruption: str, method: str) -> list[Point]:
    measure, name = MEASURES[corruption], dataset(results.params)
    at: Point = {"model": model, "corruption": corruption, "measure": measure}
    rows = trials(results, model, corruption, method)
    rows = rows if rows.empty else matching(rows, method=method)
    if rows.empty:
        return [point(OURS, name, method, {**at, "fraction_left": math.nan, "epoch": math.nan}, accuracy=MISSING)]
    fraction = min(rows["fraction_left"].unique(), key=lambda left: abs(left - FRACTION))
    rows = matching(rows, fraction_left=fraction)
    return [
        point(
            OURS,
            name,
            method,
            {**at, "fraction_left": fraction, "epoch": int(epoch)},
            accuracy=estimate(matching(rows, epoch=epoch).groupby("seed")[measure].mean()) or MISSING,
        )
        for epoch in sorted(rows["epoch"].unique())
    ]


def draw(points: pd.DataFrame) -> Figure:
    """Draw accuracy against epochs, a panel for each model and kind of labels."""
    nets = list(dict.fromkeys(zip(points["model"], points["corruption"], strict=True)))
    drawn, places = panels([f"{model}/{corruption}" for model, corruption in nets], shared=False)
    for (model, corruption), axes in zip(nets, places.values(), strict=True):
        there = matching(points, model=model, corruption=corruption, note="")
        for method, look in LOOKS.items():
            line = matching(there, series=method)
            axes.plot(line["epoch"], line["accuracy"], **look)
            if (width := line["half_width"]).notna().any():
                low, high = line["accuracy"] - width, line["accuracy"] + width
                axes.fill_between(line["epoch"], low, high, color=look["color"], alpha=0.12, linewidth=0)
        if there.empty:
            say_not_run_here(axes)
        else:
            axes.set_ylim(max(0.0, there["accuracy"].min() - 0.05), 1.02)
        split = MEASURES[corruption].split("_")[0]
        axes.set_title(f"{model_title(model)}, {CORRUPTION_TITLES[corruption]}:\n{split} accuracy", fontsize=8)
        axes.set(xlabel="Epoch")
    next(iter(places.values())).set_ylabel("Accuracy")
    handles = [Line2D([], [], label="whole network", **LOOKS[DENSE])]
    handles += [Line2D([], [], label=TICKET_TITLES[method], **look) for method, look in SPARSE.items()]
    drawn.legend(handles=handles, loc="outside upper center", ncols=4)
    return drawn


DRAWING = Drawing(points, draw)
