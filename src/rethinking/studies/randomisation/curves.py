"""Learning curves of the randomisation study."""

import math

import pandas as pd

from rethinking.results.frame import Estimate, Results, estimate


def mean_history(results: Results, model: str, corruption: str) -> pd.DataFrame | None:
    """Return the history averaged over seeds, one line an epoch, or None if the cell was not run."""
    found = results.history(dataset=dataset_of(results), model=model, corruption=corruption, regularizer="none")
    if found.empty:
        return None
    measures = ["step", "online_loss", "train_accuracy", "test_accuracy"]
    return found.groupby("epoch", as_index=False)[measures].mean()


def history_by_step(
    results: Results, model: str, corruption: str, measure: str
) -> list[tuple[float, Estimate | float]] | None:
    """Return a measure after each epoch in which it was taken, with its gradient step; None if the cell was not run.

    Estimates are over seeds; NaN where the networks diverged.
    """
    found = results.history(dataset=dataset_of(results), model=model, corruption=corruption, regularizer="none")
    if found.empty:
        return None
    groups = (group for _, group in found.groupby("epoch"))
    return [(float(group["step"].mean()), estimate(group[measure]) or math.nan) for group in groups]


def dataset_of(results: Results) -> str:
    """Return the data set that this study's figures show."""
    return results.params.studies.randomisation.dataset
