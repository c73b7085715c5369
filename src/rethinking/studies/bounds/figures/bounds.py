"""Measured gaps beside bounds, a row a model."""

import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.style import BLACK, BLUE, GREY, RED, figure
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.bounds.design import CORRUPTIONS, dataset
from rethinking.studies.bounds.measures import NO_MARGIN, LabelBlind, by_norms, gap, label_blind

BOTH = "either"
"""The labels of a bound that does not know them."""

_LOOKS: dict[str, tuple[str, str]] = {
    "gap": ("o", ""),
    "Rademacher": ("|", BLACK),
    "VC": ("x", BLACK),
    "stability": ("D", BLACK),
    "Frobenius": ("^", ""),
    "spectral": ("s", ""),
}
"""Marker, and the colour of those that are the same for either labels."""
_TITLES = {
    "gap": "measured gap",
    "Rademacher": "Rademacher bound",
    "VC": "VC bound",
    "stability": "SGD stability",
    "Frobenius": "Frobenius bound",
    "spectral": "spectral bound",
}
_COLOURS = dict(zip(CORRUPTIONS, (BLUE, RED), strict=True))


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
    drawn, (axes,) = figure(height=3.4)
    models = list(reversed(points["series"].unique()))
    for position, model in enumerate(models):
        own = matching(points, series=model)
        missing = own[(own["note"] != "") & (own["measure"] == "gap")]
        if not missing.empty:
            axes.text(1.3, position, str(missing["note"].iloc[0]), color=GREY, va="center", fontsize=7)
        for row in own[own["note"] == ""].to_dict("records"):
            marker, colour = _LOOKS[row["measure"]]
            offset = {CORRUPTIONS[0]: 0.15, CORRUPTIONS[1]: -0.15}.get(row["labels"], 0.0)
            size = 14 if marker == "|" else 6
            look: dict[str, Any] = {"color": colour or _COLOURS[row["labels"]], "markersize": size}
            if row["measure"] != "gap" and not colour:
                look["markerfacecolor"] = "white"
            axes.plot(row["value"], position + offset, marker, **look)
    axes.axvline(1, color=GREY, linestyle=":", linewidth=1)
    axes.set_xscale("log")
    axes.set(ylim=(-0.6, len(models) - 0.4), xlabel="Difference of test and training error", yticks=range(len(models)))
    axes.set_yticklabels([model_title(model) for model in models])
    axes.grid(axis="y", visible=False)
    axes.legend(
        handles=[
            *(
                Line2D([], [], marker="o", linestyle="", color=_COLOURS[name], label=CORRUPTION_TITLES[name])
                for name in CORRUPTIONS
            ),
            *(
                Line2D(
                    [],
                    [],
                    marker=marker,
                    linestyle="",
                    color=colour or GREY,
                    label=_TITLES[measure],
                    markerfacecolor=GREY if measure == "gap" else None if colour else "white",
                )
                for measure, (marker, colour) in _LOOKS.items()
            ),
        ],
        loc="lower center",
        bbox_to_anchor=(0.42, 1.0),
        ncols=4,
    )
    return drawn


DRAWING = Drawing(points, draw)
