"""Pruning at once, without training on: true against random labels, one threshold against one a layer."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import Drawing, frame
from rethinking.results.frame import Results
from rethinking.results.panels import key, not_run
from rethinking.results.style import LABELS, Look
from rethinking.studies.sparsity.design import models_of
from rethinking.studies.sparsity.figures.shared import draw_by_model, network_points, of_labels, of_shapes
from rethinking.studies.sparsity.vocabulary import CORRUPTIONS, GLOBAL, LAYER_WISE, ONE_SHOT

LOOKS: dict[str, Look] = {
    GLOBAL: {"marker": "o", "linestyle": "-"},
    LAYER_WISE: {"marker": "D", "linestyle": ":"},
}
SCOPE_TITLES = {GLOBAL: "one threshold (global)", LAYER_WISE: "one a layer (layer-wise)"}


def points(results: Results) -> pd.DataFrame:
    """Return train accuracy by fraction left; series are models."""
    return frame(
        each
        for model in models_of(results.params, ONE_SHOT)
        for corruption in CORRUPTIONS
        for scope in (GLOBAL, LAYER_WISE)
        for each in network_points(results, ONE_SHOT, model, corruption, scope)
    )


def draw(points: pd.DataFrame) -> Figure:
    """Draw train accuracy against weights left, a panel a model."""
    if points["accuracy"].isna().all():
        return not_run("Pruned networks")
    curves = [
        ({"corruption": corruption, "scope": scope}, LABELS[corruption] | look)
        for corruption in CORRUPTIONS
        for scope, look in LOOKS.items()
    ]
    made = draw_by_model(points, "Train accuracy", curves)
    key(made, [*of_labels(), *of_shapes(LOOKS, SCOPE_TITLES)])
    return made.figure


DRAWING = Drawing(points, draw)
