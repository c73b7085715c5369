"""Accuracy against the bytes of a network's file: pruned, quantised, and both."""

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rethinking.results.drawing import OURS, Drawing, frame
from rethinking.results.frame import Results, matching
from rethinking.results.style import BLACK, BLUE, COLUMN_WIDTH, GREEN, GREY, ORANGE, PURPLE, RED, SKY, say_not_run
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.quantisation.readings import CORRUPTIONS, MISSING, TRUE, Combination, combinations
from rethinking.studies.quantisation.vocabulary import FLOAT_BITS

DENSE, PRUNED, QUANTISED = "as trained", "pruned", "quantised"

_LOOKS: dict[str, dict[str, Any]] = {
    DENSE: {"color": BLACK, "marker": "*", "markersize": 9, "linestyle": "", "zorder": 4},
    PRUNED: {"color": GREY, "marker": "s", "markersize": 3.5},
    QUANTISED: {"color": ORANGE, "marker": "D", "markersize": 3.5, "zorder": 3},
}
_COLOURS = (BLUE, SKY, GREEN, PURPLE, RED)
"""Of networks that were pruned and quantised, in the order of the numbers of bits."""

MEASURES = {TRUE: "test", "random-labels": "train"}
"""Which accuracy says what a network is good for: nothing is to be tested where labels are random."""


def points(results: Results) -> pd.DataFrame:
    """Return accuracy and bytes of each network, pruned or not, quantised or not; series are models."""
    dataset = results.params.studies.randomisation.dataset
    lines: list[dict[str, Any]] = []
    for model in results.params.studies.quantisation.combined.models:
        for corruption, split in MEASURES.items():
            where = {"source": OURS, "dataset": dataset, "series": model, "corruption": corruption, "split": split}
            found = combinations(results, model, corruption)
            lines += [
                where
                | {"weights": _title(each), "bits": each.bits, "fraction_left": each.fraction_left, "bytes": each.bytes}
                | {"accuracy": getattr(each, f"{split}_accuracy"), "half_width": math.nan, "note": ""}
                for each in found
            ]
            if not found:
                nothing = dict.fromkeys(("bits", "fraction_left", "bytes", "accuracy", "half_width"), math.nan)
                lines.append(where | {"weights": DENSE} | nothing | {"note": MISSING})
    return frame(lines) if lines else pd.DataFrame(columns=["series", "corruption", "split", "weights", "accuracy"])


def _title(found: Combination) -> str:
    if found.bits == FLOAT_BITS:
        return PRUNED if found.round else DENSE
    return f"pruned, {found.bits} bits" if found.round else QUANTISED


def draw(points: pd.DataFrame) -> Figure:
    """Draw accuracy against bytes: networks with true labels above those with random ones; a column a model."""
    models = list(points["series"].unique())
    drawn = Figure(figsize=(COLUMN_WIDTH, 4.8))
    if not models:
        say_not_run(drawn.subplots(), "Pruned and quantised")
        return drawn
    titles = list(dict.fromkeys(points["weights"]))
    both = [title for title in titles if title not in _LOOKS]
    looks = _LOOKS | {
        title: {"color": colour, "marker": "o", "markersize": 3} for title, colour in zip(both, _COLOURS, strict=False)
    }
    grid = drawn.subplots(len(CORRUPTIONS), len(models), squeeze=False, sharey="row", sharex="col")
    for line, corruption in zip(grid, CORRUPTIONS, strict=True):
        for axes, model in zip(line, models, strict=True):
            _panel(axes, matching(points, series=model, corruption=corruption), model_title(model), looks)
        line[0].set_ylabel(f"{MEASURES[corruption].capitalize()} accuracy,\n{CORRUPTION_TITLES[corruption]}")
    for axes, model in zip(grid[0], models, strict=True):
        axes.set_title(model_title(model), fontsize=9)
    for axes in grid[-1]:
        axes.set_xlabel("File, kB")
    handles = {
        label: handle for axes in grid.flat for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if handles:
        drawn.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4)
    return drawn


def _panel(axes: Axes, found: pd.DataFrame, title: str, looks: dict[str, dict[str, Any]]) -> None:
    if found["accuracy"].isna().all():
        say_not_run(axes, title)
        return
    for name, series in found.groupby("weights", sort=False):
        ordered = series.sort_values("bytes")
        axes.plot(ordered["bytes"] / 1000, ordered["accuracy"], label=str(name), linewidth=1.2, **looks[str(name)])
    axes.set(xscale="log", ylim=(0, 1.05))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


DRAWING = Drawing(points, draw)
