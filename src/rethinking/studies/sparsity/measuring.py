"""What the rows of the study's experiments have in common."""

from collections.abc import Mapping
from typing import Any

from rethinking.cells import Cell
from rethinking.experiments.measuring import ending, six_digits
from rethinking.experiments.records import Row
from rethinking.records import Epoch
from rethinking.studies.sparsity.pruning import Masks, weights, weights_left


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


def after_training(history: list[Epoch]) -> dict[str, Any]:
    """Return what a row says of a training: accuracies after its last epoch, epochs, and how it ended."""
    last = history[-1]
    assert last.train_accuracy is not None  # the last epoch is evaluated on both sets
    accuracies = {
        "train_accuracy": six_digits(last.train_accuracy),
        "test_accuracy": six_digits(last.test_accuracy),
    }
    return accuracies | ending(history)
