"""Measuring what training costs on this machine, through the training code itself.

Images are drawn at random in the shape and type of the data set's, which therefore need not be here: what a step costs
does not depend on what images show. A few seconds of each workload are timed; `rethinking.cost.estimate` multiplies.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from rethinking import provenance
from rethinking.cells import Cell
from rethinking.cost import timing
from rethinking.cost.estimate import available_cores
from rethinking.cost.measurements import Measurement, Workload
from rethinking.cost.work import evaluation_block, peak_memory_bytes, training_stretch, write_random_variant
from rethinking.hardware import accelerators, threads_per_run
from rethinking.names import whole_dataset
from rethinking.params import Params
from rethinking.recipe import Recipe
from rethinking.records import read_metrics
from rethinking.runs import training_code
from rethinking.trainer import messages

if TYPE_CHECKING:
    from torch import nn

    from rethinking.training.devices import Execution

STARTS = 3
"""Training processes whose start is timed, after one that brings torch's files into memory."""
QUIET = 0.95
"""CPU seconds a second below which a measurement is called disturbed."""


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
        note = f" (other programs took {1 - self.busy:.0%} of the core: repeat when quiet)" if disturbed else ""
        return f"{found.workload}: {steps}, {evaluation}, start {found.startup_seconds:.2g} s{note}"


def benchmark(params: Params, cells: Iterable[Cell]) -> Iterator[Measured]:
    """Measure each workload of `cells` with the device, the precision and the threads that a run of `params` would take
    on this machine, one after the other.

    Each is measured in a process of its own, as each cell is trained in one: what memory costs depends on what the
    process has done before (steps of the MLP 3x512 took up to twice as long in a new process as in an old one).
    Raises UserError if the device asked for is not there.
    """
    from rethinking.training import devices

    threads = threads_here(params)
    execution = devices.choose(
        params.execution.device, params.execution.precision, threads, params.execution.cuda_graphs
    )
    checkout = provenance.checkout()
    chosen: dict[Workload, Cell] = {}
    for cell in cells:
        chosen.setdefault(Workload.of(params.recipe(cell)), cell)
    evaluations: dict[tuple[str, int, str], float] = {}
    for dataset in dict.fromkeys(workload.dataset for workload in chosen):
        with tempfile.TemporaryDirectory(prefix="rethinking-benchmark-") as name:
            root = Path(name)
            write_random_variant(root / "data", dataset)
            of_dataset = {workload: cell for workload, cell in chosen.items() if workload.dataset == dataset}
            startup = seconds_beside_epochs(
                params, next(iter(of_dataset.values())), root, lambda: timing.clock(execution)
            )
            for workload, cell in of_dataset.items():
                known = evaluations.get(workload.network)
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                    measured = process.submit(measure, params, cell, root, threads, checkout, startup, known).result()
                evaluations[workload.network] = measured.measurement.seconds_per_1000_evaluated
                yield measured


def seconds_beside_epochs(
    params: Params, cell: Cell, root: Path, clock: Callable[[], float], by_workers: bool = False
) -> float:
    """Return what `rethinking train` takes beside its epochs: the median of a few runs of one epoch of one batch.

    `root/data` holds a variant `true` of the data set of `cell`, which is loaded and verified whole. The run is started
    in a process of its own, or handed to workers, for which there must be a broker in this process. `clock` reads
    seconds.
    """
    settings = params.model_dump(mode="json")
    settings["training"]["epochs"], settings["exceptions"] = 1, []
    dataset = whole_dataset(cell.dataset)
    settings["datasets"][dataset]["train_examples"] = settings["training"]["batch_size"]
    content = yaml.safe_dump({**settings, "presets": {params.preset: {}}})
    (root / "params.yaml").write_text(content, encoding="utf-8")
    threads = str(threads_here(params))
    trained = Cell(dataset, cell.model, "true", "none", cell.seed)
    command = [sys.executable, "-c", "from rethinking.cli import main; main()", "train", str(trained)]
    command += ["--preset", params.preset, "--threads", threads]
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    if not by_workers:
        environment[messages.VARIABLE] = messages.OFF

    taken = []
    for _ in range(1 + STARTS):
        started = clock()
        subprocess.run(command, cwd=root, env=environment, stdout=subprocess.DEVNULL, check=True)
        seconds = clock() - started
        taken.append(seconds - read_metrics(root / trained.run_folder(params.preset) / "metrics.json").seconds)
    return statistics.median(taken[1:])


def threads_here(params: Params) -> int:
    """Return how many threads a run of `params` takes on this machine."""
    wanted = params.execution
    gpus = 0 if wanted.device == "cpu" else accelerators()
    return threads_per_run(available_cores(), gpus, wanted.runs_per_gpu)


def measure(
    params: Params,
    cell: Cell,
    root: Path,
    threads: int,
    checkout: provenance.Checkout,
    startup_seconds: float,
    seconds_per_1000_evaluated: float | None = None,
) -> Measured:
    """Measure the workload of `cell` in this process, which should have done nothing else.

    `root/data` holds a variant `true` of the data set; `startup_seconds` are those of a run that prepares one batch of
    it. Evaluation is timed unless what it takes is given.
    """
    os.environ.update(OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))  # as in the workflow
    import torch

    from rethinking.training import devices
    from rethinking.training.run import run

    execution = devices.choose(
        params.execution.device, params.execution.precision, threads, params.execution.cuda_graphs
    )
    recipe = params.recipe(cell)

    def prepared(examples: int | None) -> "nn.Module":
        """Return the network as the training code makes it, with the data loaded: a run without epochs."""
        changes = {"corruption": "true", "epochs": 0, "train_examples": examples, "train_subset": None}
        untrained = recipe.model_copy(update=changes)
        return run(untrained, root / "data", execution, root / "run", "", lambda epoch: None).network

    one_batch = timing.timed(lambda: prepared(recipe.batch_size), execution)
    started = timing.clock(execution)
    network = prepared(recipe.train_examples)
    preparation = max(0.0, timing.clock(execution) - started - one_batch)
    if seconds_per_1000_evaluated is None:
        seconds_per_1000_evaluated = 1000 * _seconds_per_evaluated(network, recipe, execution)
    seconds_per_step, busy = _seconds_per_step(network, recipe, execution)
    described: dict[str, Any] = execution.describe()
    del described["processes"]  # one
    measurement = Measurement(
        **Workload.of(recipe)._asdict(),
        **described,
        cells_at_once=1,
        seconds_per_step=seconds_per_step,
        seconds_per_1000_evaluated=seconds_per_1000_evaluated,
        startup_seconds=startup_seconds + preparation,
        weights_bytes=_weights_bytes(network),
        peak_memory_bytes=peak_memory_bytes(execution),
        date=provenance.now()[:10],
        torch=str(torch.__version__),
        code=training_code(recipe),
        commit=f"{checkout.commit or ''}{'-dirty' if checkout.uncommitted_changes else ''}",
    )
    return Measured(measurement, busy)


def _seconds_per_step(network: "nn.Module", recipe: Recipe, execution: "Execution") -> tuple[float, float]:
    """Return the seconds of a training step, and CPU seconds a second meanwhile."""
    stretch, steps = training_stretch(network, recipe, execution)
    taken, busy = timing.median(stretch, execution)
    return taken / steps, busy


def _seconds_per_evaluated(network: "nn.Module", recipe: Recipe, execution: "Execution") -> float:
    """Return the seconds that evaluating one example takes, in the precision of training."""
    evaluation, examples = evaluation_block(network, recipe, execution)
    return timing.median(evaluation, execution)[0] / examples


def _weights_bytes(network: "nn.Module") -> int:
    """Return the size of the file in which `rethinking.runs` keeps the weights."""
    from safetensors.torch import save

    return len(save({name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}))
