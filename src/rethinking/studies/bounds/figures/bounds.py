"""Measured gaps beside bounds, a row a model."""

import math

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Estimate, Results
from rethinking.results.panels import key, not_run
from rethinking.results.rows import rows
from rethinking.results.style import BLACK, GREY, LABELS, REFERENCE, Look
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.bounds.design import CORRUPTIONS, dataset
from rethinking.studies.bounds.measures import NO_MARGIN, LabelBlind, by_norms, gap, label_blind

BOTH = "either"
"""The labels of a bound that does not know them."""

_LOOKS: dict[str, Look] = {
    "gap": {"marker": "o", "markersize": 6.0},
    "Rademacher": {"color": BLACK, "marker": "|", "markersize": 12.0},
    "VC": {"color": BLACK, "marker": "x", "markersize": 6.0},
    "stability": {"color": BLACK, "marker": "D", "markersize": 6.0},
    "Frobenius": {"marker": "^", "markersize": 6.0},
    "spectral": {"marker": "s", "markersize": 6.0},
}
"""Markers; black where the labels make no difference."""
_UNLABELLED: Look = {"color": GREY}
_TITLES = {
    "gap": "measured gap",
    "Rademacher": "Rademacher bound",
    "VC": "VC bound",
    "stability": "SGD stability",
    "Frobenius": "Frobenius bound",
    "spectral": "spectral bound",
}
_ROWS = {**{name: CORRUPTION_TITLES[name] for name in CORRUPTIONS}, BOTH: "any labels"}


def points(results: Results) -> pd.DataFrame:
    """Return the gap of every model with true and with random labels, and its bounds."""
    name = dataset(results.params)
    made: list[Point] = []

    def add(model: str, labels: str, measure: str, value: Estimate | float | str) -> None:
        made.append(point(OURS, name, model, {"labels": labels, "measure": measure}, value=value))

    for model in results.params.studies.bounds.models:
        blind = label_blind(results, model)
        if isinstance(blind, LabelBlind):
            for measure, bound in blind.bounds.items():
                add(model, BOTH, measure, bound)
        for corruption in CORRUPTIONS:
            add(model, corruption, "gap", gap(results, model, corruption))
            norms = by_norms(results, model, corruption)
            if norms is not None:
                for measure, bound in (("Frobenius", norms.frobenius), ("spectral", norms.spectral)):
                    add(model, corruption, measure, bound if math.isfinite(bound) else NO_MARGIN)
    return frame(made)


def draw(points: pd.DataFrame) -> Figure:
    """Draw gaps and bounds on a logarithmic axis, with a line at 1: beyond it, a bound says nothing at all."""
    if (points["note"] != "").all():
        return not_run("Gaps and bounds")
    models = [str(name) for name in points["series"].unique()]
    made, axes, places = rows({model_title(model): [_ROWS[labels] for labels in _ROWS] for model in models})
    for row in points.to_dict("records"):
        place = places[model_title(str(row["series"])), _ROWS[row["labels"]]]
        if not row["note"]:
            look = LABELS.get(row["labels"], {}) | _LOOKS[row["measure"]]
            axes.plot(row["value"], place, linestyle="", **look)
        elif row["measure"] == "gap":
            axes.text(1.3, place, str(row["note"]), color=GREY, va="center")
    axes.axvline(1, **REFERENCE)
    axes.set_xscale("log")
    axes.set_xlabel("Test error minus train error (of 1)")
    key(
        made,
        [
            Line2D([], [], linestyle="", label=_TITLES[measure], **_UNLABELLED | look)
            for measure, look in _LOOKS.items()
        ],
    )
    return made.figure


DRAWING = Drawing(points, draw)
