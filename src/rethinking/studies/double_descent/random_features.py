"""Least squares on random Fourier features of images, for numbers of features below and above that of examples.

Belkin et al. 2019, section 2: the test error of the solution of smallest norm has its peak where both are equal.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from rethinking.data.corruptions import wrong_labels_name
from rethinking.data.images import center_crop, whiten
from rethinking.data.variants import Variant
from rethinking.errors import UserError
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.records import Row
from rethinking.studies.double_descent.fourier import (
    Array,
    Frequencies,
    LeastSquares,
    draw_frequencies,
    fourier_features,
)

BLOCK = 1000
"""Test examples at a time: their features at the paper's scale would take 5 GB."""


class Errors(NamedTuple):
    """Averages over examples."""

    zero_one: float
    squared: float
    """Of the outputs against one-hot labels, summed over classes."""


def run(laboratory: Laboratory) -> list[Row]:
    """Return one row for each size, label noise and ridge penalty, which is 0 for the smallest norm.

    The settings are those that `design.experiments` gives; sizes are numbers of features for one training set, and
    numbers of examples for one set of features. A seed draws one order of the training examples and one of the
    features: where there are fewer, they are the first.
    """
    settings = laboratory.settings
    dataset, seed, examples = settings["dataset"], settings["seed"], settings["examples"]
    true = laboratory.variant(dataset, "true")
    rng = np.random.default_rng([20190724, seed])
    limit = settings["train_examples"]
    there, most = len(true.train_labels[:limit]), max(examples, *settings["example_sweep"])
    if there < most:
        raise UserError(
            f"studies.double_descent.random_features: {dataset} has {there} examples to train on, not {most}"
        )
    chosen = rng.permutation(there)[:most]
    train = prepared(np.asarray(true.train_images)[chosen], settings["crop_size"])
    test = prepared(true.test_images[:limit], settings["crop_size"])
    bandwidth = settings["bandwidth"] * np.sqrt(train.shape[1])  # the length of an image with unit variance
    frequencies = draw_frequencies(train.shape[1], max(settings["features"]), bandwidth, rng)
    noisy = {p: _labels(laboratory.variant(dataset, wrong_labels_name(p)))[chosen] for p in settings["label_noise"]}
    test_labels = np.asarray(true.test_labels[:limit], dtype=np.int64)

    rows: list[Row] = []
    sweeps = [*((examples, features) for features in settings["features"])]
    sweeps += [(count, examples) for count in settings["example_sweep"] if count != examples]
    for count, features in sweeps:
        on_train = fourier_features(train[:count], frequencies, features)
        solver = LeastSquares(on_train.copy())
        weights = {
            (p, penalty): solver.weights(one_hot(labels[:count], len(true.classes)), penalty)
            for p, labels in noisy.items()
            for penalty in (0.0, *settings["penalties"])
        }
        outputs = _test_outputs(test, frequencies, features, np.hstack(list(weights.values())), len(weights))
        for ((p, penalty), found), on_test in zip(weights.items(), outputs, strict=True):
            trained, tested = errors(on_train @ found, noisy[p][:count]), errors(on_test, test_labels)
            rows.append(
                {
                    "dataset": dataset,
                    "seed": seed,
                    "examples": count,
                    "features": features,
                    "label_noise": p,
                    "penalty": penalty,
                    "train_error": trained.zero_one,
                    "train_squared_error": trained.squared,
                    "test_error": tested.zero_one,
                    "test_squared_error": tested.squared,
                    "norm": float(np.linalg.norm(found)),
                }
            )
    return rows


def prepared(images: NDArray[np.uint8], crop_size: int) -> Array:
    """Return images (n, c, h, w) of 0..255 as the networks see them, cropped and whitened, (n, values)."""
    scaled = torch.from_numpy(np.array(images)).double() / 255
    return np.asarray(whiten(center_crop(scaled, crop_size)).flatten(1).numpy(), dtype=np.float64)


def one_hot(labels: NDArray[np.int64], classes: int) -> Array:
    """Return labels (n,) as vectors (n, classes) that are 1 at the label and 0 elsewhere."""
    return np.eye(classes)[labels]


def errors(outputs: Array, labels: NDArray[np.int64]) -> Errors:
    """Return the errors of outputs (n, classes); the predicted class is the largest output's."""
    squared = np.square(outputs - one_hot(labels, outputs.shape[1])).sum(axis=1).mean()
    return Errors(float((outputs.argmax(axis=1) != labels).mean()), float(squared))


def _labels(variant: Variant) -> NDArray[np.int64]:
    return np.asarray(variant.train_labels, dtype=np.int64)


def _test_outputs(test: Array, frequencies: Frequencies, features: int, weights: Array, models: int) -> list[Array]:
    """Return the outputs (n, classes) of every model, whose weights stand side by side."""
    blocks = (test[start : start + BLOCK] for start in range(0, len(test), BLOCK))
    return np.split(np.vstack([fourier_features(b, frequencies, features) @ weights for b in blocks]), models, axis=1)
