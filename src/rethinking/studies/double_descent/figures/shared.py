"""What several figures of the study share: curves of networks over widths or examples, and how they are drawn."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rethinking.results.drawing import OURS, Point, point
from rethinking.results.frame import Estimate
from rethinking.results.style import BLUE, COLUMN_WIDTH, GREEN, ORANGE, RED

TEST, TRAIN, NOISY_TEST = "test", "train", "test on noisy labels"
LOOKS: dict[str, dict[str, Any]] = {
    TEST: {"color": RED, "marker": "o", "linestyle": "-"},
    NOISY_TEST: {"color": ORANGE, "marker": "s", "linestyle": "--"},
    TRAIN: {"color": BLUE, "marker": "^", "linestyle": ":"},
}
"""How the errors of one set of networks look: test on true labels, on noisy ones, and train on the noisy ones."""

DECAY_COLOURS = (GREEN, BLUE, ORANGE)


def panels(count: int, columns: int = 3, height: float = 2.5) -> tuple[Figure, list[Axes]]:
    """Return a new figure with so many axes, in rows of `columns`, each `height` inches high."""
    columns = min(count, columns)
    rows = -(-count // columns)
    drawn = Figure(figsize=(COLUMN_WIDTH, height * rows))
    axes = [each for row in drawn.subplots(rows, columns, squeeze=False) for each in row]
    for unused in axes[count:]:
        unused.set_axis_off()
    return drawn, axes[:count]


def error_points(dataset: str, series: str, at: Point, errors: Iterable[tuple[str, Estimate | str]]) -> list[Point]:
    """Return our points of several kinds of error at one place."""
    return [point(OURS, dataset, series, {**at, "measure": measure}, error=value) for measure, value in errors]


def plot_errors(axes: Axes, curve: pd.DataFrame, x: str, **look: Any) -> bool:
    """Plot the points that have a number, with their intervals; return whether there are any."""
    known = curve[curve["note"] == ""].sort_values(x)
    if not known.empty:
        axes.errorbar(
            known[x], known["error"], yerr=known["half_width"].fillna(0.0), capsize=1.5, elinewidth=0.8, **look
        )
    return not known.empty


def logarithmic(axes: Axes, ticks: Iterable[float]) -> None:
    """Give axes a logarithmic x, with these numbers written out."""
    numbers = list(ticks)
    axes.set_xscale("log", base=2)
    axes.set_xticks(numbers, [f"{number:,.0f}" for number in numbers])
    axes.minorticks_off()


def powers_of_two(values: Iterable[float], most: int = 7) -> list[int]:
    """Return the powers of two between the smallest and the largest value, for ticks: evenly apart, so many at most."""
    numbers = list(values)
    found = [2**power for power in range(24) if min(numbers) <= 2**power <= max(numbers)]
    return found[:: -(-len(found) // most)] or [round(min(numbers))]
