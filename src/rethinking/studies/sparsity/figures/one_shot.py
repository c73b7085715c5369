"""Pruning at once, without training on: true against random labels, one threshold against one a layer."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import Drawing, frame
from rethinking.results.frame import Results, matching
from rethinking.results.style import GREY
from rethinking.results.titles import CORRUPTION_TITLES
from rethinking.studies.sparsity.design import models_of
from rethinking.studies.sparsity.figures.shared import (
    Look,
    chance,
    color,
    draw_line,
    finish,
    network_points,
    panels,
    series_of,
)
from rethinking.studies.sparsity.vocabulary import CORRUPTIONS, GLOBAL, LAYER_WISE, ONE_SHOT

LOOKS: dict[str, Look] = {GLOBAL: {"marker": "o"}, LAYER_WISE: {"marker": "x", "linestyle": ":"}}


def points(results: Results) -> pd.DataFrame:
    """Return train accuracy by fraction left; series are models."""
    return frame(
        each
        for model in models_of(results.params, ONE_SHOT)
        for corruption in CORRUPTIONS
        for scope in (GLOBAL, LAYER_WISE)
        for each in network_points(results, ONE_SHOT, model, corruption, scope)
    )


def draw(points: pd.DataFrame) -> Figure:
    """Draw train accuracy against weights left, a panel a model."""
    drawn, places = panels(series_of(points))
    for model, axes in places.items():
        some = [
            draw_line(
                axes,
                matching(points, series=model, corruption=corruption, scope=scope),
                {**look, "color": color(corruption)},
            )
            for corruption in CORRUPTIONS
            for scope, look in LOOKS.items()
        ]
        chance(axes)
        finish(axes, any(some))
    next(iter(places.values())).set_ylabel("Train accuracy")
    handles = [Line2D([], [], color=color(name), label=CORRUPTION_TITLES[name]) for name in CORRUPTIONS]
    handles += [
        Line2D([], [], color=GREY, **LOOKS[GLOBAL], label="one threshold (global)"),
        Line2D([], [], color=GREY, **LOOKS[LAYER_WISE], label="one a layer (layer-wise)"),
    ]
    drawn.legend(handles=handles, loc="outside upper center", ncols=4)
    return drawn


DRAWING = Drawing(points, draw)
