"""How fast training is, beside the plain loop and with several cells at once: `benchmarks/speed.csv`."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rethinking import provenance
from rethinking.cells import Cell
from rethinking.cost.benchmark import seconds_beside_epochs, threads_here
from rethinking.cost.estimate import available_cores, examples
from rethinking.cost.measurements import Timed, Workload
from rethinking.cost.throughput import Compared, compare_alone, train_together
from rethinking.cost.work import write_random_variant
from rethinking.hardware import visible_gpus
from rethinking.names import base_model, model_width, whole_dataset
from rethinking.params import Params
from rethinking.recipe import Recipe
from rethinking.runs import training_code
from rethinking.trainer.broker import start_broker

if TYPE_CHECKING:
    from rethinking.training.devices import Execution

SPEED = Path("benchmarks/speed.csv")
ALONE = 1


class Speed(Timed):
    """One line: how fast one network trains on one device. What the plain loop does is empty for several at once."""

    images_per_second: float = Field(gt=0)
    """In training, of all cells together."""
    plain_images_per_second: float | None = None
    """Of the plain loop (`rethinking.cost.plain_loop`), in float32, with a process for each thread of a cell that reads
    ahead on a GPU; on a CPU it reads by itself."""
    ratio: float | None = None
    """Of the two: the median over stretches that were timed one right after the other."""
    gain: float | None = None
    """Several at once: as a multiple of one alone, the median over turns of both; for one alone empty."""
    flops_per_image: int | None = None
    """Floating-point operations of a training step in matrix products and convolutions, forward and backward."""
    arithmetic_share: float | None = None
    """How much of the device's arithmetic that is: of what it attains in large matrix products, in this precision."""
    cells_per_hour: float = Field(gt=0)
    """Whole runs with all their epochs, evaluations and starts, of all cells together."""
    plain_cells_per_hour: float | None = None
    """The same runs by the plain loop, evaluated on the test set after each epoch and started in a process each."""
    startup_seconds: float | None = None
    """Wall time beside the epochs of a run in a process of its own: importing torch, loading and verifying the data,
    writing the run."""
    warm_startup_seconds: float | None = None
    """The same as the workflow has it, in a process that has trained another cell before."""
    peak_memory_bytes: int | None = None
    """Of the process that trains, when it has trained and evaluated; with a whole epoch's data in `training.csv`."""
    date: str
    torch: str
    code: str
    commit: str = ""


def table(measured: Iterable[Speed]) -> str:
    """Return what was measured as a table, one line a network and number of cells at once."""
    heads = ["", "at once", "images/s", "plain loop", "ratio", "gain", "arithmetic"]
    heads += ["cells/h", "plain", "start s", "warm", "memory MB"]
    rows: list[list[str]] = [heads]
    for found in measured:
        numbers = (
            (found.images_per_second, ",.0f"),
            (found.plain_images_per_second, ",.0f"),
            (found.ratio, ".2f"),
            (found.gain, ".2f"),
            (found.arithmetic_share, ".1%"),
            (found.cells_per_hour, ",.3g" if found.cells_per_hour < 100 else ",.0f"),
            (found.plain_cells_per_hour, ",.3g" if (found.plain_cells_per_hour or 0) < 100 else ",.0f"),
            (found.startup_seconds, ".1f"),
            (found.warm_startup_seconds, ".2f"),
            (None if found.peak_memory_bytes is None else found.peak_memory_bytes / 1e6, ",.0f"),
        )
        shown = ("" if number is None else format(number, style) for number, style in numbers)
        rows.append([str(found.workload), str(found.cells_at_once), *shown])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def measure_speed(params: Params, cells: Iterable[Cell]) -> Iterator[Speed]:
    """Measure one cell of each model of `cells`, with the device, precision and threads of a run of `params` here.

    First alone beside the plain loop, then with as many at once as fit: powers of two up to the number of cores, or to
    twice those that share a GPU. Raises UserError if the device asked for is not there.
    """
    from rethinking.training import devices

    wanted = params.execution
    threads = threads_here(params)
    execution = devices.choose(wanted.device, wanted.precision, threads, wanted.cuda_graphs)
    most = available_cores() if execution.device.type == "cpu" else 2 * wanted.runs_per_gpu
    starts: dict[str, tuple[float, float]] = {}
    for cell in representatives(params, cells):
        recipe = params.recipe(cell)
        if recipe.dataset not in starts:
            starts[recipe.dataset] = _starts(params, cell, execution)
        cold, warm = starts[recipe.dataset]
        found = compare_alone(params, cell, threads)
        common = _common(recipe, found)
        yield Speed(
            **common,
            cells_at_once=ALONE,
            images_per_second=1 / found.ours,
            plain_images_per_second=1 / found.plain,
            ratio=found.ratio,
            arithmetic_share=found.flops / found.ours / found.flops_per_second,
            cells_per_hour=3600 / _cell_seconds(recipe, found.ours, found.ours_evaluated, warm),
            plain_cells_per_hour=3600 / _plain_cell_seconds(recipe, found, cold),
            startup_seconds=cold,
            warm_startup_seconds=warm,
            peak_memory_bytes=found.peak_memory_bytes,
        )
        at_once = 2 * ALONE
        while at_once <= most:
            together = train_together(params, cell, threads, at_once)
            cores = at_once if execution.device.type == "cpu" else 1  # a cell has one core, all cells have one GPU
            # Evaluations gain what training gains; starts are as long as they are.
            share = at_once / together.gain
            each = _cell_seconds(recipe, found.ours * share, found.ours_evaluated * share, warm)
            yield Speed(
                **common,
                cells_at_once=at_once,
                images_per_second=together.images_per_second,
                gain=together.gain,
                arithmetic_share=found.flops * together.gain / found.ours / (found.flops_per_second * cores),
                cells_per_hour=at_once * 3600 / each,
                warm_startup_seconds=warm,
            )
            at_once *= 2


def representatives(params: Params, cells: Iterable[Cell]) -> list[Cell]:
    """Return one cell of each data set and model: of the widest, without a regularizer if there is such a cell."""

    def order(cell: Cell) -> tuple[int, bool]:
        return model_width(cell.model) or int(params.model(cell.model).width), cell.regularizer == "none"

    chosen: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        key = whole_dataset(cell.dataset), base_model(cell.model)
        if key not in chosen or order(cell) > order(chosen[key]):
            chosen[key] = cell
    return list(chosen.values())


def _cell_seconds(recipe: Recipe, image: float, evaluated: float, start: float) -> float:
    train, test = examples(recipe)
    on_train = -(-recipe.epochs // recipe.train_evaluation_period)
    return start + recipe.epochs * (train * image + test * evaluated) + on_train * train * evaluated


def _plain_cell_seconds(recipe: Recipe, found: Compared, start: float) -> float:
    train, test = examples(recipe)
    return start + recipe.epochs * (train * found.plain + test * found.plain_evaluated)


def _starts(params: Params, cell: Cell, execution: "Execution") -> tuple[float, float]:
    """Return the wall seconds that a run takes beside its epochs: in a process of its own, and in the workflow's."""
    with tempfile.TemporaryDirectory(prefix="rethinking-benchmark-") as name:
        write_random_variant(Path(name) / "data", params.recipe(cell).dataset)
        alone = seconds_beside_epochs(params, cell, Path(name), time.perf_counter)
        start_broker(visible_gpus() if execution.device.type == "cuda" else [])
        return alone, seconds_beside_epochs(params, cell, Path(name), time.perf_counter, by_workers=True)


def _common(recipe: Recipe, found: Compared) -> dict[str, Any]:
    import torch

    checkout = provenance.checkout()
    return {
        **Workload.of(recipe)._asdict(),
        **found.device,
        "flops_per_image": found.flops,
        "date": provenance.now()[:10],
        "torch": str(torch.__version__),
        "code": training_code(recipe),
        "commit": f"{checkout.commit or ''}{'-dirty' if checkout.uncommitted_changes else ''}",
    }
