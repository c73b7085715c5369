"""Test accuracy of pruned networks that learned true labels."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import Drawing, frame
from rethinking.results.frame import Results, matching
from rethinking.studies.sparsity.curves import METHODS
from rethinking.studies.sparsity.design import models_of
from rethinking.studies.sparsity.figures.methods import LOOKS
from rethinking.studies.sparsity.figures.shared import color, draw_line, finish, network_points, panels, series_of
from rethinking.studies.sparsity.tables import METHOD_TITLES
from rethinking.studies.sparsity.vocabulary import GLOBAL, ONE_SHOT


def points(results: Results) -> pd.DataFrame:
    """Return test accuracy by fraction left, for each way to prune globally; series are models."""
    return frame(
        each
        for model in models_of(results.params, ONE_SHOT)
        for method in METHODS
        for each in network_points(results, method, model, "true", GLOBAL, "test_accuracy")
    )


def draw(points: pd.DataFrame) -> Figure:
    """Draw the upper part of test accuracy against weights left, a panel a model, a line a way to prune."""
    drawn, places = panels(series_of(points))
    whole = points["accuracy"][points["fraction_left"] == 1]
    for model, axes in places.items():
        some = [
            draw_line(axes, matching(points, series=model, method=method), {**look, "color": color("true")})
            for method, look in LOOKS.items()
        ]
        finish(axes, any(some))
        if not whole.empty:
            axes.set_ylim(whole.min() - 0.15, min(1.01, whole.max() + 0.03))
    next(iter(places.values())).set_ylabel("Test accuracy")
    handles = [
        Line2D([], [], color=color("true"), label=f"pruned {METHOD_TITLES[method]}", **look)
        for method, look in LOOKS.items()
    ]
    drawn.legend(handles=handles, loc="outside upper center", ncols=3)
    return drawn


DRAWING = Drawing(points, draw)
