"""Lottery tickets beside new first weights and random masks, by the fraction of weights left."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import Drawing, frame
from rethinking.results.frame import Results, matching
from rethinking.results.panels import key, not_run, panels, say_not_run
from rethinking.results.scales import per_cent, weights_left
from rethinking.results.style import GREEN, ORANGE, PURPLE, Look
from rethinking.results.titles import model_title
from rethinking.studies.sparsity.curves import ticket_curve
from rethinking.studies.sparsity.figures.shared import curve_points
from rethinking.studies.sparsity.tables import MEASURES, TICKET_TITLES
from rethinking.studies.sparsity.vocabulary import RANDOM_MASK, REINITIALISED, TICKET

LOOKS: dict[str, Look] = {
    TICKET: {"color": PURPLE, "marker": "o", "linestyle": "-"},
    REINITIALISED: {"color": ORANGE, "marker": "s", "linestyle": "--"},
    RANDOM_MASK: {"color": GREEN, "marker": "^", "linestyle": ":"},
}

PANELS = {
    ("true", 1): "true labels,\nafter the first epoch",
    ("true", None): "true labels,\nafter the last epoch",
    ("random-labels", None): "random labels,\nafter the last epoch",
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
    """Draw for each model how soon it learns, how well, and how well it memorises: the upper part of accuracy."""
    known = points[points["note"] == ""]
    if known.empty:
        return not_run("Lottery tickets")
    models = [str(name) for name in points["model"].unique()]
    places = [(model, *panel) for model in models for panel in PANELS.items()]
    made = panels(len(places), height=2.5)
    for axes, (model, (corruption, epoch), title) in zip(made.axes, places, strict=True):
        there = matching(known, model=model, corruption=corruption, epoch=epoch or "last")
        title = title[0].upper() + title[1:] if len(models) == 1 else f"{model_title(model)}, {title}"
        if there.empty:
            say_not_run(axes, title)
            continue
        for method, look in LOOKS.items():
            draw_curve(axes, matching(there, series=method), "fraction_left", "accuracy", **look)
        weights_left(axes, there["fraction_left"].min())
        upper = there[there["series"].isin([TICKET, REINITIALISED])]["accuracy"]
        axes.set(title=title, ylim=(max(0.0, upper.min() - 0.08), 1.02))
        per_cent(axes.yaxis, f"{MEASURES[corruption].split('_')[0].capitalize()} accuracy")
    key(made, [Line2D([], [], label=TICKET_TITLES[method], **look) for method, look in LOOKS.items()])
    return made.figure


DRAWING = Drawing(points, draw, over="trial")
