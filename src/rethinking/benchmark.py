"""Measuring what training costs on this machine, through the training code itself.

Images are drawn at random in the shape and type of the data set's, which therefore need not be here: what a step costs
does not depend on what images show. A few seconds of each workload are timed; `rethinking.estimate` multiplies.

On a CPU, seconds are those that the core worked for the process, as other programs on the machine do not add to them.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import yaml

from rethinking import provenance
from rethinking.cells import Cell
from rethinking.data.sources import DATASETS
from rethinking.data.variants import ARRAYS, write_variant
from rethinking.estimate import available_cores
from rethinking.hardware import accelerators, threads_per_run
from rethinking.measurements import Measurement, Workload
from rethinking.params import Params
from rethinking.recipe import Recipe
from rethinking.records import read_metrics
from rethinking.runs import training_code

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rethinking.data.images import DeviceImages
    from rethinking.training.devices import Execution

TIMED_SECONDS = 3.0
"""Wall time over which training is timed at least, and evaluation as well."""
TIMED_STRETCHES = 5
"""Stretches that are timed at least: their median counts."""
STRETCH_SECONDS = 0.3
"""How long a stretch of training steps takes, about: reading the loss at its end makes a GPU wait, once for many."""
PREPARED = 8192
"""Images whose preparation is timed."""
QUIET = 0.95
"""CPU seconds a second below which a measurement is called disturbed."""
STARTS = 3
"""Training processes whose start is timed, after one that brings torch's files into memory."""


class Measured(NamedTuple):
    """A measurement, and how quiet the machine was."""

    measurement: Measurement
    busy: float
    """CPU seconds a second while training steps were timed: on a CPU, clearly below 1 where other programs took part of
    the core. They then take cache and memory, too, so that the seconds counted are more than on a quiet machine."""

    def __str__(self) -> str:
        found = self.measurement
        steps = f"{1000 * found.seconds_per_step:.4g} ms a step"
        evaluation = f"{found.seconds_per_1000_evaluated:.3g} s for 1,000 evaluated"
        disturbed = found.device == "cpu" and self.busy < QUIET
        note = (
            f" (other programs took {1 - self.busy:.0%} of the core: repeat when they have ended)" if disturbed else ""
        )
        return f"{found.workload}: {steps}, {evaluation}, start {found.startup_seconds:.2g} s{note}"


def benchmark(params: Params, cells: Iterable[Cell]) -> Iterator[Measured]:
    """Measure each workload of `cells`, one training process at a time, with the device, the precision and the threads
    that a run of `params` would take on this machine.

    Raises UserError if the device asked for is not there.
    """
    checkout = provenance.checkout()  # as things are when the code is read
    from rethinking.training import devices

    wanted = params.execution
    gpus = 0 if wanted.device == "cpu" else accelerators()
    threads = threads_per_run(available_cores(), gpus, wanted.runs_per_gpu)
    execution = devices.choose(wanted.device, wanted.precision, threads)

    chosen: dict[Workload, Cell] = {}
    for cell in cells:
        chosen.setdefault(Workload.of(params.recipe(cell)), cell)
    for dataset in dict.fromkeys(workload.dataset for workload in chosen):
        of_dataset = [(workload, cell) for workload, cell in chosen.items() if workload.dataset == dataset]
        with tempfile.TemporaryDirectory(prefix="rethinking-benchmark-") as name:
            root = Path(name)
            _write_random_variant(root / "data", dataset)
            startup = _startup_seconds(root, params, of_dataset[0][1], execution)
            evaluations: dict[tuple[str, int, str], float] = {}
            for workload, cell in of_dataset:
                recipe = params.recipe(cell)
                network = _network(root, recipe, execution)
                if workload.network not in evaluations:
                    evaluations[workload.network] = _seconds_per_evaluated(network, recipe, execution)
                per_step, busy = _seconds_per_step(network, recipe, execution)
                yield Measured(
                    Measurement(
                        **workload._asdict(),
                        **_circumstances(recipe, execution, checkout),
                        seconds_per_step=per_step,
                        seconds_per_1000_evaluated=1000 * evaluations[workload.network],
                        startup_seconds=startup + _preparation_seconds(recipe, execution),
                        weights_bytes=_weights_bytes(network),
                    ),
                    busy,
                )


def _seconds_per_step(network: "nn.Module", recipe: Recipe, execution: "Execution") -> tuple[float, float]:
    """Return the seconds of a training step, and CPU seconds a second meanwhile."""
    from rethinking.training.loop import one_epoch
    from rethinking.training.optimiser import sgd

    network.train()
    optimiser = sgd(network, recipe)
    epochs = count()

    def epoch_of(steps: int) -> Callable[[], object]:
        split = _random_split(recipe, steps * recipe.batch_size, execution, augment=True)
        return lambda: one_epoch(network, optimiser, recipe, execution, split, next(epochs))

    one_step = epoch_of(1)
    one_step()  # chooses kernels and takes memory
    whole_epoch = _steps(recipe.batch_size, DATASETS[recipe.dataset].n_train)
    steps = min(whole_epoch, max(1, round(STRETCH_SECONDS / _timed(one_step, execution))))
    stretch = epoch_of(steps)
    stretch()
    seconds, busy = _median(stretch, execution)
    return seconds / steps, busy


def _steps(batch_size: int, examples: int) -> int:
    return -(-examples // batch_size)


def _seconds_per_evaluated(network: "nn.Module", recipe: Recipe, execution: "Execution") -> float:
    """Return the seconds that evaluating one example takes, in blocks as large as training evaluates."""
    from rethinking.training.evaluate import BLOCK, LARGE_BLOCK, evaluate

    block = min(BLOCK.get(execution.device.type, LARGE_BLOCK), DATASETS[recipe.dataset].n_train)
    split = _random_split(recipe, block, execution, augment=False)
    evaluate(network, split)
    return _median(lambda: evaluate(network, split), execution)[0] / block


def _preparation_seconds(recipe: Recipe, execution: "Execution") -> float:
    """Return what cropping and whitening the whole data set takes, once a run."""
    from rethinking.data.images import DeviceImages

    dataset = DATASETS[recipe.dataset]
    images, labels = _random_examples(recipe, min(PREPARED, dataset.n_train), execution)

    def prepare() -> None:
        DeviceImages(images, labels, recipe, augment=False).stored[0, 0, 0, 0].item()  # a GPU is waited for

    prepare()
    return _timed(prepare, execution) / len(labels) * (dataset.n_train + dataset.n_test)


def _network(root: Path, recipe: Recipe, execution: "Execution") -> "nn.Module":
    """Return the network as the training code makes it, on the device: that of a run without epochs."""
    from rethinking.training.run import run

    untrained = recipe.model_copy(update={"corruption": "true", "train_examples": recipe.batch_size, "epochs": 0})
    return run(untrained, root / "data", execution, root / "run", "", lambda epoch: None).network


def _weights_bytes(network: "nn.Module") -> int:
    """Return the size of the file in which `rethinking.runs` keeps the weights."""
    from safetensors.torch import save

    return len(save({name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}))


def _random_split(recipe: Recipe, examples: int, execution: "Execution", augment: bool) -> "DeviceImages":
    from rethinking.data.images import DeviceImages

    images, labels = _random_examples(recipe, examples, execution)
    return DeviceImages(images, labels, recipe, augment)


def _random_examples(recipe: Recipe, examples: int, execution: "Execution") -> "tuple[Tensor, Tensor]":
    """Return images (n, c, h, w) uint8 and labels (n,) int64, on the device."""
    import torch

    dataset, generator = DATASETS[recipe.dataset], torch.Generator().manual_seed(0)
    images = torch.randint(256, (examples, *dataset.image_shape), dtype=torch.uint8, generator=generator)
    labels = torch.randint(len(dataset.classes), (examples,), generator=generator)
    return images.to(execution.device), labels.to(execution.device)


def _write_random_variant(data_root: Path, dataset: str) -> None:
    """Write a variant `true` of random images, in the shape and type of the data set's."""
    of, rng = DATASETS[dataset], np.random.default_rng(0)
    arrays = [
        drawn
        for size in (of.n_train, of.n_test)
        for drawn in (
            rng.integers(256, size=(size, *of.image_shape), dtype=np.uint8),
            rng.integers(len(of.classes), size=size, dtype=np.uint8),
        )
    ]
    described: dict[str, Any] = {"dataset": dataset, "corruption": "true", "seed": None, "source": {}}
    described["classes"] = list(of.classes)
    write_variant(data_root / dataset / "true", described, zip(ARRAYS, arrays, strict=True))


def _startup_seconds(root: Path, params: Params, cell: Cell, execution: "Execution") -> float:
    """Return what `rethinking train` takes beside its epochs: that of one epoch of one batch, the data loaded whole."""
    settings = params.model_dump(mode="json")
    settings["training"]["epochs"], settings["exceptions"] = 1, []
    settings["datasets"][cell.dataset]["train_examples"] = settings["training"]["batch_size"]
    content = yaml.safe_dump({**settings, "presets": {params.preset: {}}})
    (root / "params.yaml").write_text(content, encoding="utf-8")
    threads = str(execution.describe()["threads"])
    trained = Cell(cell.dataset, cell.model, "true", "none", cell.seed)
    command = [sys.executable, "-c", "from rethinking.cli import main; main()", "train", str(trained)]
    command += ["--preset", params.preset, "--threads", threads]
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}

    def start() -> None:
        subprocess.run(command, cwd=root, env=environment, stdout=subprocess.DEVNULL, check=True)

    taken = []
    for _ in range(1 + STARTS):
        seconds = _timed(start, execution)
        taken.append(seconds - read_metrics(root / trained.run_folder(params.preset) / "metrics.json").seconds)
    return statistics.median(taken[1:])


def _circumstances(recipe: Recipe, execution: "Execution", checkout: provenance.Checkout) -> dict[str, Any]:
    """Return what a measurement says of device, time and code."""
    import torch

    return {
        **execution.describe(),
        "cells_at_once": 1,
        "date": provenance.now()[:10],
        "torch": str(torch.__version__),
        "code": training_code(recipe),
        "commit": f"{checkout.commit or ''}{'-dirty' if checkout.uncommitted_changes else ''}",
    }


def _median(work: Callable[[], object], execution: "Execution") -> tuple[float, float]:
    """Return the median of the seconds that `work` takes, and CPU seconds a second meanwhile."""
    taken: list[float] = []
    started = time.perf_counter(), _cpu_seconds()
    while len(taken) < TIMED_STRETCHES or time.perf_counter() - started[0] < TIMED_SECONDS:
        taken.append(_timed(work, execution))
    return statistics.median(taken), (_cpu_seconds() - started[1]) / (time.perf_counter() - started[0])


def _timed(work: Callable[[], object], execution: "Execution") -> float:
    """Return the seconds that `work` takes: of the CPU where it trains on one, else of the wall."""
    clock = _cpu_seconds if execution.device.type == "cpu" else time.perf_counter
    started = clock()
    work()
    return clock() - started


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process and of the children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
