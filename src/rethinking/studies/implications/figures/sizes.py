"""Test accuracy and generalisation gap of all studies' networks against their size on disk."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Results
from rethinking.results.style import BLUE, GREY, ORANGE, RED, figure, say_not_run
from rethinking.studies.implications.sizes import BOTH, DENSE, FORMS, PRUNED, ROUNDED, by_width, compressed

WIDTHS = "trained at this width"
MARKERS = {WIDTHS: ".", DENSE: "*", PRUNED: "v", ROUNDED: "s", BOTH: "D"}
COLOURS = {"true": BLUE, "wrong": ORANGE, "random-labels": RED}
LABELS = {"true": "true labels", "wrong": "some wrong", "random-labels": "random labels"}
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
            place = {key: network[key] for key in ("model", "corruption", "examples", "bytes")}
            yield point(OURS, dataset, network["form"], place | {"measure": measure}, value=float(value))


def draw(points: pd.DataFrame) -> Figure:
    """Draw test accuracy and gap against bytes: colours are labels, signs what was done to the network."""
    drawn, panels = figure(columns=2, height=3.6)
    there = points[points["note"] == ""]
    for axes, (measure, label) in zip(panels, MEASURES.items(), strict=True):
        if there.empty:
            say_not_run(axes, label)
            continue
        _draw_panel(axes, there[there["measure"] == measure])
        axes.set(xscale="log", xlabel="Bytes", ylabel=label, ylim=(-0.05, 1.03))
    if not there.empty:
        _legend(drawn, there)
    return drawn


def _draw_panel(axes: Axes, points: pd.DataFrame) -> None:
    for form in (WIDTHS, *reversed(FORMS)):
        for corruption, own in points[points["series"] == form].groupby("corruption"):
            large = form == DENSE
            size = 9.0 if large else 5.0 if form == WIDTHS else 3.5
            axes.plot(
                own["bytes"],
                own["value"],
                MARKERS[form],
                color=COLOURS[_kind(str(corruption))],
                markersize=size,
                markeredgecolor="black" if large else "none",
                markeredgewidth=0.6,
                alpha=1.0 if large else 0.6,
                zorder=4 if large else 2,
            )


def _kind(corruption: str) -> str:
    return corruption if corruption in ("true", "random-labels") else "wrong"


def _legend(drawn: Figure, points: pd.DataFrame) -> None:
    kinds = {_kind(str(corruption)) for corruption in points["corruption"]}
    handles = [
        *(
            Line2D([], [], color=colour, marker="o", linestyle="", label=LABELS[kind])
            for kind, colour in COLOURS.items()
            if kind in kinds
        ),
        *(
            Line2D([], [], color=GREY, marker=marker, linestyle="", label=form)
            for form, marker in MARKERS.items()
            if form in set(points["series"])
        ),
    ]
    drawn.legend(handles=handles, loc="outside upper center", ncols=4)


DRAWING = Drawing(points, draw)
