"""The classical picture: bias squared, variance and risk of polynomials against their degree."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rethinking.results.drawing import OURS, Drawing, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.style import BLACK, BLUE, GREY, RED, figure, say_not_run
from rethinking.studies.bias_variance.measures import regression

LOOKS: dict[str, dict[str, Any]] = {
    "bias_squared": {"color": BLUE, "marker": "s", "linestyle": "--", "label": "bias²"},
    "variance": {"color": RED, "marker": "o", "label": "variance"},
    "noise": {"color": GREY, "linestyle": (0, (1, 1)), "label": "noise"},
    "risk": {"color": BLACK, "marker": "^", "linestyle": ":", "label": "risk"},
}


def points(results: Results) -> pd.DataFrame:
    """Return bias squared, variance, noise and risk by degree."""
    study = results.params.studies.bias_variance.regression
    curves: dict[str, Mapping[int, Estimate | str | float]] = {
        **regression(results),
        "noise": dict.fromkeys(study.degrees, study.noise**2),
    }
    return frame(
        point(OURS, "sinusoid", series, {"degree": degree}, value=value)
        for series in LOOKS
        for degree, value in curves[series].items()
    )


def draw(points: pd.DataFrame) -> Figure:
    """Draw bias squared, variance, noise and risk against degree."""
    drawn, (axes,) = figure(height=3.2)
    measured = points[points["series"] != "noise"]
    if measured["value"].isna().all():
        say_not_run(axes, "Polynomial regression")
        return drawn
    for series, look in LOOKS.items():
        found = matching(points, series=series)
        axes.errorbar(found["degree"], found["value"], yerr=found["half_width"].fillna(0.0), capsize=2, **look)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="Degree of the polynomial", ylabel="Squared error")
    axes.legend(loc="best", ncols=2)
    return drawn


DRAWING = Drawing(points, draw)
