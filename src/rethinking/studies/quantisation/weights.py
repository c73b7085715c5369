"""Experiment: networks whose weights are rounded to few bits, after training, and while they are trained on."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

from rethinking.cells import Cell
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.measuring import ending, training_on
from rethinking.experiments.records import Row
from rethinking.recipe import Recipe
from rethinking.studies.quantisation.measuring import FileBench, identity
from rethinking.studies.quantisation.quantiser import make_permanent, train_rounded
from rethinking.studies.quantisation.vocabulary import (
    AWARE,
    FLOAT,
    FLOAT_BITS,
    PER_CHANNEL,
    PER_TENSOR,
    POST_TRAINING,
)

FALL = 0.01
"""Of the learning rate, over all epochs of training on."""


def run(laboratory: Laboratory) -> Sequence[Row]:
    """Return a row for each network as it is, for each way of rounding it, and for each training while rounded."""
    return [row for cell in laboratory.experiment.cells for row in _rows(laboratory, cell)]


def _rows(laboratory: Laboratory, cell: Cell) -> list[Row]:
    network, bench, settings = laboratory.network(cell), FileBench(laboratory, cell), laboratory.settings
    ways = [(FLOAT, FLOAT_BITS, PER_CHANNEL)]
    ways += [
        (POST_TRAINING, bits, granularity) for granularity in (PER_TENSOR, PER_CHANNEL) for bits in settings["bits"]
    ]
    rows: list[Row] = [
        {
            **identity(cell),
            "method": method,
            **bench.measured(network, bits, granularity),
            "epochs": 0,
            "status": "finished",
        }
        for method, bits, granularity in ways
    ]
    aware = settings["aware"]
    changes = aware and training_changes(laboratory.recipes[cell], len(bench.train), aware["epochs"], aware["rate"])
    for bits in aware["bits"] if aware else ():
        prepare = partial(rounded, weights=network.state_dict(), bits=bits)
        trained = laboratory.train(cell, f"{cell.corruption}.seed-{cell.seed}.bits-{bits}", prepare, **changes)
        make_permanent(trained.network)
        measured = bench.measured(trained.network, bits, PER_CHANNEL)
        rows.append({**identity(cell), "method": AWARE, **measured, **ending(trained.history)})
    return rows


def training_changes(recipe: Recipe, examples: int, epochs: int | None, rate: float) -> dict[str, Any]:
    """Return how a recipe changes for training on: the rate begins at this fraction of its last, and falls by FALL.

    Weights near the middle between two codes go back and forth with every step, until these are small.
    """
    changes = training_on(recipe, examples, epochs)
    first = rate * changes["initial_learning_rate"]
    return changes | {"initial_learning_rate": first, "learning_rate_decay": FALL ** (1 / changes["epochs"])}


def rounded(fresh: nn.Module, *, weights: dict[str, Tensor], bits: int) -> None:
    """Give a fresh network these weights, and let it compute with what rounding leaves of them."""
    fresh.load_state_dict(weights)
    train_rounded(fresh, bits, PER_CHANNEL)
