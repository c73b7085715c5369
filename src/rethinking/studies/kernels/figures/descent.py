"""The way of stochastic gradient descent on fewer equations than unknowns, from zero and from elsewhere."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.style import BLUE, GREEN, GREY, RED, figure, say_not_run
from rethinking.studies.kernels.measures import MISSING, descents

LOOKS: dict[str, dict[str, Any]] = {
    "residual": {"color": GREY, "linestyle": ":", "label": "largest residual of a target"},
    "to_smallest": {"color": RED, "linestyle": "-", "label": "to the smallest solution"},
    "to_nearest": {"color": BLUE, "linestyle": "--", "label": "to the nearest solution"},
    "outside_span": {"color": GREEN, "linestyle": "-.", "label": "part outside the span"},
}
_TITLES = {"zero": "Started at zero", "elsewhere": "Started elsewhere"}


def points(results: Results) -> pd.DataFrame:
    """Return residuals and distances by start and step; the series is the start."""
    dataset = results.params.studies.kernels.descent.dataset
    found: list[Point] = []
    for start, curve in descents(results):
        for row in curve.to_dict("records"):
            for measure in LOOKS:
                at = {"step": int(row["step"]), "measure": measure}
                found.append(point(OURS, dataset, start, at, value=float(row[measure])))
    if not found:
        found = [
            point(OURS, dataset, start, {"step": 0, "measure": measure}, value=MISSING)
            for start in _TITLES
            for measure in LOOKS
        ]
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw a panel for each start, on logarithmic axes; what is zero up to rounding is below them."""
    drawn, panels = figure(columns=2, height=3.2)
    for axes, (start, title) in zip(panels, _TITLES.items(), strict=True):
        chosen = matching(points, series=start, note="")
        if chosen.empty:
            say_not_run(axes, title)
            continue
        for measure, style in LOOKS.items():
            curve = matching(chosen, measure=measure)
            if curve["value"].max() > LEAST:
                axes.plot(curve["step"].clip(lower=0.5), curve["value"], **style)
        axes.set(title=title, xlabel="Steps", xscale="log", yscale="log", ylim=(LEAST, None))
        axes.legend(loc="lower left")
    panels[0].set_ylabel("Distance (the smallest norm is 1)")
    return drawn


LEAST = 1e-9
"""What is smaller is not drawn."""

DRAWING = Drawing(points, draw)
