"""Accuracy against the number of bits of a weight."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, Drawing, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.panels import key, not_run, panels, say_not_run
from rethinking.results.scales import per_cent
from rethinking.results.style import GREY, LABELS, Look
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

LOOKS: dict[str, Look] = {
    ROUNDED_PER_TENSOR.title: {"linestyle": "--", "marker": "s", "markersize": 4.0},
    ROUNDED_PER_CHANNEL.title: {"linestyle": "-", "marker": "o"},
    TRAINED_ON.title: {"linestyle": "", "marker": "*", "markersize": 10.0},
}

PANELS = (("train", CORRUPTIONS), ("test", (TRUE,)))
"""Columns of panels: which accuracy, and the networks with which labels. Random ones teach nothing to test."""


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
    """Draw train accuracy, with true and with random labels, beside test accuracy; a row of panels a model."""
    if points["accuracy"].isna().all():
        return not_run("Networks of fewer bits")
    models = list(points["series"].unique())
    made = panels(len(PANELS) * len(models), height=2.2, share=True)
    places = iter(made.axes)
    for model in models:
        for split, _ in PANELS:
            _panel(next(places), matching(points, series=model, split=split), f"{model_title(model)}, {split}")
    for axes in made.axes[:: len(PANELS)]:
        per_cent(axes.yaxis, "Accuracy")
    for axes in made.axes[-len(PANELS) :]:
        axes.set_xlabel("Bits of a weight")
    labels = [
        Line2D([], [], marker="o", linestyle="", label=CORRUPTION_TITLES[name], **LABELS[name]) for name in CORRUPTIONS
    ]
    key(made, [*labels, *(Line2D([], [], color=GREY, label=title, **look) for title, look in LOOKS.items())])
    return made.figure


def _panel(axes: Axes, found: pd.DataFrame, title: str) -> None:
    if found["accuracy"].isna().all():
        say_not_run(axes, title)
        return
    places = {bits: place for place, bits in enumerate(sorted(found["bits"].unique(), reverse=True))}
    for (corruption, way), series in found.groupby(["corruption", "weights"], sort=False):
        look = LABELS[str(corruption)] | LOOKS[str(way)]
        draw_curve(axes, series.assign(place=series["bits"].map(places)), "place", "accuracy", **look)
    axes.set_xticks(range(len(places)), [str(bits) for bits in places])
    axes.set(title=title, ylim=(0, 1.05))


DRAWING = Drawing(points, draw)
