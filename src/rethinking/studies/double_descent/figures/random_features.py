"""Random features: test error and norm of the weights against the number of features, with and without ridge."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.style import BLACK, BLUE, COLUMN_WIDTH, GREEN, GREY, ORANGE, PURPLE, say_not_run
from rethinking.studies.double_descent.measures import MISSING, feature_curve

_COLOURS = (BLUE, GREEN, ORANGE, PURPLE)
_MEASURES = {"test_error": "Test error", "test_squared_error": "Squared test error", "norm": "Norm of the weights"}


def points(results: Results) -> pd.DataFrame:
    """Return test errors and norm by label noise, ridge penalty (0: none) and number of features."""
    study = results.params.studies.double_descent.random_features
    found: list[Point] = []
    for noise in study.label_noise:
        for penalty in (0.0, *study.penalties):
            for measure in _MEASURES:
                curve = feature_curve(results, noise, penalty, measure)
                for features in study.features:
                    at = {
                        "label_noise": noise,
                        "penalty": penalty,
                        "examples": study.examples,
                        "features": features,
                        "measure": measure,
                    }
                    value: Estimate | str = curve.get(features, MISSING)
                    found.append(point(OURS, study.dataset, "random-features", at, value=value))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw errors and norm against the number of features, a column for each label noise."""
    noises, examples = list(points["label_noise"].unique()), int(points["examples"].iloc[0])
    drawn = Figure(figsize=(COLUMN_WIDTH, 5.6))
    grid = drawn.subplots(len(_MEASURES), len(noises), squeeze=False, sharex=True, sharey="row")
    for column, noise in enumerate(noises):
        for row, (measure, label) in enumerate(_MEASURES.items()):
            axes = grid[row][column]
            curves = matching(points, label_noise=noise, measure=measure, note="")
            if curves.empty:
                say_not_run(axes, "Random features")
                continue
            for number, penalty in enumerate(points["penalty"].unique()):
                curve = matching(curves, penalty=penalty)
                look = {"color": BLACK, "marker": "o", "label": "smallest norm", "linewidth": 1.8}
                if penalty:
                    look = {"color": _COLOURS[(number - 1) % 4], "label": f"ridge {penalty:g}", "linestyle": "--"}
                axes.plot(curve["features"], curve["value"], markersize=3, **look)
            axes.axvline(examples, color=GREY, linestyle=":", linewidth=1)
            axes.set_xscale("log")
            axes.set_yscale("linear" if measure == "test_error" else "log")
            if column == 0:
                axes.set_ylabel(label)
            if row == 0:
                axes.set_title(f"{100 * noise:.0f} % label noise" if noise else "true labels")
            if row == len(_MEASURES) - 1:
                axes.set_xlabel("Features N")
    if not points[points["note"] == ""].empty:
        grid[0][0].legend(loc="upper left")
    return drawn


DRAWING = Drawing(points, draw)
