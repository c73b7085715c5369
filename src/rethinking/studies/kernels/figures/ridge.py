"""Test error against the ridge penalty, and without one."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.panels import key, label_left, not_run
from rethinking.results.scales import per_cent
from rethinking.results.style import GREY
from rethinking.studies.kernels.figures.shared import PAPERS, look, panels_by_dataset
from rethinking.studies.kernels.measures import MISSING, Outcome, published, ridge, smallest_norm, systems


def points(results: Results) -> pd.DataFrame:
    """Return test errors by data set, features and penalty (0: the smallest norm); and the paper's without one."""
    found: list[Point] = []
    for system in systems(results.params):
        theirs = published(system)
        if theirs:
            at = {"filters": system.filters, "penalty": 0.0}
            found.append(point(PAPER, system.dataset, system.features, at, error=theirs.test_error))
        free = smallest_norm(results, system)
        known = {float(each["penalty"]): _once(each) for each in ridge(results, system)}
        if free is not None:
            known[0.0] = _once(free)
        for penalty in (0.0, *system.penalties):
            at = {"filters": system.filters, "penalty": penalty}
            found.append(point(OURS, system.dataset, system.features, at, error=known.get(penalty, MISSING)))
    return frame(found)


def _once(outcome: Outcome) -> Estimate:
    return Estimate(float(outcome["test_error"]), None, 1)


def draw(points: pd.DataFrame) -> Figure:
    """Draw a panel for each data set; without a penalty stands to the left of all, since its logarithm has no place."""
    if matching(points, source=OURS)["error"].isna().all():
        return not_run("Ridge regression")
    made, panels = panels_by_dataset(points)
    shown: dict[str, Line2D] = {}
    for axes, there in panels:
        ours, theirs = (matching(there, source=source) for source in (OURS, PAPER))
        known = matching(ours, note="")
        penalties = sorted(ours["penalty"].unique())
        places = {penalty: number for number, penalty in enumerate(penalties)}
        for features, curves in known.groupby("series", sort=False):
            numbers = sorted(curves["filters"].dropna().unique())
            for filters in numbers or [None]:
                curve = curves if filters is None else matching(curves, filters=filters)
                style = look(str(features), filters, numbers)
                draw_curve(axes, curve.assign(place=curve["penalty"].map(places)), "place", "error", **style)
                shown[style["label"]] = Line2D([], [], **style)
        for each in theirs.to_dict("records"):
            style = look(str(each["series"]))
            axes.plot(-0.35, each["error"], **style | PAPERS, clip_on=False)
            shown.setdefault(style["label"], Line2D([], [], **style))
        names = ["none", *(f"{penalty:g}" for penalty in penalties[1:])]
        step = len(panels)  # every other one where panels are half as wide
        axes.set_xticks(list(places.values())[::step], names[::step])
        axes.set(xlabel="Ridge penalty", ylim=(0, None))
        per_cent(axes.yaxis, "Test error")
    label_left(made)
    if PAPER in set(points["source"]):
        shown["paper"] = Line2D([], [], color=GREY, marker="o", **PAPERS | {"label": "paper"})
    key(made, list(shown.values()))
    return made.figure


DRAWING = Drawing(points, draw, over="run")
