"""Learning curves of the randomisation study."""

import pandas as pd

from rethinking.results.frame import Results


def mean_history(results: Results, model: str, corruption: str) -> pd.DataFrame | None:
    """Return the history averaged over seeds, one line an epoch, or None if the cell was not run."""
    found = results.history(dataset=dataset_of(results), model=model, corruption=corruption, regularizer="none")
    if found.empty:
        return None
    measures = ["step", "online_loss", "train_accuracy", "test_accuracy"]
    return found.groupby("epoch", as_index=False)[measures].mean()


def dataset_of(results: Results) -> str:
    """Return the data set that this study's figures show."""
    return results.params.studies.randomisation.dataset
