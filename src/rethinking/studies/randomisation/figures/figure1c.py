"""Figure 1c: test error against label corruption."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import Drawing
from rethinking.results.frame import Results
from rethinking.results.style import GREY
from rethinking.studies.randomisation.figures.shared import CHANCE_ERROR, draw_sweep, sweep, sweep_points
from rethinking.studies.randomisation.measures import error, published_sweep


def points(results: Results) -> pd.DataFrame:
    """Return the test error at the end of training, by label corruption; series are models."""
    ours = {key: error(results, *key) for key in sweep(results)}
    return sweep_points(results, "test_error", published_sweep("figure1c", "test_error"), ours)


def draw(points: pd.DataFrame) -> Figure:
    """Draw the test error at the end of training against label corruption."""
    drawn = draw_sweep(points, "test_error", "Test error")
    for axes in drawn.axes:
        if axes.axison:
            axes.axhline(CHANCE_ERROR, color=GREY, linestyle=":", linewidth=1)
            axes.set_ylim(0, 1)
    return drawn


DRAWING = Drawing(points, draw)
