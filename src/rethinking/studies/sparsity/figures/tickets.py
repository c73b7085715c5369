"""Lottery tickets beside new first weights and random masks, by the fraction of weights left."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import Drawing, frame
from rethinking.results.frame import Results, matching
from rethinking.results.style import BLUE, GREEN, ORANGE
from rethinking.results.titles import model_title
from rethinking.studies.sparsity.curves import ticket_curve
from rethinking.studies.sparsity.figures.shared import Look, curve_points, draw_line, finish, panels
from rethinking.studies.sparsity.tables import MEASURES, TICKET_TITLES
from rethinking.studies.sparsity.vocabulary import RANDOM_MASK, REINITIALISED, TICKET

LOOKS: dict[str, Look] = {
    TICKET: {"color": BLUE, "marker": "o", "linestyle": "-"},
    REINITIALISED: {"color": ORANGE, "marker": "s", "linestyle": "--"},
    RANDOM_MASK: {"color": GREEN, "marker": "^", "linestyle": ":"},
}

PANELS = {
    ("true", 1): "true labels: test accuracy\nafter the first epoch",
    ("true", None): "true labels: test accuracy\nafter the last epoch",
    ("random-labels", None): "random labels: train accuracy\nafter the last epoch",
}


def points(results: Results) -> pd.DataFrame:
    """Return accuracy by fraction left; series are tickets and what they are compared with."""
    return frame(
        each
        for part in results.params.studies.sparsity.tickets
        for model in part.models
        for corruption in part.corruptions
        for epoch in ((1, None) if corruption == "true" else (None,))
        for method in LOOKS
        for each in curve_points(
            results,
            {"model": model, "corruption": corruption, "measure": MEASURES[corruption], "epoch": epoch or "last"},
            ticket_curve(results, model, corruption, method, MEASURES[corruption], epoch),
            method,
        )
    )


def draw(points: pd.DataFrame) -> Figure:
    """Draw a row of panels for each model: how soon it learns, how well, and how well it memorises."""
    models = [str(name) for name in points["model"].unique()]
    names = [f"{model}/{number}" for model in models for number in range(len(PANELS))]
    drawn, places = panels(names, shared=False)
    for name, axes in places.items():
        model, number = name.rsplit("/", 1)
        (corruption, epoch), title = list(PANELS.items())[int(number)]
        there = matching(points, model=model, corruption=corruption, epoch=epoch or "last")
        some = [draw_line(axes, matching(there, series=method), look) for method, look in LOOKS.items()]
        axes.set_title(title if len(models) == 1 else f"{model_title(model)}, {title}", fontsize=8)
        finish(axes, any(some))
        if not (upper := there[there["series"].isin([TICKET, REINITIALISED])]["accuracy"].dropna()).empty:
            axes.set_ylim(max(0.0, upper.min() - 0.08), 1.02)
    next(iter(places.values())).set_ylabel("Accuracy")
    handles = [Line2D([], [], label=TICKET_TITLES[method], **look) for method, look in LOOKS.items()]
    drawn.legend(handles=handles, loc="outside upper center", ncols=3)
    return drawn


DRAWING = Drawing(points, draw)
