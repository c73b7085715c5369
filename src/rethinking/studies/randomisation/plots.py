"""What `dvc plots` shows and compares: one column a curve, so that a column's name is its legend.

The columns are the same whatever was run: DVC draws none of the columns that dvc.yaml lists if one of them is missing.
"""

from collections.abc import Callable

import pandas as pd

from rethinking.data.corruptions import label_corruption_probability
from rethinking.results.frame import Estimate, Results
from rethinking.studies.randomisation.curves import mean_history
from rethinking.studies.randomisation.design import ALL_MODELS, FIGURE_1A, SWEEP_MODELS, sweep_corruptions
from rethinking.studies.randomisation.measures import error, figure1a_series, overfit_epochs


def learning_curves(results: Results) -> pd.DataFrame:
    """Return Inception's online loss (nats) by epoch: a column for each curve of Figure 1a, such as `random_labels`."""
    curves = {
        figure1a_series(corruption): _curve(results, "inception", corruption, "online_loss") for corruption in FIGURE_1A
    }
    return _side_by_side("epoch", curves)


def accuracy_curves(results: Results) -> pd.DataFrame:
    """Return accuracies by epoch: columns such as `mlp_1x512_random_labels_train`, for every model."""
    curves = {
        f"{_column(model)}_{figure1a_series(corruption)}_{split}": _curve(
            results, model, corruption, f"{split}_accuracy"
        )
        for model in ALL_MODELS
        for corruption in ("true", "random-labels")
        for split in ("train", "test")
    }
    return _side_by_side("epoch", curves)


def figure1b(results: Results) -> pd.DataFrame:
    """Return the time to overfit in epochs by label corruption: a column for each model, such as `mlp_1x512`."""
    return _sweep(results, overfit_epochs)


def figure1c(results: Results) -> pd.DataFrame:
    """Return the test error by label corruption: a column for each model, such as `mlp_1x512`."""
    return _sweep(results, error)


def _sweep(results: Results, measure: Callable[[Results, str, str], Estimate | str]) -> pd.DataFrame:
    curves = {}
    for model in SWEEP_MODELS:
        found = {name: measure(results, model, name) for name in sweep_corruptions(results.params)}
        numbers = {
            label_corruption_probability(name): value.mean
            for name, value in found.items()
            if isinstance(value, Estimate)
        }
        curves[_column(model)] = pd.Series(numbers, dtype=float)
    return _side_by_side("label_corruption", curves)


def _curve(results: Results, model: str, corruption: str, measure: str) -> "pd.Series[float]":
    """Return a measure by epoch, averaged over seeds; empty if the cell was not run."""
    history = mean_history(results, model, corruption)
    return pd.Series(dtype=float) if history is None else history.set_index("epoch")[measure]


def _side_by_side(x: str, curves: dict[str, "pd.Series[float]"]) -> pd.DataFrame:
    """Return the curves as columns over all of their places, in rising order, which are the column `x`."""
    places = sorted({place for curve in curves.values() for place in curve.index})
    return pd.DataFrame(curves, index=places).rename_axis(x).reset_index()


def _column(model: str) -> str:
    return model.replace("-", "_")


PLOTS: dict[str, Callable[[Results], pd.DataFrame]] = {
    "learning-curves": learning_curves,
    "accuracy-curves": accuracy_curves,
    "figure1b": figure1b,
    "figure1c": figure1c,
}
