"""Figure 1c: test error against label corruption."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, Drawing
from rethinking.results.frame import Results, matching
from rethinking.results.panels import label_left
from rethinking.results.scales import per_cent
from rethinking.results.style import ORANGE, REFERENCE, Look
from rethinking.studies.randomisation.design import SWEEP_MODELS
from rethinking.studies.randomisation.figures.shared import draw_sweep, sweep, sweep_points
from rethinking.studies.randomisation.measures import CHANCE_ERROR, error, error_on_corrupted_labels, published_sweep

EXPECTED: Look = {"color": ORANGE, "marker": "D", "markersize": 3, "linestyle": "--", "linewidth": 1.0}
LABELS = "test_labels"
TRUE, CORRUPTED = "true", "corrupted"
KEYS = ["source", "dataset", "series", "label_corruption"]


def points(results: Results) -> pd.DataFrame:
    """Return the test error at the end of training, by label corruption; series are models.

    Ours is measured on true test labels, and expected for test labels that are corrupted as the training labels are.
    """
    published = published_sweep("figure1c", "test_error")
    measured, expected = (
        {key: measure(results, *key) for key in sweep(results)} for measure in (error, error_on_corrupted_labels)
    )
    found = sweep_points(results, "test_error", published, measured)
    further = sweep_points(results, "test_error", {}, expected)
    # Which labels the paper's curves are of is not stated.
    found[LABELS] = (found["source"] == OURS).map({True: TRUE, False: ""})
    both = pd.concat([found, further.assign(**{LABELS: CORRUPTED})], ignore_index=True)
    return both[[*KEYS, LABELS, *both.columns.drop([*KEYS, LABELS])]]


def draw(points: pd.DataFrame) -> Figure:
    """Draw the test error at the end of training against label corruption."""
    expected = points[LABELS] == CORRUPTED
    further = Line2D([], [], **EXPECTED, label="ours, expected if test labels\nwere corrupted, too")
    made = draw_sweep(points[~expected], "test_error", further)
    for axes, model in zip(made.axes, SWEEP_MODELS, strict=True):
        draw_curve(axes, matching(points[expected], series=model), "label_corruption", "test_error", **EXPECTED)
        axes.axhline(CHANCE_ERROR, **REFERENCE)
        axes.set_ylim(0, 1)
        per_cent(axes.yaxis, "Test error")
    label_left(made)
    return made.figure


DRAWING = Drawing(points, draw)
