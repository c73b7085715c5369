"""Experiment: networks pruned at once by magnitude, and trained on (Han et al. 2015)."""

from collections.abc import Sequence

from torch import nn

from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.measuring import Bench, training_on
from rethinking.experiments.records import Row
from rethinking.studies.sparsity.measuring import after_training, row
from rethinking.studies.sparsity.pruning import masks_of, prune_to
from rethinking.studies.sparsity.vocabulary import RETRAINING


def run(laboratory: Laboratory) -> Sequence[Row]:
    """Return a row for each scope and fraction, the whole network, as it was trained, first."""
    (cell,) = laboratory.experiment.cells
    network, bench = laboratory.network(cell), Bench(laboratory, cell)
    changes, weights = (
        training_on(laboratory.recipes[cell], len(bench.train), laboratory.settings["epochs"]),
        network.state_dict(),
    )
    whole = bench.accuracies(network) | {"epochs": 0, "status": "finished"}
    rows = []
    for scope in laboratory.settings["scopes"]:
        rows.append(row(cell, RETRAINING, scope, 0, masks_of(network), whole))
        for fraction in laboratory.settings["fractions_left"]:

            def prepare(fresh: nn.Module, fraction: float = fraction, scope: str = scope) -> None:
                fresh.load_state_dict(weights)
                prune_to(fresh, fraction, scope)

            trained = laboratory.train(cell, f"{scope}.{fraction:g}", prepare, **changes)
            rows.append(row(cell, RETRAINING, scope, 1, masks_of(trained.network), after_training(trained.history)))
    return rows
