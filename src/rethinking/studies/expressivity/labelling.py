"""Experiment: represent one labelling of a whole training set by networks of two and of more layers."""

import time

import numpy as np
from numpy.typing import NDArray

from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.records import Row
from rethinking.studies.expressivity.depth import deepened
from rethinking.studies.expressivity.points import labelled
from rethinking.studies.expressivity.theorem import (
    CHOICES,
    Array,
    Points,
    Sample,
    exact_error,
    represent,
    separated,
    smallest_eigenvalue,
)
from rethinking.studies.expressivity.vocabulary import ALTERNATING, INPUTS, PIXELS, TWO_LAYERS


def run(laboratory: Laboratory) -> list[Row]:
    """Return one row a network: for each kind of input and choice of thresholds one of two layers, and those of depth.

    Errors are the largest of all examples: `largest_error` of the outputs as prefix sums give them (for more than two
    layers, as the layers do), `exact_error` of the network as its numbers stand, without rounding, and `unit_error` of
    outputs computed unit by unit, from the images on, at no more than `checked` examples drawn at random.
    """
    settings = laboratory.settings
    points, labels = labelled(laboratory)
    checked = np.random.default_rng([settings["seed"], 1]).permutation(len(labels))[: settings["checked"]]
    rows: list[Row] = []
    for kind in INPUTS:
        begun = time.perf_counter()
        sample = separated(points[kind], labels, np.random.default_rng(settings["seed"]))
        seconds = time.perf_counter() - begun
        for name, thresholds in CHOICES.items():
            begun = time.perf_counter()
            network = represent(sample, thresholds)
            outputs = network.along(sample.positions)
            took = seconds + time.perf_counter() - begun
            at = network(points[kind][checked])
            rows.append(
                _row(laboratory, sample, kind, name, len(labels))
                | {
                    "depth": TWO_LAYERS,
                    "width": len(network.thresholds),
                    "weights": network.parameters,
                    "smallest_eigenvalue": smallest_eigenvalue(network, sample.positions),
                    "largest_error": _largest(outputs, sample.values),
                    "exact_error": exact_error(network, sample),
                    "unit_error": _largest(at, labels[checked]),
                    "accuracy": _accuracy(outputs, sample.values),
                    "unit_accuracy": _accuracy(at, labels[checked]),
                    "seconds": took,
                }
            )
    return [*rows, *_of_depth(laboratory, points[PIXELS], labels)]


def _of_depth(laboratory: Laboratory, points: Points, labels: NDArray[np.int64]) -> list[Row]:
    sample = separated(points, labels, np.random.default_rng(laboratory.settings["seed"]))
    two_layers = represent(sample)
    rows: list[Row] = []
    for depth in laboratory.settings["depths"]:
        begun = time.perf_counter()
        network = deepened(two_layers, depth)
        outputs = network(points)
        took = time.perf_counter() - begun
        error, accuracy = _largest(outputs, labels), _accuracy(outputs, labels)
        rows.append(
            _row(laboratory, sample, PIXELS, ALTERNATING, len(labels))
            | {
                "depth": network.depth,
                "width": network.width,
                "weights": network.parameters,
                "smallest_eigenvalue": smallest_eigenvalue(two_layers, sample.positions),
                "largest_error": error,
                "exact_error": None,
                "unit_error": error,
                "accuracy": accuracy,
                "unit_accuracy": accuracy,
                "seconds": took,
            }
        )
    return rows


def _row(
    laboratory: Laboratory, sample: Sample, kind: str, thresholds: str, examples: int
) -> dict[str, str | int | float]:
    return {
        "dataset": laboratory.settings["dataset"],
        "corruption": laboratory.settings["corruption"],
        "inputs": kind,
        "thresholds": thresholds,
        "examples": examples,
        "duplicates": sample.duplicates,
        "values": len(sample.direction),
        "smallest_gap": sample.smallest_gap,
        "relative_gap": sample.relative_gap,
    }


def _largest(outputs: Array, targets: NDArray[np.int64] | Array) -> float:
    return float(np.abs(outputs - targets).max())


def _accuracy(outputs: Array, targets: NDArray[np.int64] | Array) -> float:
    """Return the fraction of outputs whose nearest whole number is the label."""
    return float((np.rint(outputs) == targets).mean())
