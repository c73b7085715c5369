"""Experiment: networks pruned by magnitude and trained on, in turns (Han et al. 2015). It leaves these networks."""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.measuring import Bench, training_on
from rethinking.experiments.records import Row
from rethinking.studies.sparsity.measuring import after_training, row
from rethinking.studies.sparsity.pruning import Masks, impose, make_permanent, masks_of, prune_to
from rethinking.studies.sparsity.vocabulary import GLOBAL, ITERATIVE


def run(laboratory: Laboratory) -> Sequence[Row]:
    """Return a row for each scope and round, round 0 being the network as it was trained.

    What was pruned in one round stays pruned in the next. A training that diverges is the last of its chain.
    """
    (cell,) = laboratory.experiment.cells
    settings, bench = laboratory.settings, Bench(laboratory, cell)
    changes = training_on(laboratory.recipes[cell], len(bench.train), settings["epochs"])
    rows = []
    for scope in settings["scopes"]:
        network = laboratory.network(cell)
        masks = masks_of(network)
        whole = bench.accuracies(network) | {"epochs": 0, "status": "finished"}
        rows.append(row(cell, ITERATIVE, scope, 0, masks, whole))
        for round_ in range(1, settings["rounds"] + 1):
            fraction, weights = (1 - settings["pruned_per_round"]) ** round_, network.state_dict()
            prepare = partial(pruned_further, weights=weights, masks=masks, fraction=fraction, scope=scope)
            trained = laboratory.train(cell, f"{scope}.round-{round_}", prepare, **changes)
            network, masks = trained.network, masks_of(trained.network)
            make_permanent(network)
            if scope == GLOBAL:
                laboratory.leave(f"round-{round_}", network)
            rows.append(row(cell, ITERATIVE, scope, round_, masks, after_training(trained.history)))
            if trained.history[-1].diverged:
                break
    return rows


def pruned_further(fresh: nn.Module, *, weights: dict[str, Tensor], masks: Masks, fraction: float, scope: str) -> None:
    """Give a fresh network these weights and masks, and prune it to a smaller fraction."""
    fresh.load_state_dict(weights)
    impose(fresh, masks)
    prune_to(fresh, fraction, scope)
