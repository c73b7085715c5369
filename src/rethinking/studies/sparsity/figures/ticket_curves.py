"""Accuracy by epoch of tickets with an eighth of the weights, beside the whole network and the controls."""

import math

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Results, estimate, matching
from rethinking.results.panels import key, not_run, panels, say_not_run
from rethinking.results.scales import EPOCH, per_cent
from rethinking.results.style import BLACK, Look
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.sparsity.curves import trials
from rethinking.studies.sparsity.design import dataset
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
    if points["accuracy"].isna().all():
        return not_run("Lottery tickets")
    nets = list(dict.fromkeys(zip(points["model"], points["corruption"], strict=True)))
    made = panels(len(nets), height=2.5)
    for (model, corruption), axes in zip(nets, made.axes, strict=True):
        there = matching(points, model=model, corruption=corruption, note="")
        title = f"{model_title(model)},\n{CORRUPTION_TITLES[corruption]}"
        if there.empty:
            say_not_run(axes, title)
            continue
        for method, look in LOOKS.items():
            draw_curve(axes, matching(there, series=method), "epoch", "accuracy", band=True, **look)
        axes.set(title=title, xlabel=EPOCH, ylim=(max(0.0, there["accuracy"].min() - 0.05), 1.02))
        per_cent(axes.yaxis, f"{MEASURES[corruption].split('_')[0].capitalize()} accuracy")
    titles = {DENSE: "whole network", **TICKET_TITLES}
    key(made, [Line2D([], [], label=titles[method], **look) for method, look in LOOKS.items()])
    return made.figure


DRAWING = Drawing(points, draw, over="trial")
