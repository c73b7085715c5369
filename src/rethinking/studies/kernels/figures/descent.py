"""The way of stochastic gradient descent on fewer equations than unknowns, from zero and from elsewhere."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.panels import key, not_run, panels
from rethinking.results.scales import STEPS
from rethinking.results.style import BLACK, GREEN, GREY, ORANGE, Look
from rethinking.studies.kernels.measures import MISSING, descents

LOOKS: dict[str, Look] = {
    "residual": {"color": GREY, "linestyle": ":", "label": "largest residual of a target"},
    "to_smallest": {"color": BLACK, "linestyle": "-", "label": "to the smallest solution"},
    "to_nearest": {"color": ORANGE, "linestyle": "--", "label": "to the nearest solution"},
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
                found.append(point(OURS, dataset, start, at, value=Estimate(float(row[measure]), None, 1)))
    if not found:
        found = [
            point(OURS, dataset, start, {"step": 0, "measure": measure}, value=MISSING)
            for start in _TITLES
            for measure in LOOKS
        ]
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw a panel for each start, on logarithmic axes; what is zero up to rounding is below them."""
    if points["value"].isna().all():
        return not_run("Descent to an interpolating solution")
    made = panels(2, height=2.9, share=True)
    for axes, (start, title) in zip(made.axes, _TITLES.items(), strict=True):
        chosen = matching(points, series=start, note="")
        for measure, look in LOOKS.items():
            curve = matching(chosen, measure=measure)
            if curve["value"].max() > LEAST:
                axes.plot(curve["step"].clip(lower=0.5), curve["value"], **look)
        axes.set(title=title, xlabel=STEPS, xscale="log", yscale="log", ylim=(LEAST, None))
    made.axes[0].set_ylabel("Distance (smallest norm: 1)")
    key(made, [Line2D([], [], **look) for look in LOOKS.values()])
    return made.figure


LEAST = 1e-9
"""What is smaller is not drawn."""

DRAWING = Drawing(points, draw, over="run")
