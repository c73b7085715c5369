"""Bias squared, variance and risk of networks against their width (Yang et al. 2020)."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import Drawing
from rethinking.results.frame import Results
from rethinking.results.style import BLACK, BLUE, RED
from rethinking.studies.bias_variance.figures.shared import draw_by_width, points_by_width

LOOKS = {
    "bias_squared": {"color": BLUE, "marker": "s", "linestyle": "--", "label": "bias²"},
    "variance": {"color": RED, "marker": "o", "label": "variance"},
    "risk": {"color": BLACK, "marker": "^", "linestyle": ":", "label": "risk"},
}


def points(results: Results) -> pd.DataFrame:
    """Return bias squared, variance and risk by label noise and width."""
    return points_by_width(results, list(LOOKS))


def draw(points: pd.DataFrame) -> Figure:
    """Draw bias squared, variance and risk against width, one panel for each level of label noise."""
    return draw_by_width(points, LOOKS, "Squared error")


DRAWING = Drawing(points, draw)
