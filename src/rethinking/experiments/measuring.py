"""What experiments on trained networks have in common: evaluating one, and training it on."""

import math
from typing import Any

from torch import nn

from rethinking.cells import Cell
from rethinking.experiments.laboratory import Laboratory
from rethinking.recipe import Recipe
from rethinking.records import Epoch
from rethinking.training.evaluate import evaluate
from rethinking.training.optimiser import learning_rate


class Bench:
    """Evaluates networks on the examples of one cell."""

    def __init__(self, laboratory: Laboratory, cell: Cell) -> None:
        self.train, self.test = (laboratory.examples(cell, name) for name in ("train", "test"))

    def accuracies(self, network: nn.Module) -> dict[str, float]:
        """Return train and test accuracy, fractions."""
        return {
            f"{name}_accuracy": six_digits(evaluate(network, split).accuracy)
            for name, split in (("train", self.train), ("test", self.test))
        }


def training_on(recipe: Recipe, examples: int, epochs: int | None) -> dict[str, Any]:
    """Return how a recipe changes for a network that is trained on: the rate is constant, that of its last epoch.

    A larger one would wipe out what was memorised before anything else has a say. None is as many epochs as before.
    """
    last = recipe.epochs - 1
    return {
        "epochs": epochs or recipe.epochs,
        "initial_learning_rate": learning_rate(recipe, last, last * math.ceil(examples / recipe.batch_size)),
        "learning_rate_schedule": "exponential",
        "learning_rate_decay": 1.0,
    }


def ending(history: list[Epoch]) -> dict[str, Any]:
    """Return how long a training took, in epochs, and how it ended."""
    return {"epochs": len(history), "status": "diverged" if history[-1].diverged else "finished"}


def six_digits(value: float) -> float:
    """Return `value` to six significant digits: what a history keeps of it, so that all numbers are alike."""
    return float(f"{value:.6g}")
