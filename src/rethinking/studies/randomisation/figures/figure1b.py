"""Figure 1b: time to overfit against label corruption."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import Drawing
from rethinking.results.frame import Results
from rethinking.results.panels import label_left
from rethinking.studies.randomisation.figures.shared import draw_sweep, sweep, sweep_points
from rethinking.studies.randomisation.measures import published_sweep, relative_overfit


def points(results: Results) -> pd.DataFrame:
    """Return the time to overfit relative to true labels, by label corruption; series are models."""
    measure = "relative_time_to_overfit"
    ours = {key: relative_overfit(results, *key) for key in sweep(results)}
    return sweep_points(results, measure, published_sweep("figure1b", measure), ours)


def draw(points: pd.DataFrame) -> Figure:
    """Draw the time to overfit, relative to true labels, against label corruption."""
    made = draw_sweep(points, "relative_time_to_overfit")
    for axes in made.axes:
        axes.set_ylabel("Time to overfit\n(true labels: 1)")
    label_left(made)
    return made.figure


DRAWING = Drawing(points, draw)
