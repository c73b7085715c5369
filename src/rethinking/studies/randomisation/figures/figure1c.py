"""Figure 1c: test error against label corruption."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import Drawing
from rethinking.results.frame import Results
from rethinking.results.panels import label_left
from rethinking.results.scales import per_cent
from rethinking.results.style import REFERENCE
from rethinking.studies.randomisation.figures.shared import CHANCE_ERROR, draw_sweep, sweep, sweep_points
from rethinking.studies.randomisation.measures import error, published_sweep


def points(results: Results) -> pd.DataFrame:
    """Return the test error at the end of training, by label corruption; series are models."""
    ours = {key: error(results, *key) for key in sweep(results)}
    return sweep_points(results, "test_error", published_sweep("figure1c", "test_error"), ours)


def draw(points: pd.DataFrame) -> Figure:
    """Draw the test error at the end of training against label corruption."""
    made = draw_sweep(points, "test_error")
    for axes in made.axes:
        axes.axhline(CHANCE_ERROR, **REFERENCE)
        axes.set_ylim(0, 1)
        per_cent(axes.yaxis, "Test error")
    label_left(made)
    return made.figure


DRAWING = Drawing(points, draw)
