"""Timing training in processes of their own: beside the plain loop, and several at once."""

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import TYPE_CHECKING, Any, NamedTuple

from rethinking.cells import Cell
from rethinking.cost import timing
from rethinking.cost.work import (
    evaluation_block,
    matrix_product,
    peak_memory_bytes,
    random_examples,
    training_flops,
    training_stretch,
)
from rethinking.params import Params
from rethinking.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

    from rethinking.training.devices import Execution

PLAIN_BATCHES = 20
"""Batches of a stretch of the plain loop at most; fewer where they take long."""
PLAIN_EVALUATED = 1000
"""Examples that the plain loop evaluates while it is timed."""


TURN_SECONDS = 1.0
"""Wall time that one process trains alone, and all together, in each turn."""


class Compared(NamedTuple):
    """Both loops in one process. Seconds are those of an image."""

    ours: float
    plain: float
    ratio: float
    ours_evaluated: float
    plain_evaluated: float
    peak_memory_bytes: int
    flops: int
    """Floating-point operations of a training step for an image."""
    flops_per_second: float
    """What the device attains in large matrix products, in the precision of training."""
    device: dict[str, Any]


def compare_alone(params: Params, cell: Cell, threads: int) -> Compared:
    """Time both loops in a process that has done nothing else, and that is the only one at work."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(compare, params, cell, threads).result()


def compare(params: Params, cell: Cell, threads: int) -> Compared:
    """Time the training loop and the plain one in turns, in this process."""
    execution, recipe = _begin(params, cell, threads)
    import torch

    from rethinking.cost import plain_loop

    network = _network(recipe, execution)
    training, steps = training_stretch(network, recipe, execution)
    evaluation, evaluated = evaluation_block(network, recipe, execution)
    evaluated_seconds, _ = timing.median(evaluation, execution)
    peak = peak_memory_bytes(execution)
    product, product_flops = matrix_product(execution)
    product_seconds, _ = timing.median(product, execution)

    on_gpu = execution.device.type != "cpu"
    other = _network(recipe, execution).to(memory_format=torch.contiguous_format)
    optimiser = plain_loop.optimiser(other, recipe)

    def plain_epoch(batches: int) -> Callable[[], object]:
        images, labels = random_examples(recipe, batches * recipe.batch_size)
        workers = threads if on_gpu else 0
        loader = plain_loop.batches(images, labels, recipe, train=True, workers=workers, pin=on_gpu)
        return lambda: plain_loop.train_epoch(other, optimiser, loader, execution.device)

    one_batch = plain_epoch(1)
    one_batch()
    batches = round(timing.STRETCH_SECONDS / timing.timed(one_batch, execution))
    batches = max(1, min(PLAIN_BATCHES, batches))
    plain = plain_epoch(batches)
    plain()
    stretches = timing.alternately(training, plain, execution=execution)
    ours, theirs = (
        [seconds / (taken * recipe.batch_size) for seconds in of]
        for of, taken in zip(stretches, (steps, batches), strict=True)
    )
    images, labels = random_examples(recipe, PLAIN_EVALUATED)
    loader = plain_loop.batches(images, labels, recipe, train=False, workers=threads if on_gpu else 0, pin=on_gpu)
    plain_evaluated, _ = timing.median(lambda: plain_loop.evaluate(other, loader, execution.device), execution)
    return Compared(
        ours=statistics.median(ours),
        plain=statistics.median(theirs),
        ratio=statistics.median(b / a for a, b in zip(ours, theirs, strict=True)),
        ours_evaluated=evaluated_seconds / evaluated,
        plain_evaluated=plain_evaluated / PLAIN_EVALUATED,
        peak_memory_bytes=peak,
        flops=training_flops(other, recipe),
        flops_per_second=product_flops / product_seconds,
        device={key: value for key, value in execution.describe().items() if key != "processes"},
    )


class Together(NamedTuple):
    """Several processes that train at the same time."""

    images_per_second: float
    """Of all of them."""
    gain: float
    """As a multiple of what one of them does while the others wait: the median over turns of both."""


class Turn(NamedTuple):
    """Images a second of one process: while the others wait, 0 for one that waits itself, and with all at work."""

    alone: float
    together: float


def train_together(params: Params, cell: Cell, threads: int, at_once: int) -> Together:
    """Time so many processes that train the same cell, in turns with the first of them alone."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(at_once)
    with ProcessPoolExecutor(at_once, mp_context=context, initializer=_share, initargs=(barrier,)) as processes:
        jobs = [processes.submit(_in_turns, params, cell, threads, place) for place in range(at_once)]
        turns = list(zip(*(job.result() for job in jobs), strict=True))
    rates = [sum(each.together for each in turn) for turn in turns]
    gains = [rate / turn[0].alone for rate, turn in zip(rates, turns, strict=True)]
    return Together(statistics.median(rates), statistics.median(gains))


_barrier: Barrier | None = None


def _share(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _in_turns(params: Params, cell: Cell, threads: int, place: int) -> list[Turn]:
    """Return this process's images a second of the wall, turn by turn; the one at place 0 also trains alone."""
    execution, recipe = _begin(params, cell, threads)
    training, steps = training_stretch(_network(recipe, execution), recipe, execution)

    def rate() -> float:
        started, images = time.perf_counter(), 0
        while time.perf_counter() - started < TURN_SECONDS:
            training()
            images += steps * recipe.batch_size
        return images / (time.perf_counter() - started)

    assert _barrier is not None
    turns = []
    for _ in range(timing.TIMED_STRETCHES):
        _barrier.wait()
        alone = rate() if place == 0 else 0.0
        _barrier.wait()  # nobody leaves the others alone while they count
        turns.append(Turn(alone, rate()))
    _barrier.wait()
    return turns


def _begin(params: Params, cell: Cell, threads: int) -> "tuple[Execution, Recipe]":
    os.environ.update(OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))  # as in the workflow
    from rethinking.training import devices

    return devices.choose(
        params.execution.device, params.execution.precision, threads, params.execution.cuda_graphs
    ), params.recipe(cell)


def _network(recipe: Recipe, execution: "Execution") -> "nn.Module":
    import torch

    from rethinking.data.sources import DATASETS
    from rethinking.models import build

    dataset = DATASETS[recipe.dataset]
    shape = (dataset.image_shape[0], recipe.crop_size, recipe.crop_size)
    network = build(recipe, shape, len(dataset.classes)).to(execution.device)
    return network.to(memory_format=torch.channels_last)
