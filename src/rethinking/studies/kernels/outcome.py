"""The examples of a Gram system, and what is measured of its solution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rethinking.data.variants import Variant
from rethinking.errors import UserError
from rethinking.experiments.records import Row
from rethinking.studies.kernels.measuring import Stopwatch
from rethinking.studies.kernels.solver import Solution


@dataclass(frozen=True)
class Examples:
    """Images (n, c, h, w) of 0..255, as they are on disk, and labels (n,)."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    classes: int

    def targets(self, device: torch.device) -> Tensor:
        """Return the training labels as one-hot vectors (n, classes) float64."""
        return torch.eye(self.classes, dtype=torch.float64, device=device)[torch.from_numpy(self.train_labels)]


def chosen_examples(data: Variant, settings: Mapping[str, Any]) -> Examples:
    """Return the first training examples, as many as the settings name, and all test examples.

    `train_examples` limits both, as it does for networks. Raises UserError where there are not as many.
    """
    limit = settings["train_examples"]
    there = len(data.train_labels[:limit])
    asked = settings["examples"] or there
    if asked > there:
        raise UserError(f"studies.kernels: {data.dataset} has {there} examples to train on, not {asked}")
    return Examples(
        data.train_images[:asked],
        np.asarray(data.train_labels[:asked], dtype=np.int64),
        data.test_images[:limit],
        np.asarray(data.test_labels[:limit], dtype=np.int64),
        len(data.classes),
    )


def outcome(examples: Examples, solution: Solution, outputs: Tensor, penalty: float, watch: Stopwatch) -> Row:
    """Return errors, norms and costs of a solution whose outputs (m, c) on the test examples are given.

    Errors are fractions. `norm` is over all outputs, sqrt(sum_c |w_c|^2); `norm_mean` and `norm_largest` are of the
    norms |w_c| of single outputs. `largest_deviation` is that of an output on a training example from its target.
    """
    device = outputs.device
    train_labels, test_labels = (
        torch.from_numpy(labels).to(device) for labels in (examples.train_labels, examples.test_labels)
    )
    squared = solution.squared_norms().clamp(min=0)
    return {
        "examples": len(train_labels),
        "penalty": penalty,
        "train_error": float((solution.outputs.argmax(dim=1) != train_labels).double().mean()),
        "test_error": float((outputs.argmax(dim=1) != test_labels).double().mean()),
        "norm": float(squared.sum().sqrt()),
        "norm_mean": float(squared.sqrt().mean()),
        "norm_largest": float(squared.sqrt().max()),
        "largest_deviation": float((solution.outputs - examples.targets(device)).abs().max()),
        "residual": solution.residual,
        "shift": solution.shift,
        "steps": solution.steps,
        **{
            f"seconds_{name}": watch.seconds[name] for name in ("features", "gram", "factorisation", "solution", "test")
        },
    }
