"""What several figures of the study share: panels by model, the axis of weights left, lines by network and method."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, Point, point
from rethinking.results.frame import Results, matching
from rethinking.results.panels import Panels, label_left, leave_out, panels
from rethinking.results.scales import per_cent, weights_left
from rethinking.results.style import GREY, LABELS, REFERENCE, Look
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.sparsity.curves import Curve, curve
from rethinking.studies.sparsity.design import dataset
from rethinking.studies.sparsity.tables import MISSING
from rethinking.studies.sparsity.vocabulary import CORRUPTIONS

CHANCE = 0.1


def curve_points(results: Results, at: Point, values: Curve, series: str) -> list[Point]:
    """Return the points of one curve, or one that says why there is none."""
    name = dataset(results.params)
    if not values:
        return [point(OURS, name, series, {**at, "fraction_left": math.nan}, accuracy=MISSING)]
    return [
        point(OURS, name, series, {**at, "fraction_left": fraction}, accuracy=value)
        for fraction, value in values.items()
    ]


def network_points(
    results: Results, method: str, model: str, corruption: str, scope: str, measure: str = "train_accuracy"
) -> list[Point]:
    """Return a network's accuracy by fraction left, under one way to prune; the series is the model."""
    at = {"corruption": corruption, "method": method, "scope": scope}
    return curve_points(results, at, curve(results, method, model, corruption, scope, measure), model)


def draw_by_model(
    points: pd.DataFrame, measure: str, curves: Sequence[tuple[dict[str, str], Look]], lowest: float = 0.0
) -> Panels:
    """Draw accuracy against weights left, a panel for each model that was run, a line for each of `curves`.

    A curve is what its points have in common, and its look. Axes begin at the accuracy `lowest`.
    """
    known = points[points["note"] == ""]
    models = [name for name in series_of(points) if name in set(known["series"])]
    made = panels(len(models), height=2.4, share=True)
    leave_out(made.figure, [model_title(name) for name in series_of(points) if name not in models])
    for model, axes in zip(models, made.axes, strict=True):
        for common, look in curves:
            draw_curve(axes, matching(known, series=model, **common), "fraction_left", "accuracy", **look)
        if lowest < CHANCE:
            axes.axhline(CHANCE, **REFERENCE)
        axes.set(title=model_title(model), ylim=(lowest, 1.03))
        weights_left(axes, known["fraction_left"].min())
        per_cent(axes.yaxis, measure)
    label_left(made)
    return made


def of_labels() -> list[Line2D]:
    """Return the key of labels: colour and fill."""
    return [
        Line2D([], [], marker="o", linestyle="", label=CORRUPTION_TITLES[name], **LABELS[name]) for name in CORRUPTIONS
    ]


def of_shapes(looks: Mapping[str, Look], titles: Mapping[str, str]) -> list[Line2D]:
    """Return the key of shapes and dashes, whatever the labels."""
    return [Line2D([], [], color=GREY, label=titles[name], **look) for name, look in looks.items()]


def series_of(points: pd.DataFrame) -> list[str]:
    """Return the series of points, in order."""
    return [str(name) for name in points["series"].unique()]
