"""Time and error of representing random labels, by the number of examples."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.panels import key, not_run, panels
from rethinking.results.scales import TRAINING_EXAMPLES
from rethinking.results.style import BLACK, GREY, ORANGE, PUBLISHED, PURPLE, REFERENCE, Look
from rethinking.studies.expressivity.measures import MISSING, scaling
from rethinking.studies.expressivity.vocabulary import ALTERNATING, MATRIX, MIDWAY, PIXELS, WHITENED

PROJECT, FIND, SOLVE = "project and sort", "find weights and evaluate", "solve as a matrix"
_TIMES: dict[str, Look] = {
    PROJECT: {"color": GREY, "marker": "s", "linestyle": ":"},
    FIND: {"color": BLACK, "marker": "o", "linestyle": "-"},
    SOLVE: {"color": ORANGE, "marker": "*", "linestyle": "--", "markersize": 7.0},
}
_PROPORTIONAL: Look = PUBLISHED | {"label": "∝ n log n"}
_ERRORS: dict[str, Look] = {
    f"{inputs}, {thresholds}": shape | {"color": color, "markerfacecolor": fill}
    for inputs, color, shape in (
        (PIXELS, BLACK, {"marker": "D", "linestyle": "-"}),
        (WHITENED, PURPLE, {"marker": "^", "linestyle": "--"}),
    )
    for thresholds, fill in ((ALTERNATING, color), (MIDWAY, "white"))
}
"""Colour, shape and dash say what is projected, open markers that thresholds lie midway."""


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
            made.append(point(OURS, dataset, SOLVE, at | {"measure": "seconds"}, value=_once(row["seconds_solve"])))
            continue
        made.append(point(OURS, dataset, kind, at | {"measure": "error"}, value=_once(row["largest_error"])))
        if (row["inputs"], row["thresholds"]) == (PIXELS, ALTERNATING):
            find = row["seconds_solve"] + row["seconds_evaluate"]
            made.append(point(OURS, dataset, PROJECT, at | {"measure": "seconds"}, value=_once(row["seconds_project"])))
            made.append(point(OURS, dataset, FIND, at | {"measure": "seconds"}, value=_once(find)))
    return frame(made)


def _once(value: float) -> Estimate:
    return Estimate(value, None, 1)


def draw(points: pd.DataFrame) -> Figure:
    """Draw seconds at the left, with a line of n log n through the last point, and errors at the right."""
    known = points[points["note"] == ""]
    if known.empty:
        return not_run("Theorem 1")
    made = panels(2, height=2.7)
    left, right = made.axes
    times, errors = (matching(known, measure=measure) for measure in ("seconds", "error"))
    ours = matching(times, series=FIND).sort_values("examples")
    last = ours.iloc[-1]
    scale = float(last["value"]) / (last["examples"] * math.log2(last["examples"]))
    left.plot(ours["examples"], [scale * n * math.log2(n) for n in ours["examples"]], **_PROPORTIONAL)
    _plot(left, times, _TIMES)
    left.set_yscale("log")
    left.set(title="Time", ylabel="Seconds")
    _plot(right, errors, _ERRORS)
    # Zero has no place on a logarithmic axis, and is a result.
    least = errors["value"][errors["value"] > 0].min()
    first = math.floor(math.log10(least)) if least > 0 else -12
    right.set_yscale("symlog", linthresh=10**first)
    right.set_yticks([0, *(10.0**power for power in range(first, 1, 3))])
    right.minorticks_off()
    right.set_ylim(0, 10)
    right.axhline(0.5, **REFERENCE)
    right.set(title="Error", ylabel="Largest error (labels)")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlabel(TRAINING_EXAMPLES)
    shown = set(known["series"])
    keys = [
        [Line2D([], [], label=name, **look) for name, look in looks.items() if name in shown]
        for looks in (_TIMES, _ERRORS)
    ]
    key(made, [*keys[0], Line2D([], [], **_PROPORTIONAL), *keys[1]])
    return made.figure


def _plot(axes: Axes, known: pd.DataFrame, looks: dict[str, Look]) -> None:
    for name, look in looks.items():
        draw_curve(axes, matching(known, series=name), "examples", "value", clip_on=False, **look)


DRAWING = Drawing(points, draw, over="run")
