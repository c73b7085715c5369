"""Accuracy against the bytes of a network's file: pruned, quantised, and both."""

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, Drawing, frame
from rethinking.results.frame import Results, matching
from rethinking.results.panels import key, not_run, panels, say_not_run
from rethinking.results.scales import kilobytes, per_cent
from rethinking.results.style import BLACK, STRENGTHS, Look
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.quantisation.readings import CORRUPTIONS, MISSING, TRUE, Combination, combinations, rows
from rethinking.studies.quantisation.vocabulary import COMBINED, FLOAT_BITS

DENSE, PRUNED, QUANTISED = "as trained", "pruned", "quantised"

_LOOKS: dict[str, Look] = {
    DENSE: {"color": BLACK, "marker": "*", "markersize": 9.0, "linestyle": "", "zorder": 4},
    PRUNED: {"color": BLACK, "marker": "o", "markerfacecolor": "white", "linestyle": "-"},
    QUANTISED: {"color": BLACK, "marker": "X", "markersize": 5.0, "linestyle": "--", "zorder": 3},
}
"""Networks pruned and quantised look as rising strengths, in the order of the numbers of bits."""

_SMALL: Look = {"linewidth": 1.2, "markersize": 4.0}

_COLUMNS = ["series", "corruption", "split", "weights", "accuracy", "half_width", "seeds", "note"]
"""What is read of points, of which there are none where no network is to be pruned and quantised."""

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
            seeds = rows(results, COMBINED, model=model, corruption=corruption)["seed"].nunique() if found else math.nan
            lines += [
                where
                | {"weights": _title(each), "bits": each.bits, "fraction_left": each.fraction_left, "bytes": each.bytes}
                | {"accuracy": getattr(each, f"{split}_accuracy"), "half_width": math.nan, "seeds": seeds, "note": ""}
                for each in found
            ]
            if not found:
                nothing = dict.fromkeys(("bits", "fraction_left", "bytes", "accuracy", "half_width", "seeds"), math.nan)
                lines.append(where | {"weights": DENSE} | nothing | {"note": MISSING})
    return frame(lines) if lines else pd.DataFrame(columns=_COLUMNS)


def _title(found: Combination) -> str:
    if found.bits == FLOAT_BITS:
        return PRUNED if found.round else DENSE
    return f"pruned, {found.bits} bits" if found.round else QUANTISED


def draw(points: pd.DataFrame) -> Figure:
    """Draw accuracy against bytes: with true labels at the left, with random ones at the right; a row a model."""
    if points["accuracy"].isna().all():
        return not_run("Networks pruned and quantised")
    models = list(points["series"].unique())
    both = [title for title in points["weights"].unique() if title not in _LOOKS]
    looks = _LOOKS | dict(zip(both, STRENGTHS, strict=False))
    made = panels(len(CORRUPTIONS) * len(models), height=2.3)
    places = iter(made.axes)
    for model in models:
        for corruption in CORRUPTIONS:
            axes = next(places)
            _panel(axes, matching(points, series=model, corruption=corruption), model_title(model), looks)
            axes.set_title(f"{model_title(model)},\n{CORRUPTION_TITLES[corruption]}")
            per_cent(axes.yaxis, f"{MEASURES[corruption].capitalize()} accuracy")
    shown = set(points["weights"])
    key(made, [Line2D([], [], label=title, **look) for title, look in looks.items() if title in shown])
    return made.figure


def _panel(axes: Axes, found: pd.DataFrame, title: str, looks: dict[str, Look]) -> None:
    if found["accuracy"].isna().all():
        say_not_run(axes, title)
        return
    for name, series in found.groupby("weights", sort=False):
        draw_curve(axes, series, "bytes", "accuracy", **_SMALL | looks[str(name)])
    # Test accuracy hardly changes: what does change is to be seen.
    low, high = found["accuracy"].min(), found["accuracy"].max()
    margin = 0.06 * (high - low) + 0.003
    axes.set_ylim(low - margin, high + margin)
    kilobytes(axes)


DRAWING = Drawing(points, draw)
