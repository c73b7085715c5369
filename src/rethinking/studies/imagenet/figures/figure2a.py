"""Figure 2a: accuracy of Inception V3 on ImageNet along the run, with and without regularizers."""

import textwrap
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.data.imagenet import NAME
from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.published import published_curve
from rethinking.results.style import BLUE, GREEN, GREY, RED, figure
from rethinking.studies.imagenet.design import Condition
from rethinking.studies.imagenet.measures import MISSING, curve, trained, why_not_run

SERIES = {
    "augmentation+dropout+wd": ("with_aug_wd_dropout", "all three", BLUE),
    "wd": ("without_aug_dropout", "weight decay alone", GREEN),
    "none": ("without_aug_wd_dropout", "none", RED),
}
"""Regularizers: what the published curves call them, what they are called here, and their colour."""

SPLITS: dict[str, dict[str, Any]] = {"train": {"linestyle": ":"}, "test": {"linestyle": "-"}}


def points(results: Results) -> pd.DataFrame:
    """Return top-1 train and test accuracy along the run, under true labels; series are regularizers.

    The paper's places are steps, of batches that it does not state; ours are epochs.
    """
    found: list[Point] = []
    for regularizer, (series, _, _) in SERIES.items():
        for split in SPLITS:
            curve_of_paper = published_curve("figure2a", "step", "accuracy", series=series, split=split)
            for step, accuracy in zip(*curve_of_paper, strict=True):
                found.append(point(PAPER, NAME, regularizer, {"split": split, "step": step}, accuracy=accuracy))
    what = trained(results)
    missing = why_not_run(results.params) if what is None else MISSING
    dataset = f"{NAME}, {what}" if what else NAME
    for regularizer in SERIES:
        for split in SPLITS:
            ours = curve(results, Condition("true", regularizer), f"{split}_top1")
            for epoch, value in ours.items():
                found.append(point(OURS, dataset, regularizer, {"split": split, "epoch": epoch}, accuracy=value))
            if not ours:
                found.append(point(OURS, dataset, regularizer, {"split": split}, accuracy=missing))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw the paper's curves at the left and ours at the right, or why there are none."""
    drawn, (left, right) = figure(columns=2, height=3.1)
    _plot(left, matching(points, source=PAPER), "step", 1e6)
    left.set(title="Paper", xlabel="Million steps", ylabel="Top-1 accuracy", xlim=(0, 10), ylim=(0, 1.02))
    ours = matching(points, source=OURS)
    if (ours["note"] == "").any():
        _plot(right, matching(ours, note=""), "epoch", 1)
        # Another network or data set than the paper's is named.
        title = f"Ours{str(ours['dataset'].iloc[0]).removeprefix(NAME)}"
        right.set(title=title, xlabel="Epochs", xlim=(0, None), ylim=(0, 1.02))
    else:
        right.set_axis_off()
        why = textwrap.fill(f"Ours: {ours['note'].iloc[0]}", 34)
        right.text(0.5, 0.5, why, ha="center", va="center", color=GREY, transform=right.transAxes)
    conditions = [Line2D([], [], color=colour, label=title) for _, title, colour in SERIES.values()]
    splits = [Line2D([], [], color=GREY, label=split, **look) for split, look in SPLITS.items()]
    left.legend(handles=[*conditions, *splits], loc="lower right", title="Regularisers")
    return drawn


def _plot(axes: Axes, found: pd.DataFrame, place: str, unit: float) -> None:
    for regularizer, (_, _, colour) in SERIES.items():
        for split, look in SPLITS.items():
            line = matching(found, series=regularizer, split=split)
            axes.plot(line[place] / unit, line["accuracy"], color=colour, linewidth=1.3, **look)


DRAWING = Drawing(points, draw)
