"""Experiment: int8 weights and activations on the CPU, as accurate and as fast as they are there."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

import torch
from torch import Tensor, nn

from rethinking.cells import Cell
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.measuring import Bench
from rethinking.experiments.records import Row
from rethinking.studies.quantisation.lowering import int8_network, why_unavailable
from rethinking.studies.quantisation.measuring import identity
from rethinking.studies.quantisation.quantiser import layers
from rethinking.studies.quantisation.vocabulary import FLOAT, INT8

BATCH = 64
"""Images at a time while ranges are noted."""

MEASURES = (
    "train_accuracy",
    "test_accuracy",
    "int8_calls",
    "float_calls",
    "single_milliseconds",
    "batch_milliseconds",
)

WARM_UP = 3
"""Evaluations before the first that is timed."""


def run(laboratory: Laboratory) -> Sequence[Row]:
    """Return two rows for each network: in float32, and in int8; the latter says why where this machine cannot."""
    return [row for cell in laboratory.experiment.cells for row in _rows(laboratory, cell)]


def _rows(laboratory: Laboratory, cell: Cell) -> list[Row]:
    network, bench, settings = laboratory.network(cell), Bench(laboratory, cell), laboratory.settings

    def row(arithmetic: str, note: str, measured: dict[str, float | int | None]) -> Row:
        about = {"arithmetic": arithmetic, "layers": len(layers(network)), "batch": settings["batch"], "note": note}
        return {**identity(cell), **about, **dict.fromkeys(MEASURES), **measured}

    def measured(computing: nn.Module) -> dict[str, float | int | None]:
        images = bench.test.batch(slice(0, settings["batch"]))[0]
        with _one_thread():
            times = {
                "single_milliseconds": 1000 * latency(computing, images[:1], settings["repetitions"]),
                "batch_milliseconds": 1000 * latency(computing, images, settings["repetitions"]),
            }
        return {**bench.accuracies(computing), **times}

    whole = row(FLOAT, "", measured(network))
    if reason := why_unavailable():
        return [whole, row(INT8, reason, {})]
    calibration = torch.split(bench.train.batch(slice(0, settings["calibration_examples"]))[0], BATCH)
    quantised = int8_network(network, calibration)
    calls: dict[str, float | int | None] = {"int8_calls": quantised.int8_calls, "float_calls": quantised.float_calls}
    return [whole, row(INT8, "", measured(quantised) | calls)]


@torch.no_grad()
def latency(network: nn.Module, images: Tensor, repetitions: int) -> float:
    """Return the median time, in seconds, that an evaluation of these images takes."""
    images = images.to(memory_format=torch.channels_last)  # the faster of both layouts in float32
    taken = []
    for _ in range(WARM_UP + repetitions):
        begun = time.perf_counter()
        network(images)
        taken.append(time.perf_counter() - begun)
    return median(taken[WARM_UP:])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute with one thread: the time of several depends on what else the machine does."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
