"""The variance of networks in two parts, against their width (Neal et al. 2018)."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import Drawing
from rethinking.results.frame import Results
from rethinking.results.style import GREEN, GREY, PURPLE
from rethinking.studies.bias_variance.figures.shared import draw_by_width, points_by_width

LOOKS = {
    "variance": {"color": GREY, "marker": "o", "linestyle": ":", "label": "variance"},
    "sampling_variance": {"color": GREEN, "marker": "D", "label": "of it: sampling"},
    "optimisation_variance": {"color": PURPLE, "marker": "v", "linestyle": "--", "label": "of it: optimisation"},
}


def points(results: Results) -> pd.DataFrame:
    """Return the variance and its two parts by label noise and width."""
    return points_by_width(results, list(LOOKS))


def draw(points: pd.DataFrame) -> Figure:
    """Draw the variance and its two parts against width, one panel for each level of label noise."""
    return draw_by_width(points, LOOKS, "Variance")


DRAWING = Drawing(points, draw)
