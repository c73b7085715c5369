"""What several figures of the study share: panels by model, the axis of weights left, lines by network and method."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from rethinking.results.drawing import OURS, Point, point
from rethinking.results.frame import Results
from rethinking.results.style import COLUMN_WIDTH, CORRUPTION_STYLE, GREY
from rethinking.results.titles import model_title
from rethinking.studies.sparsity.curves import Curve, curve
from rethinking.studies.sparsity.design import dataset
from rethinking.studies.sparsity.tables import MISSING

COLUMNS = 3
"""Panels side by side."""

CHANCE = 0.1

Look = dict[str, Any]


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


def panels(names: Sequence[str], shared: bool = True) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with a panel for each name, at most three side by side, and the panels by name."""
    columns = min(COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    drawn = Figure(figsize=(COLUMN_WIDTH, 0.35 + 2.5 * rows))
    grid = drawn.subplots(rows, columns, squeeze=False, sharey=shared)
    places = dict(zip(names, grid.flat, strict=False))
    for spare in grid.flat[len(places) :]:
        spare.set_axis_off()
    for name, axes in places.items():
        axes.set_title(model_title(name))
    return drawn, places


def draw_line(axes: Axes, points: pd.DataFrame, look: Look) -> bool:
    """Draw accuracy against weights left, with the intervals over seeds; return whether there was anything to draw."""
    shown = points[points["note"] == ""]
    if shown.empty:
        return False
    several = shown["half_width"].notna().any()
    bars: Look = {"yerr": shown["half_width"].fillna(0.0), "capsize": 2, "elinewidth": 0.8} if several else {}
    axes.errorbar(shown["fraction_left"], shown["accuracy"], **bars, **look)
    return True


def finish(axes: Axes, drawn: bool) -> None:
    """Set the axis of weights left, logarithmic and from the whole network down, and say where nothing was run."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlabel="Weights left (%)")
    axes.set_xlim(1.15, min(axes.get_xlim()[0], 0.5))
    if not drawn:
        say_not_run_here(axes)


def say_not_run_here(axes: Axes) -> None:
    """Say in a panel, whose frame stays, that nothing was run."""
    axes.text(0.5, 0.5, "not run\nat this scale", ha="center", va="center", color=GREY, transform=axes.transAxes)


def chance(axes: Axes) -> None:
    """Draw the line of guessing."""
    axes.axhline(CHANCE, color=GREY, linestyle=":", linewidth=1)


def color(corruption: str) -> str:
    """Return the colour of a network's labels."""
    return str(CORRUPTION_STYLE[corruption]["color"])


def series_of(points: pd.DataFrame) -> list[str]:
    """Return the series of points, in order."""
    return [str(name) for name in points["series"].unique()]
