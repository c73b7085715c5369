"""Experiment: time, memory and error of representing random labels, by the number of examples."""

import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.records import Row
from rethinking.studies.expressivity.points import labelled
from rethinking.studies.expressivity.theorem import (
    CHOICES,
    Array,
    Points,
    Sample,
    Thresholds,
    TwoLayer,
    represent,
    separated,
)
from rethinking.studies.expressivity.vocabulary import ALTERNATING, INPUTS, MATRIX, PIXELS, SUBSTITUTION

Result = TypeVar("Result")


def run(laboratory: Laboratory) -> list[Row]:
    """Return one row a size, kind of input and choice of thresholds, and one a size that is also solved as a matrix.

    `seconds_project` are those of projecting and sorting the points, `seconds_solve` those of finding thresholds and
    weights, `seconds_evaluate` those of the outputs at all points; medians over repetitions. `bytes` is the most memory
    that the last two take at once; of the matrix, its own size.
    """
    settings = laboratory.settings
    points, labels = labelled(laboratory)
    repetitions = settings["repetitions"]
    rows: list[Row] = []
    for size in [*(size for size in settings["sizes"] if size < len(labels)), len(labels)]:
        for kind in INPUTS:
            examples = points[kind][:size]
            project, sample = _timed(repetitions, partial(_separated, examples, labels[:size], settings["seed"]))
            for name, thresholds in CHOICES.items():
                solve, network = _timed(repetitions, partial(represent, sample, thresholds))
                evaluate, outputs = _timed(repetitions, partial(network.along, sample.positions))
                row: dict[str, str | int | float] = {
                    "dataset": settings["dataset"],
                    "examples": size,
                    "values": examples.shape[1],
                    "inputs": kind,
                    "thresholds": name,
                    "solver": SUBSTITUTION,
                    "largest_error": _largest_error(outputs, sample),
                    "relative_gap": sample.relative_gap,
                    "seconds_project": project,
                    "seconds_solve": solve,
                    "seconds_evaluate": evaluate,
                    "bytes": _most_bytes(sample, thresholds),
                }
                rows.append(row)
                if (kind, name) == (PIXELS, ALTERNATING) and size <= settings["dense_up_to"]:
                    seconds, (_, outputs) = _timed(repetitions, partial(solved_as_matrix, sample, network))
                    rows.append(
                        row
                        | {
                            "solver": MATRIX,
                            "largest_error": _largest_error(outputs, sample),
                            "seconds_solve": seconds,
                            "seconds_evaluate": 0.0,
                            "bytes": 8 * size**2,
                        }
                    )
    return rows


def solved_as_matrix(sample: Sample, network: TwoLayer) -> tuple[Array, Array]:
    """Return the weights (n,) that the network's thresholds ask for, and the outputs, by the whole system: O(n^2)."""
    system = np.maximum(sample.positions[:, None] - network.thresholds[None, :], 0.0)
    weights = linalg.solve_triangular(system, sample.values, lower=True, check_finite=False)
    return weights, system @ weights


def _separated(points: Points, labels: NDArray[np.int64], seed: int) -> Sample:
    return separated(points, labels, np.random.default_rng(seed))


def _largest_error(outputs: Array, sample: Sample) -> float:
    return float(np.abs(outputs - sample.values).max())


def _timed(repetitions: int, action: Callable[[], Result]) -> tuple[float, Result]:
    """Return the median wall time of an action, seconds, and what it returned."""
    times = []
    for _ in range(repetitions):
        begun = time.perf_counter()
        result = action()
        times.append(time.perf_counter() - begun)
    return median(times), result


def _most_bytes(sample: Sample, thresholds: Thresholds) -> int:
    tracemalloc.start()
    represent(sample, thresholds).along(sample.positions)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
