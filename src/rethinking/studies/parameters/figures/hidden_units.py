"""Train and test accuracy of perceptrons against parameters for each training example: of 1990, and ours."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.style import BLUE, GREY, RED, figure, say_not_run
from rethinking.studies.parameters.design import RANDOM, TRUE
from rethinking.studies.parameters.measures import of_1990, perceptrons_by_width
from rethinking.studies.parameters.tables import DATASET_TITLES

DATASET_OF_1990 = "spicos"
PERCEPTRON = "mlp"
OTHERS = {"mle": ("ML", "left"), "map": ("MAP", "left"), "mlp_nci": ("no context", "right")}
"""Rows of the table that are no perceptrons with all inputs: how the figure names them, and on which side."""

LOOKS: dict[tuple[str, str], dict[str, Any]] = {
    ("train", TRUE): {"color": BLUE, "marker": "o", "markerfacecolor": "white", "linestyle": "--"},
    ("test", TRUE): {"color": BLUE, "marker": "o", "linestyle": "-"},
    ("train", RANDOM): {"color": RED, "marker": "s", "markerfacecolor": "white", "linestyle": "--"},
}
LABELS = {("train", TRUE): "train", ("test", TRUE): "test", ("train", RANDOM): "train, random labels"}
PLACES = {("train", TRUE): (-8, 6), ("test", TRUE): (-8, -13), ("train", RANDOM): (7, -10)}
"""Of the labels, in points from the middle of each curve: above, below, and below to the right of one that rises."""


def points(results: Results) -> pd.DataFrame:
    """Return accuracy by method, split, labels and parameters for each example; ours are all perceptrons."""
    return frame(_points(results))


def _points(results: Results) -> Iterator[Point]:
    for row in of_1990():
        for split, accuracy in (("train", row.train), ("test", row.test)):
            at = {"corruption": TRUE, "split": split, "hidden_units": row.hidden_units, "ratio": row.ratio}
            yield point(PAPER, DATASET_OF_1990, row.method, at, accuracy=accuracy)
    dataset = results.params.studies.parameters.dataset
    for split, corruption in LOOKS:
        for each in perceptrons_by_width(results, corruption):
            at = {"corruption": corruption, "split": split, "hidden_units": each.width, "ratio": each.ratio}
            yield point(OURS, dataset, PERCEPTRON, at, accuracy=each.train if split == "train" else each.test)


def draw(points: pd.DataFrame) -> Figure:
    """Draw the table of 1990 at the left and ours at the right, on one scale of accuracy."""
    drawn, (theirs, ours) = figure(columns=2, height=3.2)
    published, measured = (matching(points, source=source) for source in (PAPER, OURS))
    _draw_curves(theirs, matching(published, series=PERCEPTRON), grey=True)
    for method, (label, side) in OTHERS.items():
        for line in matching(published, series=method, split="test").to_dict("records"):
            theirs.plot(line["ratio"], line["accuracy"], "x", color=GREY)
            theirs.annotate(
                label,
                (line["ratio"], line["accuracy"]),
                xytext=(5 if side == "right" else -7, 0),
                textcoords="offset points",
                fontsize=7.5,
                ha="left" if side == "right" else "right",
                va="center",
                color=GREY,
            )
    theirs.set_title("Frames of speech, 1990")
    known = matching(measured, note="")
    dataset = str(measured["dataset"].iloc[0])
    title = DATASET_TITLES.get(dataset, dataset)
    if known.empty:
        say_not_run(ours, f"Perceptrons on {title}")
    else:
        _draw_curves(ours, known, grey=False)
        ours.set_title(f"{title}, ours".capitalize() if title.islower() else f"{title}, ours")
    for axes in (theirs, ours):
        if axes.axison:
            axes.axvline(1, color=GREY, linestyle=":", linewidth=1, zorder=0)
            axes.set_xscale("log")
            axes.set(xlim=(0.13, 16), ylim=(0, 1.1), xlabel="Parameters an example")
            axes.set_xticks([0.2, 0.5, 1, 2, 5, 10], ["0.2", "0.5", "1", "2", "5", "10"])
            axes.minorticks_off()
    theirs.set_ylabel("Accuracy")
    return drawn


def _draw_curves(axes: Axes, points: pd.DataFrame, grey: bool) -> None:
    for (split, corruption), look in LOOKS.items():
        curve = matching(points, split=split, corruption=corruption)
        if curve.empty:
            continue
        own = look | {"color": GREY} if grey else look
        axes.errorbar(
            curve["ratio"], curve["accuracy"], yerr=curve["half_width"].fillna(0.0), capsize=2, elinewidth=0.8, **own
        )
        near = curve.iloc[len(curve) // 2]
        axes.annotate(
            LABELS[split, corruption],
            (near["ratio"], near["accuracy"]),
            xytext=PLACES[split, corruption],
            textcoords="offset points",
            fontsize=8,
            color=own["color"],
        )


DRAWING = Drawing(points, draw)
