"""What the study's figures share: a panel for each data set, and how features look."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rethinking.results.style import BLUE, GREEN, ORANGE, figure
from rethinking.studies.kernels.measures import DATASETS, FEATURES

_LOOKS: dict[str, dict[str, Any]] = {
    "pixels": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "gabor": {"color": ORANGE, "marker": "s", "linestyle": "--"},
    "convolutional": {"color": GREEN, "marker": "^", "linestyle": ":"},
}


def look(features: str) -> dict[str, Any]:
    """Return how a curve of these features is drawn."""
    return _LOOKS[features] | {"label": FEATURES[features]}


def panels(datasets: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """Return a new figure with one panel for each data set, side by side."""
    drawn, axes = figure(columns=len(datasets), height=3.2)
    for each, dataset in zip(axes, datasets, strict=True):
        each.set_title(DATASETS.get(dataset, dataset))
    return drawn, axes
