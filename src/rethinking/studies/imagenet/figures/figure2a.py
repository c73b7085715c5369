"""Figure 2a: accuracy of Inception V3 on ImageNet along the run, with and without regularizers."""

import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.data.imagenet import NAME
from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.panels import key, panels
from rethinking.results.published import published_curve
from rethinking.results.scales import EPOCH, per_cent
from rethinking.results.style import BLACK, GREY, ORANGE, PURPLE, Look
from rethinking.studies.imagenet.design import Condition
from rethinking.studies.imagenet.measures import MISSING, curve, trained, why_not_run

SERIES: dict[str, tuple[str, Look]] = {
    "augmentation+dropout+wd": ("with_aug_wd_dropout", {"color": BLACK, "marker": "o", "label": "all three"}),
    "wd": ("without_aug_dropout", {"color": ORANGE, "marker": "s", "label": "weight decay alone"}),
    "none": ("without_aug_wd_dropout", {"color": PURPLE, "marker": "D", "label": "none"}),
}
"""Regularizers: what the published curves call them, and how they look here."""

SPLITS: dict[str, Look] = {
    "train": {"linestyle": ":", "markerfacecolor": "white", "label": "train"},
    "test": {"linestyle": "-", "label": "test"},
}


def points(results: Results) -> pd.DataFrame:
    """Return top-1 train and test accuracy along the run, under true labels; series are regularizers.

    The paper's places are steps, of batches that it does not state; ours are epochs.
    """
    found: list[Point] = []
    for regularizer, (series, _) in SERIES.items():
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
    made = panels(2, height=2.9, share=True)
    left, right = made.axes
    _plot(left, matching(points, source=PAPER), "step", 1e6)
    left.set(title="Paper", xlabel="Million gradient steps", xlim=(0, 10), ylim=(0, 1.02))
    per_cent(left.yaxis, "Top-1 accuracy")
    ours = matching(points, source=OURS)
    if (ours["note"] == "").any():
        _plot(right, matching(ours, note=""), "epoch", 1)
        # Another network or data set than the paper's is named.
        title = f"Ours{str(ours['dataset'].iloc[0]).removeprefix(NAME)}"
        right.set(title=title, xlabel=EPOCH, xlim=(0, None), ylim=(0, 1.02))
    else:
        right.set_axis_off()
        why = textwrap.fill(f"Ours: {ours['note'].iloc[0]}", 24)
        right.text(0.5, 0.5, why, ha="center", va="center", color=GREY, transform=right.transAxes)
    conditions = [Line2D([], [], **look) for _, look in SERIES.values()]
    key(made, [*conditions, *(Line2D([], [], color=GREY, marker="o", **look) for look in SPLITS.values())])
    return made.figure


def _plot(axes: Axes, found: pd.DataFrame, place: str, unit: float) -> None:
    for number, (regularizer, (_, condition)) in enumerate(SERIES.items()):
        for split, look in SPLITS.items():
            line = matching(found, series=regularizer, split=split)
            # A few markers, at other places on each curve, tell them apart without colour.
            marked = (0.15 + 0.07 * number, 0.3)
            axes.plot(line[place] / unit, line["accuracy"], markevery=marked, linewidth=1.3, **condition | look)


DRAWING = Drawing(points, draw)
