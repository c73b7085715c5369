"""Experiment: bias and variance of trained networks by width, at one level of label noise."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rethinking.experiments.records import Row
from rethinking.studies.bias_variance.estimators import Array, decompose, jackknife
from rethinking.studies.bias_variance.grid import network_cell
from rethinking.training.evaluate import evaluate, outputs

if TYPE_CHECKING:
    from rethinking.data.images import DeviceImages
    from rethinking.experiments.laboratory import Laboratory

MEASURES = (
    "risk",
    "bias_squared",
    "variance",
    "sampling_variance",
    "optimisation_variance",
    "test_error",
)
"""In the order in which `_measured` returns them."""


def run(laboratory: "Laboratory") -> list[Row]:
    """Return a row a width and measure, with its standard error over the parts of the training set.

    A measure that is no number, as a network diverged, is empty; so is a standard error where there are too few parts.
    """
    settings = dict(laboratory.settings)
    test = laboratory.examples(laboratory.experiment.cells[0], "test")  # the same for all
    labels = test.labels.cpu().numpy()
    rows: list[Row] = []
    for width in settings["widths"]:
        predictions, train_errors = _of_networks(laboratory, settings, width, test)
        classes = np.eye(predictions.shape[-1])[labels]

        def measured(found: Array, labels: Array = labels, classes: Array = classes) -> Array:
            return _measured(found, labels, classes)

        values = [*measured(predictions), train_errors.mean()]
        errors = [*jackknife(measured, predictions), *jackknife(_mean, train_errors)]
        for measure, value, error in zip((*MEASURES, "train_error"), values, errors, strict=True):
            rows.append(
                {
                    "dataset": settings["dataset"],
                    "network": settings["network"],
                    "label_noise": settings["label_noise"],
                    "width": width,
                    "measure": measure,
                    "value": _number(value),
                    "standard_error": _number(error),
                }
            )
    return rows


def _of_networks(
    laboratory: "Laboratory", settings: dict[str, Any], width: int, test: "DeviceImages"
) -> tuple[Array, Array]:
    """Return outputs (N, S, n, c) on the test set, and errors (N, S) on the labels that were trained on."""
    found, train_errors = [], []
    for part in range(1, settings["parts"] + 1):
        for repetition in range(settings["networks_per_part"]):
            cell = network_cell(settings, width, part, repetition)
            network = laboratory.network(cell)
            found.append(outputs(network, test).double().numpy())
            train_errors.append(1 - evaluate(network, laboratory.examples(cell, "train")).accuracy)
    shape = (settings["parts"], settings["networks_per_part"])
    return np.reshape(found, (*shape, *found[0].shape)), np.reshape(train_errors, shape)


def _measured(predictions: Array, labels: Any, classes: Array) -> Array:
    """Return the MEASURES of outputs (N, S, n, c); all NaN if one of these is no number."""
    if not np.isfinite(predictions).all():
        return np.full(len(MEASURES), math.nan)
    found = decompose(predictions, classes)
    test_error = (predictions.argmax(axis=-1) != labels).mean()
    return np.array(
        [found.risk, found.bias_squared, found.variance, found.sampling, found.optimisation, test_error], dtype=float
    )


def _mean(values: Array) -> Array:
    return np.array([values.mean()])


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
