"""What the study's experiments have in common: evaluating a pruned network, and training it on."""

import math
from collections.abc import Mapping
from typing import Any

from torch import nn

from rethinking.cells import Cell
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.records import Row
from rethinking.records import Epoch
from rethinking.studies.sparsity.pruning import Masks, weights, weights_left
from rethinking.training.evaluate import evaluate
from rethinking.training.optimiser import learning_rate


class Bench:
    """Evaluates networks on the examples of one cell."""

    def __init__(self, laboratory: Laboratory, cell: Cell) -> None:
        self.train, self.test = (laboratory.examples(cell, name) for name in ("train", "test"))
        self.cell = cell

    def accuracies(self, network: nn.Module) -> dict[str, float]:
        """Return train and test accuracy, fractions."""
        return {
            f"{name}_accuracy": six_digits(evaluate(network, split).accuracy)
            for name, split in (("train", self.train), ("test", self.test))
        }


def row(cell: Cell, method: str, scope: str, round_: int, masks: Masks, measured: Mapping[str, Any]) -> Row:
    """Return a line of results: which network, pruned how and in which round, what is left, what was measured."""
    return {
        "model": cell.model,
        "corruption": cell.corruption,
        "seed": cell.seed,
        "method": method,
        "scope": scope,
        "round": round_,
        "fraction_left": weights_left(masks) / weights(masks),
        "weights_left": weights_left(masks),
        "weights": weights(masks),
        **measured,
    }


def retraining_changes(laboratory: Laboratory, cell: Cell, examples: int) -> dict[str, Any]:
    """Return how a recipe changes for a network that is trained on: the rate is constant, that of its last epoch.

    A larger one would wipe out what was memorised, before pruning has a say. Epochs are those of the settings, or as
    many as the network was trained for.
    """
    recipe = laboratory.recipes[cell]
    last = recipe.epochs - 1
    return {
        "epochs": laboratory.settings["epochs"] or recipe.epochs,
        "initial_learning_rate": learning_rate(recipe, last, last * math.ceil(examples / recipe.batch_size)),
        "learning_rate_schedule": "exponential",
        "learning_rate_decay": 1.0,
    }


def after_training(history: list[Epoch]) -> dict[str, Any]:
    """Return what a row says of a training: accuracies after its last epoch, epochs, and how it ended."""
    last = history[-1]
    return {
        "train_accuracy": six_digits(last.train_accuracy),
        "test_accuracy": six_digits(last.test_accuracy),
        "epochs": len(history),
        "status": "diverged" if last.diverged else "finished",
    }


def six_digits(value: float) -> float:
    """Return `value` to six significant digits: what a history keeps of it, so that resumed and whole runs agree."""
    return float(f"{value:.6g}")
