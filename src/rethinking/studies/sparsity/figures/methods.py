"""What training on, at once or in rounds, does for pruned networks."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import Drawing, frame
from rethinking.results.frame import Results, matching
from rethinking.results.style import GREY
from rethinking.results.titles import CORRUPTION_TITLES
from rethinking.studies.sparsity.curves import METHODS
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
from rethinking.studies.sparsity.tables import METHOD_TITLES
from rethinking.studies.sparsity.vocabulary import CORRUPTIONS, GLOBAL, ITERATIVE, ONE_SHOT, RETRAINING

LOOKS: dict[str, Look] = {
    ONE_SHOT: {"linestyle": ":", "marker": ""},
    RETRAINING: {"linestyle": "--", "marker": "^"},
    ITERATIVE: {"linestyle": "-", "marker": "o"},
}


def points(results: Results) -> pd.DataFrame:
    """Return train accuracy by fraction left, for each way to prune globally; series are models."""
    return frame(
        each
        for model in models_of(results.params, ONE_SHOT)
        for corruption in CORRUPTIONS
        for method in METHODS
        for each in network_points(results, method, model, corruption, GLOBAL)
    )


def draw(points: pd.DataFrame) -> Figure:
    """Draw train accuracy against weights left, a panel a model, a line a way to prune."""
    drawn, places = panels(series_of(points))
    corruptions = [str(name) for name in points["corruption"].unique()]
    for model, axes in places.items():
        some = [
            draw_line(
                axes,
                matching(points, series=model, corruption=corruption, method=method),
                {**look, "color": color(corruption)},
            )
            for corruption in corruptions
            for method, look in LOOKS.items()
        ]
        chance(axes)
        finish(axes, any(some))
    next(iter(places.values())).set_ylabel("Train accuracy")
    handles = [Line2D([], [], color=color(name), label=CORRUPTION_TITLES[name]) for name in corruptions]
    handles += [Line2D([], [], color=GREY, label=METHOD_TITLES[method], **look) for method, look in LOOKS.items()]
    drawn.legend(handles=handles, loc="outside upper center", ncols=3)
    return drawn


DRAWING = Drawing(points, draw)
