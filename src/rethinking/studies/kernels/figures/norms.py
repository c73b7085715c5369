"""Test error against the norm of the solution of smallest norm, as the width of the kernel varies."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.panels import key, label_left, not_run
from rethinking.results.scales import per_cent, plain_numbers
from rethinking.results.style import GREY
from rethinking.studies.kernels.figures.shared import PAPERS, look, panels_by_dataset
from rethinking.studies.kernels.measures import MISSING, published, smallest_norms, systems


def points(results: Results) -> pd.DataFrame:
    """Return test errors and norms over all outputs by data set, features and gamma; and the paper's."""
    found: list[Point] = []
    for system in systems(results.params):
        theirs = published(system)
        if theirs and theirs.norm is not None:
            at = {"gamma": None, "filters": None, "own": True, "norm": theirs.norm}
            found.append(point(PAPER, system.dataset, system.features, at, error=theirs.test_error))
        for gamma, outcome in smallest_norms(results, system):
            at = {"gamma": gamma, "filters": system.filters, "own": gamma is not None and gamma == system.gamma}
            if outcome is None:
                found.append(point(OURS, system.dataset, system.features, at | {"norm": None}, error=MISSING))
            else:
                at |= {"norm": float(outcome["norm"])}
                found.append(
                    point(
                        OURS, system.dataset, system.features, at, error=Estimate(float(outcome["test_error"]), None, 1)
                    )
                )
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw a panel for each data set and a curve for each kind of features; the largest symbols are the study's."""
    if matching(points, source=OURS)["error"].isna().all():
        return not_run("Interpolation")
    made, places = panels_by_dataset(points)
    for axes, there in places:
        known = matching(there, note="")
        for features in known["series"].unique():
            ours, theirs = (matching(known, source=source, series=features) for source in (OURS, PAPER))
            draw_curve(axes, ours, "norm", "error", **look(features))
            draw_curve(
                axes, ours[ours["own"]], "norm", "error", **look(features) | {"markersize": 9.0, "linestyle": ""}
            )
            draw_curve(axes, theirs, "norm", "error", **look(features) | PAPERS)
        # Room for two numbers on the axis, however near to one another norms are.
        axes.set(xscale="log", xlim=(known["norm"].min() / 1.6, 1.6 * known["norm"].max()), ylim=(0, None))
        axes.set_xlabel("Norm over all outputs")
        plain_numbers(axes.xaxis)
        per_cent(axes.yaxis, "Test error")
    label_left(made)
    handles = [Line2D([], [], **look(features)) for features in points["series"].unique()]
    if PAPER in set(points["source"]):
        handles.append(Line2D([], [], color=GREY, marker="o", **PAPERS | {"label": "paper"}))
    key(made, handles)
    return made.figure


DRAWING = Drawing(points, draw, over="run")
