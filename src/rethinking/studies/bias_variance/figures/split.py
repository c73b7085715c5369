"""The variance of networks in two parts, against their width (Neal et al. 2018)."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import Drawing
from rethinking.results.frame import Results
from rethinking.studies.bias_variance.figures.shared import draw_by_width, points_by_width

MEASURES = ("variance", "sampling_variance", "optimisation_variance")


def points(results: Results) -> pd.DataFrame:
    """Return the variance and its two parts by label noise and width."""
    return points_by_width(results, MEASURES)


def draw(points: pd.DataFrame) -> Figure:
    """Draw the variance and its two parts against width, one panel for each level of label noise."""
    return draw_by_width(points, MEASURES, "Variance (squared error)")


DRAWING = Drawing(points, draw, over="part")
