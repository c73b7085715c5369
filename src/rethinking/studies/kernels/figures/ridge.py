"""Test error against the ridge penalty, and without one."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.style import GREY, say_not_run
from rethinking.studies.kernels.figures.shared import look, panels
from rethinking.studies.kernels.measures import MISSING, published, ridge, smallest_norm, systems


def points(results: Results) -> pd.DataFrame:
    """Return test errors by data set, features and penalty (0: the smallest norm); and the paper's without one."""
    found: list[Point] = []
    for system in systems(results.params):
        theirs = published(system)
        if theirs:
            at = {"filters": system.filters, "penalty": 0.0}
            found.append(point(PAPER, system.dataset, system.features, at, error=theirs.test_error))
        free = smallest_norm(results, system)
        known = {float(each["penalty"]): float(each["test_error"]) for each in ridge(results, system)}
        if free is not None:
            known[0.0] = float(free["test_error"])
        for penalty in (0.0, *system.penalties):
            at = {"filters": system.filters, "penalty": penalty}
            found.append(point(OURS, system.dataset, system.features, at, error=known.get(penalty, MISSING)))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw a panel for each data set; without a penalty stands to the left of all, since its logarithm has no place."""
    datasets = list(points["dataset"].unique())
    drawn, axes = panels(datasets)
    for each, dataset in zip(axes, datasets, strict=True):
        ours = matching(points, dataset=dataset, source=OURS)
        known = matching(ours, note="")
        if known.empty:
            say_not_run(each, dataset)
            continue
        penalties = sorted(ours["penalty"].unique())
        places = {penalty: number for number, penalty in enumerate(penalties)}
        for features in known["series"].unique():
            numbers = matching(known, series=features)["filters"]
            for filters in sorted(numbers.dropna().unique()) or [None]:
                curve = matching(known, series=features)
                curve = curve if filters is None else matching(curve, filters=filters)
                style = look(features)
                if filters is not None:
                    shown = [*sorted(numbers.dropna().unique())]
                    style |= {
                        "label": f"{filters:,.0f} {style['label']}",
                        "alpha": (shown.index(filters) + 1) / len(shown),
                    }
                each.plot(curve["penalty"].map(places), 100 * curve["error"], **style)
        each.set_xticks(list(places.values()), ["none", *(f"{penalty:g}" for penalty in penalties[1:])])
        each.set(xlabel="Ridge penalty", ylim=(0, None))
        each.legend(loc="best")
        for error in matching(points, dataset=dataset, source=PAPER)["error"]:
            each.plot([-0.35], [100 * error], marker=">", color=GREY, linestyle="", markersize=6, clip_on=False)
    axes[0].set_ylabel("Test error, %")
    return drawn


DRAWING = Drawing(points, draw)
