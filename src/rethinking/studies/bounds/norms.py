"""Experiment: norms and margins of a trained perceptron, of which bounds are made."""

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rethinking.errors import UserError
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.records import Row
from rethinking.training.evaluate import outputs

Array = NDArray[np.float64]

BLOCK = 4096
"""Images at a time in double precision."""


def run(laboratory: Laboratory) -> list[Row]:
    """Return one row: what `theory.Norms` names, and the fraction of training examples inside the margin."""
    (cell,) = laboratory.experiment.cells
    train = laboratory.examples(cell, "train")
    network = laboratory.network(cell)
    found, first = matrices(network), matrices(laboratory.initial_network(cell))
    logits = outputs(network, train).double().numpy()
    labels = train.labels.cpu().numpy()
    every = margins(logits, labels)
    margin = float(np.quantile(every, laboratory.settings["margin_quantile"]))
    squares = sum(float(block.double().square().sum()) for block in torch.split(train.stored, BLOCK))
    spectral = [spectral_norm(matrix) for matrix in found]
    changes = [row_norms(now - then).sum() for now, then in zip(found, first, strict=True)]
    return [
        {
            "dataset": cell.dataset,
            "model": cell.model,
            "corruption": cell.corruption,
            "seed": cell.seed,
            "examples": len(labels),
            "layers": len(found),
            "largest_layer": max(max(matrix.shape) for matrix in found),
            "input_norm": float(np.sqrt(squares + len(labels))),
            "margin": margin,
            "inside_margin": float((every < margin).mean()),
            "frobenius": float(np.prod([np.linalg.norm(matrix) for matrix in found[:-1]])),
            "output_rows": float(row_norms(found[-1]).sum()),
            "spectral": float(np.prod(spectral)),
            "distances": float(sum((b / s) ** (2 / 3) for b, s in zip(changes, spectral, strict=True))),
        }
    ]


def matrices(network: nn.Module) -> list[Array]:
    """Return a perceptron's layers as matrices (outputs + 1, inputs + 1), the last one without the added row.

    Biases are the weights of an input that is always 1, which each hidden layer passes on. Raises UserError for a
    network that is no chain of linear layers.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    known = (nn.Linear, nn.ReLU, nn.Flatten, nn.Dropout)
    if not isinstance(network, nn.Sequential) or not all(isinstance(part, known) for part in network):
        raise UserError("norms are taken of perceptrons alone: of linear layers with rectified linear units between")
    if not all(before.out_features == after.in_features for before, after in pairwise(layers)):
        raise UserError("the layers of this network do not follow on each other")
    found = []
    for layer in layers:
        weights = layer.weight.detach().double().cpu().numpy()
        biases = layer.bias.detach().double().cpu().numpy()[:, None]
        found.append(np.hstack([weights, biases]))
    passed = [np.eye(1, matrix.shape[1], matrix.shape[1] - 1) for matrix in found[:-1]]
    return [*(np.vstack(pair) for pair in zip(found[:-1], passed, strict=True)), found[-1]]


def margins(logits: Array, labels: NDArray[np.int64]) -> Array:
    """Return by how much each example's own logit exceeds the largest other one, (n,); below 0 where it is wrong."""
    places = np.arange(len(labels))
    others = logits.copy()
    others[places, labels] = -np.inf
    return np.asarray(logits[places, labels] - others.max(axis=1))


def spectral_norm(matrix: Array) -> float:
    """Return the largest singular value."""
    return float(np.linalg.norm(matrix, 2))


def row_norms(matrix: Array) -> Array:
    """Return the Euclidean norm of each row: summed, the (2,1)-norm of the transpose."""
    return np.asarray(np.linalg.norm(matrix, axis=1))
