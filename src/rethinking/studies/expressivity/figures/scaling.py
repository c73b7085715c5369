"""Time and error of representing random labels, by the number of examples."""

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.style import BLUE, GREEN, GREY, ORANGE, RED, figure, say_not_run
from rethinking.studies.expressivity.measures import MISSING, scaling
from rethinking.studies.expressivity.vocabulary import ALTERNATING, MATRIX, MIDWAY, PIXELS, WHITENED

PROJECT, FIND, SOLVE = "project and sort", "find weights and evaluate", "solve as a matrix"
_TIMES: dict[str, dict[str, Any]] = {
    PROJECT: {"color": GREY, "marker": "s", "linestyle": ":"},
    FIND: {"color": BLUE, "marker": "o", "linestyle": "-"},
    SOLVE: {"color": RED, "marker": "^", "linestyle": "--"},
}
_ERRORS: dict[str, dict[str, Any]] = {
    f"{PIXELS}, {ALTERNATING}": {"color": BLUE, "marker": "o", "linestyle": "-"},
    f"{PIXELS}, {MIDWAY}": {"color": GREEN, "marker": "D", "linestyle": "-."},
    f"{WHITENED}, {ALTERNATING}": {"color": ORANGE, "marker": "v", "linestyle": "--"},
    f"{WHITENED}, {MIDWAY}": {"color": RED, "marker": "^", "linestyle": ":"},
}


def points(results: Results) -> pd.DataFrame:
    """Return seconds and largest error by number of examples, of the first data set."""
    dataset = results.params.studies.expressivity.datasets[0]
    found = scaling(results)
    if found.empty:
        return frame([point(OURS, dataset, FIND, {"measure": "seconds"}, value=MISSING)])
    made: list[Point] = []
    for row in matching(found, dataset=dataset).to_dict("records"):
        at = {"examples": row["examples"], "values": row["values"]}
        kind = f"{row['inputs']}, {row['thresholds']}"
        if row["solver"] == MATRIX:
            made.append(point(OURS, dataset, SOLVE, at | {"measure": "seconds"}, value=row["seconds_solve"]))
            continue
        made.append(point(OURS, dataset, kind, at | {"measure": "error"}, value=row["largest_error"]))
        if (row["inputs"], row["thresholds"]) == (PIXELS, ALTERNATING):
            find = row["seconds_solve"] + row["seconds_evaluate"]
            made.append(point(OURS, dataset, PROJECT, at | {"measure": "seconds"}, value=row["seconds_project"]))
            made.append(point(OURS, dataset, FIND, at | {"measure": "seconds"}, value=find))
    return frame(made)


def draw(points: pd.DataFrame) -> Figure:
    """Draw seconds on the left, with a line of n log n through the last point, and errors on the right."""
    drawn, (left, right) = figure(columns=2, height=3.1)
    known = points[points["note"] == ""]
    if known.empty:
        for axes in (left, right):
            say_not_run(axes, "Theorem 1")
        return drawn
    times = _plot(left, known[known["measure"] == "seconds"], _TIMES)
    ours = matching(times, series=FIND).sort_values("examples")
    last = ours.iloc[-1]
    scale = float(last["value"]) / (last["examples"] * math.log2(last["examples"]))
    left.plot(
        ours["examples"],
        [scale * n * math.log2(n) for n in ours["examples"]],
        color=BLUE,
        linewidth=5,
        alpha=0.2,
        label="∝ n log n",
    )
    left.set_yscale("log")
    left.set_ylabel("Seconds")
    errors = _plot(right, known[known["measure"] == "error"], _ERRORS)
    # Zero has no place on a logarithmic axis, and is a result.
    least = errors["value"][errors["value"] > 0].min()
    first = math.floor(math.log10(least)) if least > 0 else -12
    right.set_yscale("symlog", linthresh=10**first)
    right.set_yticks([0, *(10.0**power for power in range(first, 4, 3))])
    right.minorticks_off()
    right.set_ylim(bottom=0)
    right.axhline(0.5, color=GREY, linestyle=":", linewidth=1)
    right.set_ylabel("Largest error, in labels")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlabel("Examples n")
        axes.legend(loc="upper left", fontsize=7)
    left.set_ylim(top=left.get_ylim()[1] * 30)
    right.set_ylim(top=1e5)
    return drawn


def _plot(axes: Axes, known: pd.DataFrame, looks: dict[str, dict[str, Any]]) -> pd.DataFrame:
    for name, look in looks.items():
        curve = matching(known, series=name).sort_values("examples")
        if not curve.empty:
            axes.plot(curve["examples"], curve["value"], label=name, markersize=3.5, clip_on=False, **look)
    return known


DRAWING = Drawing(points, draw)
