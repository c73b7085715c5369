"""Bias squared, variance and risk of networks against their width (Yang et al. 2020)."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import Drawing
from rethinking.results.frame import Results
from rethinking.studies.bias_variance.figures.shared import draw_by_width, points_by_width

MEASURES = ("bias_squared", "variance", "risk")


def points(results: Results) -> pd.DataFrame:
    """Return bias squared, variance and risk by label noise and width."""
    return points_by_width(results, MEASURES)


def draw(points: pd.DataFrame) -> Figure:
    """Draw bias squared, variance and risk against width, one panel for each level of label noise."""
    return draw_by_width(points, MEASURES, "Squared error")


DRAWING = Drawing(points, draw, over="part")
