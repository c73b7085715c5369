"""What the study's figures share: a panel for each data set, and how features look."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from rethinking.results.drawing import OURS
from rethinking.results.panels import Panels, leave_out, panels
from rethinking.results.style import BLACK, GREEN, ORANGE, Look
from rethinking.studies.kernels.measures import DATASETS, FEATURES

_LOOKS: dict[str, Look] = {
    "pixels": {"color": BLACK, "marker": "o", "linestyle": "-"},
    "gabor": {"color": ORANGE, "marker": "s", "linestyle": "--"},
    "convolutional": {"color": GREEN, "marker": "^", "linestyle": ":"},
}


_FEWER: tuple[Look, ...] = (
    {"marker": "v", "linestyle": "-."},
    {"marker": "<", "linestyle": "--"},
    {"marker": ">", "linestyle": "-"},
)
"""Instead, for the second largest number of filters and on: open markers of other shapes."""

PAPERS: Look = {"markerfacecolor": "white", "markersize": 8.0, "linestyle": "", "label": None}
"""The paper's values: large and open, in the colour and shape of their features."""


def look(features: str, filters: float | None = None, numbers: Sequence[float] = ()) -> Look:
    """Return how a curve of these features is drawn, with one of several rising numbers of filters where it has one."""
    found = _LOOKS[features] | {"label": FEATURES[features]}
    if filters is None:
        return found
    found["label"] = f"{filters:,.0f} {found['label']}"
    rank = len(numbers) - 1 - list(numbers).index(filters)
    return found | _FEWER[rank - 1] | {"markerfacecolor": "white"} if rank else found


def panels_by_dataset(points: pd.DataFrame) -> tuple[Panels, list[tuple[Axes, pd.DataFrame]]]:
    """Return a new figure with a panel for each data set of which we have numbers, and what belongs into each."""
    ours = points[(points["source"] == OURS) & points["error"].notna()]
    datasets = [str(name) for name in ours["dataset"].unique()]
    made = panels(len(datasets), height=2.8)
    missing = [DATASETS.get(str(name), str(name)) for name in points["dataset"].unique() if name not in datasets]
    leave_out(made.figure, missing)
    for axes, dataset in zip(made.axes, datasets, strict=True):
        axes.set_title(DATASETS.get(dataset, dataset))
    return made, [(axes, points[points["dataset"] == name]) for axes, name in zip(made.axes, datasets, strict=True)]
