"""Accuracy against the number of bits of a weight."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, Drawing, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.style import COLUMN_WIDTH, CORRUPTION_STYLE, GREY, say_not_run
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.quantisation.readings import (
    CORRUPTIONS,
    MISSING,
    ROUNDED_PER_CHANNEL,
    ROUNDED_PER_TENSOR,
    TRAINED_ON,
    TRUE,
    WAYS,
    accuracy,
)
from rethinking.studies.quantisation.vocabulary import FLOAT_BITS

LOOKS: dict[str, dict[str, Any]] = {
    ROUNDED_PER_TENSOR.title: {"linestyle": "--", "marker": "s", "markersize": 3.5, "alpha": 0.6},
    ROUNDED_PER_CHANNEL.title: {"linestyle": "-", "marker": "o"},
    TRAINED_ON.title: {"linestyle": "", "marker": "*", "markersize": 10, "markerfacecolor": "white"},
}

PANELS = (("train", CORRUPTIONS), ("test", (TRUE,)))
"""Rows of panels: which accuracy, and the networks with which labels. Random ones teach nothing to test."""


def points(results: Results) -> pd.DataFrame:
    """Return accuracies by number of bits, 32 for float32; series are models."""
    study = results.params.studies.quantisation
    return frame(
        point(
            OURS,
            results.params.studies.randomisation.dataset,
            model,
            {"corruption": corruption, "weights": way.title, "split": split, "bits": bits},
            accuracy=value,
        )
        for model in study.models
        for split, corruptions in PANELS
        for corruption in corruptions
        for way in WAYS
        for bits in (FLOAT_BITS, *study.bits)
        for value in [accuracy(results, model, corruption, way, bits, split)]
        if way != TRAINED_ON or (value != MISSING and bits != FLOAT_BITS)
    )


def draw(points: pd.DataFrame) -> Figure:
    """Draw train accuracy, with true and with random labels, above test accuracy; a column of panels a model."""
    models = list(points["series"].unique())
    drawn = Figure(figsize=(COLUMN_WIDTH, 4.4))
    grid = drawn.subplots(len(PANELS), len(models), squeeze=False, sharey=True)
    for line, (split, _) in zip(grid, PANELS, strict=True):
        for axes, model in zip(line, models, strict=True):
            _panel(axes, matching(points, series=model, split=split), model_title(model))
        line[0].set_ylabel(f"{split.capitalize()} accuracy")
    for axes, model in zip(grid[0], models, strict=True):
        axes.set_title(model_title(model), fontsize=9)
    for axes in grid[-1]:
        axes.set_xlabel("Bits of a weight")
    drawn.legend(
        handles=[
            *(
                Line2D([], [], color=CORRUPTION_STYLE[name]["color"], label=CORRUPTION_TITLES[name])
                for name in CORRUPTIONS
            ),
            *(Line2D([], [], color=GREY, label=title, **look) for title, look in LOOKS.items()),
        ],
        loc="outside upper center",
        ncols=3,
    )
    return drawn


def _panel(axes: Axes, found: pd.DataFrame, title: str) -> None:
    if found["accuracy"].isna().all():
        say_not_run(axes, title)
        return
    places = {bits: place for place, bits in enumerate(sorted(found["bits"].unique(), reverse=True))}
    for (corruption, way), series in found.groupby(["corruption", "weights"], sort=False):
        axes.errorbar(
            [places[bits] for bits in series["bits"]],
            series["accuracy"],
            yerr=series["half_width"].fillna(0),
            color=CORRUPTION_STYLE[str(corruption)]["color"],
            **LOOKS[str(way)],
        )
    axes.set_xticks(range(len(places)), [str(bits) for bits in places])
    axes.set_ylim(0, 1.05)


DRAWING = Drawing(points, draw)
