"""Test error against the norm of the solution of smallest norm, as the width of the kernel varies."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.style import GREY, say_not_run
from rethinking.studies.kernels.figures.shared import look, panels
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
                found.append(point(OURS, system.dataset, system.features, at, error=float(outcome["test_error"])))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw a panel for each data set and a curve for each kind of features; the largest symbols are the study's."""
    datasets = list(points["dataset"].unique())
    drawn, axes = panels(datasets)
    for each, dataset in zip(axes, datasets, strict=True):
        chosen = matching(points, dataset=dataset)
        known = matching(chosen, note="")
        if known.empty:
            say_not_run(each, dataset)
            continue
        for features in chosen["series"].unique():
            ours = matching(known, source=OURS, series=features).sort_values("norm")
            own = ours[ours["own"]]
            style = look(features)
            each.plot(ours["norm"], 100 * ours["error"], **style)
            each.plot(own["norm"], 100 * own["error"], **style | {"markersize": 9, "linestyle": "", "label": None})
            theirs = matching(known, source=PAPER, series=features)
            each.plot(
                theirs["norm"],
                100 * theirs["error"],
                **style | {"markerfacecolor": "none", "markersize": 9, "linestyle": "", "label": None},
            )
        each.set(xscale="log", xlabel="Norm, over all outputs", ylim=(0, None))
        each.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        each.xaxis.set_major_formatter(FuncFormatter(lambda norm, _: f"{norm:,.0f}"))
        each.xaxis.set_minor_locator(NullLocator())
        handles, _ = each.get_legend_handles_labels()
        if not matching(known, source=PAPER).empty:
            handles.append(Line2D([], [], color=GREY, marker="o", markerfacecolor="none", linestyle="", label="paper"))
        each.legend(handles=handles, loc="best")
    axes[0].set_ylabel("Test error, %")
    return drawn


DRAWING = Drawing(points, draw)
