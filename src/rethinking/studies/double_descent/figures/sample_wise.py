"""Sample-wise: errors of one set of random features, and at fixed widths, against the number of training examples."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.panels import key, label_left, not_run, panels, say_not_run
from rethinking.results.scales import TRAINING_EXAMPLES, per_cent, plain_numbers, written_out
from rethinking.results.style import REFERENCE
from rethinking.results.titles import model_title
from rethinking.studies.double_descent.figures.shared import (
    LOOKS,
    TEST,
    TRAIN,
    error_points,
    noise_title,
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
    if points["error"].isna().all():
        return not_run("Sizes of the training set")
    places = list(dict.fromkeys(zip(points["series"], points["width"], strict=True)))
    made = panels(len(places), height=2.6)
    for axes, (series, width) in zip(made.axes, places, strict=True):
        chosen = matching(points, series=series, width=width)
        of = f"{width:,} features" if series == FEATURES else f"{model_title(series)}, width {width}"
        if chosen["error"].isna().all():
            say_not_run(axes, of)
            continue
        for measure in (TEST, TRAIN):
            draw_curve(axes, matching(chosen, measure=measure), "examples", "error", **LOOKS[measure])
        axes.set(
            title=f"{of},\n{noise_title(chosen['label_noise'].iloc[0])}", xlabel=TRAINING_EXAMPLES, ylim=(-0.02, None)
        )
        per_cent(axes.yaxis, "Error")
        if series == FEATURES:
            axes.axvline(width, **REFERENCE)
            axes.set_xscale("log")
            plain_numbers(axes.xaxis)
        else:
            written_out(axes, sorted(chosen["examples"].dropna().unique()))
    label_left(made)
    key(made, [Line2D([], [], **LOOKS[measure], label=measure) for measure in (TEST, TRAIN)])
    return made.figure


DRAWING = Drawing(points, draw, over="run")
