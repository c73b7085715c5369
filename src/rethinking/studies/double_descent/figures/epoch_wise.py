"""Epoch-wise: errors of a wide network along its training on noisy labels."""

import math
from dataclasses import asdict

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.end_labels import label_ends
from rethinking.results.frame import Estimate, Results, estimate, matching
from rethinking.results.panels import not_run, panels
from rethinking.results.scales import EPOCH, per_cent, powers_of_two, written_out
from rethinking.results.style import BLACK, GREEN, Look
from rethinking.results.titles import model_title
from rethinking.studies.double_descent.curves import smoothed
from rethinking.studies.double_descent.design import epoch_wise_networks
from rethinking.studies.double_descent.figures.shared import noise_title
from rethinking.studies.double_descent.measures import MISSING

_LOOKS: dict[str, Look] = {
    "train_error": {"color": GREEN, "linestyle": ":", "label": "train,\nnoisy labels"},
    "test_error": {"color": BLACK, "linewidth": 0.7, "alpha": 0.6},
    "smoothed_test_error": {"color": BLACK, "linewidth": 2.0, "label": "test"},
}


def points(results: Results) -> pd.DataFrame:
    """Return train error, test error and the moving average of the test error by epoch, means over networks."""
    study = results.params.studies.double_descent
    sweep = study.epoch_wise
    model, curves = f"{sweep.model}-k{sweep.width}", _curves(results)
    found: list[Point] = []
    for measure in _LOOKS:
        at = {"width": sweep.width, "label_noise": sweep.label_noise, "networks": sweep.networks, "measure": measure}
        known = curves.get(measure, {})
        for epoch, error in known.items():
            found.append(point(OURS, study.dataset, model, {**at, "epoch": epoch}, error=error))
        if not known:
            found.append(point(OURS, study.dataset, model, at, error=MISSING))
    return frame(found)


def _curves(results: Results) -> dict[str, dict[int, Estimate]]:
    """Return each measure by epoch, estimated over networks; the moving average stands at the middle of its window."""
    window = results.params.studies.double_descent.epoch_wise.window
    networks = [results.history(**asdict(cell)).set_index("epoch") for cell in epoch_wise_networks(results.params)]
    series: dict[str, list[pd.Series]] = {measure: [] for measure in _LOOKS}
    for network in networks:
        test = 1 - network["test_accuracy"]
        series["train_error"].append(1 - network["train_accuracy"])
        series["test_error"].append(test)
        if len(test) >= window:
            middle = test.index[(window - 1) // 2 :][: len(test) - window + 1]
            series["smoothed_test_error"].append(pd.Series(smoothed(test.tolist(), window), index=middle))
    found: dict[str, dict[int, Estimate]] = {}
    for measure, each in series.items():
        by_epoch = pd.concat(each, axis=1) if each else pd.DataFrame()
        values = {int(str(epoch)): estimate(line) for epoch, line in by_epoch.iterrows()}
        found[measure] = {epoch: value for epoch, value in values.items() if value is not None}
    return found


def draw(points: pd.DataFrame) -> Figure:
    """Draw errors against epochs, which stand on a logarithmic axis; the interval is that of the moving average."""
    known, first = matching(points, note=""), points.iloc[0]
    if known.empty:
        return not_run("Training of a wide network")
    drawn, (axes,), _ = panels(height=3.2)
    for measure, look in _LOOKS.items():
        curve = matching(known, measure=measure)
        if measure == "test_error":
            curve = curve.assign(half_width=math.nan)
        draw_curve(axes, curve, "epoch", "error", band=True, **look)
    model, _, _ = str(first["series"]).rpartition("-k")
    axes.set(title=f"{model_title(model)} of width {first['width']}, {noise_title(first['label_noise'])}", xlabel=EPOCH)
    axes.set_ylim(-0.01, 1.05 * float(np.nanmax(known["error"])))
    per_cent(axes.yaxis, "Error")
    written_out(axes, powers_of_two(known["epoch"], most=7))
    axes.set_xlim(right=known["epoch"].max())
    label_ends(axes)
    return drawn


DRAWING = Drawing(points, draw, over="run")
