"""Test accuracy of pruned networks that learned true labels."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import Drawing, frame
from rethinking.results.frame import Results
from rethinking.results.panels import key, not_run
from rethinking.results.style import LABELS
from rethinking.studies.sparsity.curves import METHODS
from rethinking.studies.sparsity.design import models_of
from rethinking.studies.sparsity.figures.methods import LOOKS
from rethinking.studies.sparsity.figures.shared import draw_by_model, network_points, of_shapes
from rethinking.studies.sparsity.tables import METHOD_TITLES
from rethinking.studies.sparsity.vocabulary import GLOBAL, ONE_SHOT


def points(results: Results) -> pd.DataFrame:
    """Return test accuracy by fraction left, for each way to prune globally; series are models."""
    return frame(
        each
        for model in models_of(results.params, ONE_SHOT)
        for method in METHODS
        for each in network_points(results, method, model, "true", GLOBAL, "test_accuracy")
    )


def draw(points: pd.DataFrame) -> Figure:
    """Draw the upper part of test accuracy against weights left, a panel a model, a line a way to prune."""
    if points["accuracy"].isna().all():
        return not_run("Pruned networks")
    whole = points["accuracy"][points["fraction_left"] == 1]
    curves = [({"method": method}, LABELS["true"] | look) for method, look in LOOKS.items()]
    made = draw_by_model(points, "Test accuracy", curves, lowest=whole.min() - 0.15)
    key(made, of_shapes(LOOKS, {name: f"pruned {title}" for name, title in METHOD_TITLES.items()}))
    return made.figure


DRAWING = Drawing(points, draw)
