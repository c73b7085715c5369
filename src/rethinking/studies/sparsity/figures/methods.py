"""What training on, at once or in rounds, does for pruned networks."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import Drawing, frame
from rethinking.results.frame import Results
from rethinking.results.panels import key, not_run
from rethinking.results.style import LABELS, Look
from rethinking.studies.sparsity.curves import METHODS
from rethinking.studies.sparsity.design import models_of
from rethinking.studies.sparsity.figures.shared import draw_by_model, network_points, of_labels, of_shapes
from rethinking.studies.sparsity.tables import METHOD_TITLES
from rethinking.studies.sparsity.vocabulary import CORRUPTIONS, GLOBAL, ITERATIVE, ONE_SHOT, RETRAINING

LOOKS: dict[str, Look] = {
    ONE_SHOT: {"linestyle": ":", "marker": "s"},
    RETRAINING: {"linestyle": "--", "marker": "^"},
    ITERATIVE: {"linestyle": "-", "marker": "o"},
}


def points(results: Results) -> pd.DataFrame:
    """Return train accuracy by fraction left, for each way to prune globally; series are models."""
    return frame(
        each
        for model in models_of(results.params, ONE_SHOT)
        for corruption in CORRUPTIONS
        for method in METHODS
        for each in network_points(results, method, model, corruption, GLOBAL)
    )


def draw(points: pd.DataFrame) -> Figure:
    """Draw train accuracy against weights left, a panel a model, a line a way to prune."""
    if points["accuracy"].isna().all():
        return not_run("Pruned networks")
    curves = [
        ({"corruption": corruption, "method": method}, LABELS[corruption] | look)
        for corruption in CORRUPTIONS
        for method, look in LOOKS.items()
    ]
    made = draw_by_model(points, "Train accuracy", curves)
    key(made, [*of_labels(), *of_shapes(LOOKS, METHOD_TITLES)])
    return made.figure


DRAWING = Drawing(points, draw)
