"""From cells and measurements to time and space: pure functions, nothing here looks at the disk or loads torch."""

import heapq
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean, median

from rethinking.cells import Cell
from rethinking.cost.measurements import Device, Measurement, Workload
from rethinking.data.sources import DATASETS
from rethinking.data.variants import ARRAYS, changed_arrays
from rethinking.names import subset_slice
from rethinking.params import ExecutionParams
from rethinking.recipe import Recipe

DISK_BLOCK = 4096
"""Bytes that files are rounded up to: most of what runs leave are small files, and most file systems do this."""

# Text files grow with the length of names and the number of digits: rounded up from runs of the preset smoke and from
# results/digits.
METRICS_BYTES = 4400
HISTORY_LINE_BYTES = 90
RECORD_BYTES = 2300
"""Snakemake's record of one output file."""
CELLS_LINE_BYTES = 330
HISTORIES_LINE_BYTES = 120


@dataclass(frozen=True)
class DeviceTime:
    """What training takes on one device."""

    device: Device
    seconds: Mapping[Cell, float]
    """Of each cell whose workload is measured there."""
    missing: Mapping[Cell, Workload]
    """The other cells' workloads."""
    other_code: bool
    """Whether a measurement that counts here was made with other training code than today's."""


def device_times(
    recipes: Mapping[Cell, Recipe],
    measurements: Iterable[Measurement],
    execution: ExecutionParams,
    code: Mapping[str, str],
) -> list[DeviceTime]:
    """Return the time of each cell on each device on which a workload of these recipes was measured.

    Measurements that `execution` rules out are passed over, and those of several cells at once. `code` is the training
    code's fingerprint for each architecture.
    """
    workloads = {cell: Workload.of(recipe) for cell, recipe in recipes.items()}
    needed = set(workloads.values())
    usable = [
        measurement
        for measurement in measurements
        if measurement.cells_at_once == 1
        and execution.device in ("auto", measurement.device)
        and execution.precision in ("auto", measurement.precision)
        and measurement.workload in needed
    ]
    times = []
    for device, rows in groupby(sorted(usable, key=lambda row: row.where), key=lambda row: row.where):
        of_workload = {row.workload: row for row in rows}
        known = {cell: row for cell, workload in workloads.items() if (row := of_workload.get(workload))}
        times.append(
            DeviceTime(
                device=device,
                seconds={cell: cell_seconds(recipes[cell], row) for cell, row in known.items()},
                missing={cell: workload for cell, workload in workloads.items() if cell not in known},
                other_code=any(row.code != code[row.model.partition(" ")[0]] for row in of_workload.values()),
            )
        )
    return times


def expected_seconds(recipes: Mapping[Cell, Recipe], measurements: Iterable[Measurement]) -> dict[Cell, float]:
    """Return about how long each cell trains compared with the others: what decides which of them start first.

    The mean over the devices on which a cell's workload was measured. A step of a workload that never was counts as the
    median of those on the same data set, and as 1 s where there are none.
    """
    measured: dict[Workload, list[Measurement]] = {}
    steps: dict[str, list[float]] = {}
    for measurement in measurements:
        if measurement.cells_at_once == 1:
            measured.setdefault(measurement.workload, []).append(measurement)
            steps.setdefault(measurement.dataset, []).append(measurement.seconds_per_step)
    usual = {dataset: median(seconds) for dataset, seconds in steps.items()}

    def seconds(recipe: Recipe) -> float:
        if rows := measured.get(Workload.of(recipe)):
            return fmean(cell_seconds(recipe, row) for row in rows)
        return recipe.epochs * math.ceil(examples(recipe)[0] / recipe.batch_size) * usual.get(recipe.dataset, 1.0)

    return {cell: seconds(recipe) for cell, recipe in recipes.items()}


def cell_seconds(recipe: Recipe, measured: Measurement) -> float:
    """Return the seconds of one training process: its start, its steps and its evaluations."""
    train, test = examples(recipe)
    steps = recipe.epochs * math.ceil(train / recipe.batch_size)
    evaluated = recipe.epochs * test + math.ceil(recipe.epochs / recipe.train_evaluation_period) * train
    training = steps * measured.seconds_per_step + evaluated / 1000 * measured.seconds_per_1000_evaluated
    return measured.startup_seconds + training


def examples(recipe: Recipe) -> tuple[int, int]:
    """Return how many training and test examples a run uses."""
    dataset = DATASETS[recipe.dataset]
    limit = math.inf if recipe.train_examples is None else recipe.train_examples
    train = subset_slice(recipe.train_subset, int(min(dataset.n_train, limit)))
    return train.stop - train.start, int(min(dataset.n_test, limit))


def wall_seconds(durations: Sequence[float], at_once: int) -> float:
    """Return when the last of jobs ends that are started in this order, `at_once` at a time."""
    ends = [0.0] * max(1, at_once)
    for duration in durations:
        heapq.heappush(ends, heapq.heappop(ends) + duration)
    return max(ends)


def available_cores() -> int:
    """Return the number of cores that this process may use, as `snakemake --cores all` counts them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def variant_bytes(dataset: str, corruption: str) -> int:
    """Return the space that one variant takes: images are stored again only where the corruption changes them."""
    of = DATASETS[dataset]
    changed = ARRAYS if corruption == "true" else changed_arrays(corruption)
    value = 2 if corruption == "gaussian" else 1  # float16, else uint8
    total = 0
    for array in changed:
        size = of.n_train if array.startswith("train") else of.n_test
        total += on_disk(128 + (size * math.prod(of.image_shape) * value if array.endswith("images") else size))
        total += on_disk(RECORD_BYTES)
    return total + 2 * on_disk(RECORD_BYTES)  # the manifest, which is as large, and its record


def weights_bytes(recipe: Recipe, measurements: Mapping[tuple[str, int, str], int]) -> int | None:
    """Return the space of a run's weights; `measurements` are those of networks. None where its is not known."""
    size = measurements.get(Workload.of(recipe).network)
    return None if size is None else on_disk(size)


def network_bytes(measurements: Iterable[Measurement]) -> dict[tuple[str, int, str], int]:
    """Return the size of each measured network's weights, which no device changes."""
    return {measurement.workload.network: measurement.weights_bytes for measurement in measurements}


def run_bytes(recipe: Recipe) -> int:
    """Return the space of a run's metrics, history and Snakemake's records, those of its weights included."""
    return on_disk(METRICS_BYTES) + on_disk(HISTORY_LINE_BYTES * (recipe.epochs + 1)) + 3 * on_disk(RECORD_BYTES)


def result_bytes(recipe: Recipe) -> int:
    """Return what a run adds to the collected results."""
    return CELLS_LINE_BYTES + HISTORIES_LINE_BYTES * recipe.epochs


def on_disk(size: int) -> int:
    """Return the space of a file of `size` bytes."""
    return math.ceil(size / DISK_BLOCK) * DISK_BLOCK


def needed_variants(cells: Iterable[Cell]) -> set[tuple[str, str]]:
    """Return the data set and corruption of all variants that `cells` are trained on: also the originals of each."""
    return {variant for cell in cells for variant in (cell.variant, (cell.variant[0], "true"))}
