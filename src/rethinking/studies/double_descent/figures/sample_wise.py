"""Sample-wise: errors of one set of random features, and at fixed widths, against the number of training examples."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.style import say_not_run
from rethinking.results.titles import model_title
from rethinking.studies.double_descent.figures.shared import (
    LOOKS,
    TEST,
    TRAIN,
    error_points,
    logarithmic,
    panels,
    plot_errors,
)
from rethinking.studies.double_descent.measures import MISSING, example_curve, sample_curve

FEATURES = "random-features"


def points(results: Results) -> pd.DataFrame:
    """Return train error on the noisy labels and test error by width and number of training examples.

    The width of the random features, which fit their training data with the smallest norm, is their number.
    """
    study = results.params.studies.double_descent
    sweep, features = study.sample_wise, study.random_features
    found: list[Point] = []
    for measure, column in ((TRAIN, "train_error"), (TEST, "test_error")):
        known = example_curve(results, features.label_noise[-1], 0.0, column)
        for examples in features.example_sweep:
            at = {"width": features.examples, "label_noise": features.label_noise[-1], "measure": measure}
            value = known.get(examples, MISSING)
            found.append(point(OURS, features.dataset, FEATURES, {**at, "examples": examples}, error=value))
    for width in sweep.widths:
        at = {"width": width, "label_noise": sweep.label_noise}
        curve = sample_curve(results, width)
        for each in curve:
            errors = [(TRAIN, each.train), (TEST, each.test)]
            found += error_points(study.dataset, sweep.model, {**at, "examples": each.size}, errors)
        if not curve:
            found.append(point(OURS, study.dataset, sweep.model, {**at, "measure": TEST}, error=MISSING))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw errors against the number of training examples, a panel for each width."""
    places = list(dict.fromkeys(zip(points["series"], points["width"], strict=True)))
    drawn, axes = panels(len(places), height=3.0)
    for each, (series, width) in zip(axes, places, strict=True):
        chosen = matching(points, series=series, width=width)
        noise = f"{100 * chosen['label_noise'].iloc[0]:.0f} % noise"
        title = (
            f"{width:,} features, {noise}" if series == FEATURES else f"{model_title(series)}, width {width}, {noise}"
        )
        shown = [
            plot_errors(each, matching(chosen, measure=measure), "examples", **LOOKS[measure], label=measure)
            for measure in (TEST, TRAIN)
        ]
        if not any(shown):
            say_not_run(each, title)
            continue
        each.set(title=title, xlabel="Training examples", ylabel="Error", ylim=(-0.02, None))
        if series == FEATURES:
            each.set_xscale("log")
        else:
            logarithmic(each, sorted(chosen["examples"].dropna().unique()))
        each.legend(loc="best")
    return drawn


DRAWING = Drawing(points, draw)
