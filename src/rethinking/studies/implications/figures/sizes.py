"""Test accuracy and generalisation gap of all studies' networks against their size on disk."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.panels import Panels, key, not_run, panels
from rethinking.results.scales import kilobytes, per_cent
from rethinking.results.style import BLACK, GREY, LABELS, Look
from rethinking.studies.implications.sizes import BOTH, DENSE, FORMS, PRUNED, ROUNDED, by_width, compressed

WIDTHS = "trained at this width"
SHAPES: dict[str, Look] = {
    DENSE: {"marker": "*", "markersize": 10.0, "markeredgecolor": BLACK, "zorder": 4},
    PRUNED: {"marker": "v", "markersize": 4.0},
    ROUNDED: {"marker": "s", "markersize": 3.5},
    BOTH: {"marker": "D", "markersize": 3.5},
    WIDTHS: {"marker": "o", "markersize": 3.0},
}
TITLES = {"true": "true labels", "random-labels": "random labels", "wrong": "some labels wrong"}
MEASURES = {"test_accuracy": "Test accuracy", "gap": "Train minus test accuracy"}


def points(results: Results) -> pd.DataFrame:
    """Return test accuracy and gap by bytes; series are what was done to a network, `model` which network it was."""
    dataset = results.params.studies.randomisation.dataset
    found = list(_points(results, dataset))
    nothing = {"model": "", "corruption": "", "examples": None, "bytes": None, "measure": "test_accuracy"}
    return frame(found or [point(OURS, dataset, DENSE, nothing, value="not run")])


def _points(results: Results, dataset: str) -> Iterator[Point]:
    networks = [
        compressed(results).assign(examples=None),
        by_width(results).assign(form=WIDTHS),
    ]
    for network in pd.concat([each for each in networks if not each.empty] or networks).to_dict("records"):
        gap = network["train_accuracy"] - network["test_accuracy"]
        for measure, value in (("test_accuracy", network["test_accuracy"]), ("gap", gap)):
            mean = Estimate(float(value), None, int(network["networks"]))
            place = {key: network[key] for key in ("model", "corruption", "examples", "bytes")}
            yield point(OURS, dataset, network["form"], place | {"measure": measure}, value=mean)


def draw(points: pd.DataFrame) -> Figure:
    """Draw test accuracy and gap against bytes: colours and fills are labels, shapes what was done to the network."""
    there = points[points["note"] == ""]
    if there.empty:
        return not_run("Networks of all studies")
    made = panels(2, height=3.3)
    for axes, (measure, label) in zip(made.axes, MEASURES.items(), strict=True):
        _draw_panel(axes, matching(there, measure=measure))
        axes.set_ylim(-0.05, 1.03)
        kilobytes(axes)
        per_cent(axes.yaxis, label)
    _key(made, there)
    return made.figure


def _draw_panel(axes: Axes, points: pd.DataFrame) -> None:
    for form in (WIDTHS, *reversed(FORMS)):
        for corruption, own in points[points["series"] == form].groupby("corruption"):
            look = LABELS[_kind(str(corruption))] | SHAPES[form]
            axes.plot(own["bytes"], own["value"], linestyle="", markeredgewidth=0.7, **look)


def _kind(corruption: str) -> str:
    return corruption if corruption in ("true", "random-labels") else "wrong"


def _key(made: Panels, points: pd.DataFrame) -> None:
    kinds = {_kind(str(corruption)) for corruption in points["corruption"]}
    key(
        made,
        [
            *(
                Line2D([], [], marker="o", linestyle="", label=TITLES[kind], **look)
                for kind, look in LABELS.items()
                if kind in kinds
            ),
            *(
                Line2D([], [], color=GREY, linestyle="", label=form, **shape)
                for form, shape in SHAPES.items()
                if form in set(points["series"])
            ),
        ],
    )


DRAWING = Drawing(points, draw, over="network")
