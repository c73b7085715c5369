"""Train and test accuracy of perceptrons against parameters for each training example: of 1990, and ours."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results import style
from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.panels import key, panels, say_not_run
from rethinking.results.scales import PARAMETERS_AN_EXAMPLE, per_cent
from rethinking.results.style import GREY, REFERENCE, Look
from rethinking.studies.parameters.design import RANDOM, TRUE
from rethinking.studies.parameters.measures import of_1990, perceptrons_by_width
from rethinking.studies.parameters.tables import DATASET_TITLES

DATASET_OF_1990 = "spicos"
PERCEPTRON = "mlp"
OTHERS = {"mle": ("ML", "left"), "map": ("MAP", "left"), "mlp_nci": ("no context", "right")}
"""Rows of the table that are no perceptrons with all inputs: how the figure names them, and on which side."""

LOOKS: dict[tuple[str, str], Look] = {
    ("train", TRUE): style.TRAIN | style.LABELS[TRUE],
    ("test", TRUE): style.TEST | style.LABELS[TRUE],
    ("train", RANDOM): style.TRAIN | style.LABELS[RANDOM],
}
LABELS = {("test", TRUE): "test", ("train", TRUE): "train", ("train", RANDOM): "train, random labels"}


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
    made = panels(2, height=2.9, share=True)
    theirs, ours = made.axes
    published, measured = (matching(points, source=source) for source in (PAPER, OURS))
    _draw_curves(theirs, matching(published, series=PERCEPTRON))
    for method, (label, side) in OTHERS.items():
        for line in matching(published, series=method, split="test").to_dict("records"):
            theirs.plot(line["ratio"], line["accuracy"], "x", color=GREY)
            theirs.annotate(
                label,
                (line["ratio"], line["accuracy"]),
                xytext=(5 if side == "right" else -5, 0),
                textcoords="offset points",
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
        _draw_curves(ours, known)
        ours.set_title(f"{title}, ours".capitalize() if title.islower() else f"{title}, ours")
    for axes in (theirs, ours):
        if axes.axison:
            axes.axvline(1, **REFERENCE)
            axes.set_xscale("log")
            axes.set(xlim=(0.07, 16), ylim=(0, 1.05), xlabel=PARAMETERS_AN_EXAMPLE)
            axes.set_xticks([0.2, 1, 5], ["0.2", "1", "5"])
            axes.minorticks_off()
    per_cent(theirs.yaxis, "Accuracy")
    key(made, [Line2D([], [], label=LABELS[place], **look) for place, look in LOOKS.items()])
    return made.figure


def _draw_curves(axes: Axes, points: pd.DataFrame) -> None:
    for (split, corruption), look in LOOKS.items():
        draw_curve(axes, matching(points, split=split, corruption=corruption), "ratio", "accuracy", **look)


DRAWING = Drawing(points, draw)
