"""The classical picture: bias squared, variance and risk of polynomials against their degree."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, Drawing, frame, point
from rethinking.results.end_labels import label_ends
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.panels import not_run, panels
from rethinking.results.style import REFERENCE, Look
from rethinking.studies.bias_variance.figures.shared import LOOKS as TERMS
from rethinking.studies.bias_variance.measures import REGRESSION, regression

LOOKS: dict[str, Look] = {
    "bias_squared": TERMS["bias_squared"],
    "variance": TERMS["variance"],
    "noise": REFERENCE | {"label": "noise"},
    "risk": TERMS["risk"],
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
    if points["value"][points["series"].isin(REGRESSION)].isna().all():
        return not_run("Polynomial regression")
    drawn, (axes,), _ = panels(height=3.2)
    for series, look in LOOKS.items():
        draw_curve(axes, matching(points, series=series), "degree", "value", **look)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="Degree of the polynomial", ylabel="Squared error")
    label_ends(axes)
    return drawn


DRAWING = Drawing(points, draw, over="training set")
