"""Epoch-wise: errors of a wide network along its training on noisy labels."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.style import BLUE, RED, figure, say_not_run
from rethinking.results.titles import model_title
from rethinking.studies.double_descent.figures.shared import logarithmic, powers_of_two
from rethinking.studies.double_descent.measures import MISSING, epoch_curve

_LOOKS: dict[str, dict[str, Any]] = {
    "train_error": {"color": BLUE, "linestyle": ":", "label": "train, noisy labels"},
    "test_error": {"color": RED, "alpha": 0.35, "linewidth": 0.9, "label": "test"},
    "smoothed_test_error": {"color": RED, "linewidth": 2.0, "label": "test, moving average"},
}


def points(results: Results) -> pd.DataFrame:
    """Return train error, test error and the moving average of the test error by epoch, means over networks."""
    study = results.params.studies.double_descent
    sweep, curve = study.epoch_wise, epoch_curve(results)
    model = f"{sweep.model}-k{sweep.width}"
    found: list[Point] = []
    for measure in _LOOKS:
        at = {"width": sweep.width, "label_noise": sweep.label_noise, "networks": sweep.networks, "measure": measure}
        known = curve.dropna(subset=[measure])
        for epoch, error in zip(known["epoch"], known[measure], strict=True):
            found.append(point(OURS, study.dataset, model, {**at, "epoch": epoch}, error=float(error)))
        if known.empty:
            found.append(point(OURS, study.dataset, model, at, error=MISSING))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw errors against epochs, which stand on a logarithmic axis."""
    drawn, (axes,) = figure(height=3.0)
    known = matching(points, note="")
    first = points.iloc[0]
    if known.empty:
        say_not_run(axes, "Training of a wide network")
        return drawn
    for measure, look in _LOOKS.items():
        curve = matching(known, measure=measure)
        axes.plot(curve["epoch"], curve["error"], **look)
    model, _, _ = str(first["series"]).rpartition("-k")
    axes.set(
        title=f"{model_title(model)} of width {first['width']}, {100 * first['label_noise']:.0f} % label noise",
        xlabel="Epoch",
        ylabel="Error",
        ylim=(-0.02, None),
    )
    logarithmic(axes, powers_of_two(known["epoch"]))
    axes.legend(loc="upper right")
    return drawn


DRAWING = Drawing(points, draw)
