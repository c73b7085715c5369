"""Random features: test error and norm of the weights against the number of features, with and without ridge."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.panels import key, not_run, panels, say_not_run
from rethinking.results.scales import per_cent
from rethinking.results.style import BLACK, REFERENCE, STRENGTHS
from rethinking.studies.double_descent.measures import MISSING, feature_curve

_LOOKS = ({"color": BLACK, "marker": "o", "linewidth": 1.8}, *STRENGTHS)
"""Without a penalty, and with rising ones."""

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
    if points[points["note"] == ""].empty:
        return not_run("Random features")
    noises, examples = list(points["label_noise"].unique()), int(points["examples"].iloc[0])
    made = panels(len(_MEASURES) * len(noises), height=1.8, columns=len(noises), share=True)
    places = iter(made.axes)
    for measure, label in _MEASURES.items():
        for noise in noises:
            axes = next(places)
            curves = matching(points, label_noise=noise, measure=measure, note="")
            if curves.empty:
                say_not_run(axes, "Random features")
                continue
            for penalty, look in zip(sorted(points["penalty"].unique()), _LOOKS, strict=False):
                curve = matching(curves, penalty=penalty)
                name = f"ridge {penalty:g}" if penalty else "smallest norm"
                draw_curve(axes, curve, "features", "value", band=True, **look | {"label": name, "markersize": 3.5})
            axes.axvline(examples, **REFERENCE)
            axes.set_xscale("log")
            if measure == "test_error":
                axes.set_title(f"{100 * noise:.0f} % label noise" if noise else "True labels")
            else:
                axes.set_yscale("log")
            if axes in made.axes[:: len(noises)]:
                _name(axes, measure, label)
    for axes in made.axes[-len(noises) :]:
        axes.set_xlabel("Features N")
    key(made, next(axes for axes in made.axes if axes.axison).get_legend_handles_labels()[0])
    return made.figure


def _name(axes: Axes, measure: str, label: str) -> None:
    if measure == "test_error":
        per_cent(axes.yaxis, label)
    else:
        axes.set_ylabel(label)


DRAWING = Drawing(points, draw)
