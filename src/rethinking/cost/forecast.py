"""What a run would train, how long that takes and how much space, before anything runs: `rethinking plan`."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from rethinking.cells import Cell
from rethinking.cost import estimate
from rethinking.cost.estimate import DeviceTime
from rethinking.cost.measurements import Measurement
from rethinking.data.sources import DATASETS
from rethinking.experiments.streamed import StreamedExperiment
from rethinking.hardware import cpu_name
from rethinking.names import base_model
from rethinking.plan import Plan
from rethinking.recipe import Recipe
from rethinking.runs import training_code


class Space(NamedTuple):
    """What one kind of files takes on the disk, in bytes."""

    here: int
    to_come: int
    unmeasured: int = 0
    """Files to come whose size is not known: `to_come` does without them."""


@dataclass(frozen=True)
class Forecast:
    """What is known before a run."""

    plan: Plan
    to_do: Sequence[Cell]
    """What is still to be trained, in the order in which Snakemake starts it: most epochs first."""
    times: Sequence[DeviceTime]
    """Of the cells to do, for each device with a measurement of one of them."""
    space: Mapping[str, Space]
    to_fetch: Sequence[str]
    """Data sets whose originals are needed and not here."""
    free_bytes: int
    cores: int
    processor: str

    @cached_property
    def to_do_set(self) -> frozenset[Cell]:
        """The same, for asking whether a cell is among them."""
        return frozenset(self.to_do)

    @property
    def wanted_bytes(self) -> int:
        """Space that the run still needs, as far as it is known."""
        return sum(space.to_come for space in self.space.values())


def forecast(plan: Plan, measurements: Sequence[Measurement], root: Path) -> Forecast:
    """Return what running `plan` on this machine would still take, given the data and runs that lie below `root`."""
    recipes = {cell: plan.params.recipe(cell) for cell in plan.cells}
    one_each = {str(recipe.model["architecture"]): recipe for recipe in recipes.values()}
    code = {architecture: training_code(recipe) for architecture, recipe in one_each.items()}
    to_do = {
        cell: recipe
        for cell, recipe in recipes.items()
        if not is_done(root / cell.run_folder(plan.params.preset), recipe, code[str(recipe.model["architecture"])])
    }
    to_do = dict(sorted(to_do.items(), key=lambda item: -item[1].epochs))
    execution = plan.params.execution
    missing = sorted(
        variant
        for variant in estimate.needed_variants(to_do)
        if not root.joinpath("data", *variant, "manifest.json").is_file()
    )
    space = {
        "data": Space(
            here=_occupied(root.joinpath("data", *variant) for variant in estimate.needed_variants(recipes)),
            to_come=sum(estimate.variant_bytes(*variant) for variant in missing),
        ),
        **_runs_space(plan, to_do, measurements, root),
    }
    # Where the file system cannot share blocks between files, as most cannot, what DVC versions is stored twice.
    versioned = [space[kind] for kind in ("data", "weights", "runs")]
    space["DVC's copy"] = Space(
        here=_occupied([root / ".dvc" / "cache"]),
        to_come=sum(kind.to_come for kind in versioned),
        unmeasured=sum(kind.unmeasured for kind in versioned),
    )
    return Forecast(
        plan=plan,
        to_do=list(to_do),
        times=estimate.device_times(to_do, measurements, execution, code),
        space=space,
        to_fetch=[dataset for dataset, corruption in missing if corruption == "true"],
        free_bytes=shutil.disk_usage(root).free,
        cores=estimate.available_cores(),
        processor=cpu_name(),
    )


def is_done(run_folder: Path, recipe: Recipe, code: str) -> bool:
    """Whether the run in `run_folder` is of this recipe, trained by code of this fingerprint."""
    try:
        metrics = json.loads((run_folder / "metrics.json").read_bytes())
        return bool(metrics["recipe_digest"] == recipe.digest() and metrics["provenance"]["code"] == code)
    except (OSError, ValueError, KeyError, TypeError):  # none there, or none that can be read: it will be trained
        return False


def _runs_space(
    plan: Plan, to_do: Mapping[Cell, Recipe], measurements: Iterable[Measurement], root: Path
) -> dict[str, Space]:
    preset, networks = plan.params.preset, estimate.network_bytes(measurements)
    weights = [estimate.weights_bytes(recipe, networks) for recipe in to_do.values()]
    return {
        "weights": Space(
            here=_occupied(root / cell.weights_path(preset).parent for cell in plan.cells),
            to_come=sum(size for size in weights if size is not None),
            unmeasured=weights.count(None),
        ),
        "runs": Space(
            here=_occupied(root / cell.run_folder(preset) for cell in plan.cells),
            to_come=sum(estimate.run_bytes(recipe) for recipe in to_do.values()),
        ),
        "results": Space(
            here=_occupied([root / "results" / preset]),
            to_come=sum(estimate.result_bytes(recipe) for recipe in to_do.values()),
        ),
    }


def _occupied(folders: Iterable[Path | str]) -> int:
    """Return the bytes that the files in these folders take, with all that lies below them."""
    total = 0
    waiting = list(folders)
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += estimate.on_disk(entry.stat().st_size)
        except FileNotFoundError:  # nothing has run yet, or a file was just replaced
            continue
    return total


def described(forecast: Forecast) -> str:
    """Return the forecast as text for a terminal."""
    plan = forecast.plan
    studies = ", ".join(study.name for study in plan.studies)
    experiments = f" and {len(plan.experiments)} experiments" if plan.experiments else ""
    heading = f"preset {plan.params.preset}: {len(plan.cells):,} cells{experiments} of {studies}"
    parts = [[heading], _time_table(forecast), list(_remarks(forecast)), _space_table(forecast)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _time_table(forecast: Forecast) -> list[str]:
    cells, times = forecast.plan.cells, forecast.times
    table = [["model", "cells", "done", "to do", *(f"minutes on {time.device}" for time in times)]]
    for model in dict.fromkeys(base_model(cell.model) for cell in cells):
        table.append(_time_row(forecast, model, [cell for cell in cells if base_model(cell.model) == model], unit=60))
    table.append(_time_row(forecast, "all", cells, unit=60))
    for title, on_cpu in (("core-hours", True), ("GPU-hours", False)):
        hours = [_time(t, forecast.to_do, 3600) if (t.device.device == "cpu") == on_cpu else "" for t in times]
        table += [[title, "", "", "", *hours]] if any(hours) else []
    wall = [_wall(time, forecast) if time.device.device == "cpu" else "" for time in times]
    table += [[f"in all, on {forecast.cores} of its cores", "", "", "", *wall]] if any(wall) else []
    return _aligned(table)


def _time_row(forecast: Forecast, title: str, cells: Sequence[Cell], unit: float) -> list[str]:
    to_do = [cell for cell in cells if cell in forecast.to_do_set]
    counts = (len(cells), len(cells) - len(to_do), len(to_do))
    return [title, *(f"{count:,}" for count in counts), *(_time(time, to_do, unit) for time in forecast.times)]


def _time(time: DeviceTime, cells: Sequence[Cell], unit: float) -> str:
    """Return what training `cells` takes, as a lower bound where not all are measured."""
    known = [time.seconds[cell] for cell in cells if cell in time.seconds]
    if cells and not known:
        return "not measured"
    return f"{'over ' if len(known) < len(cells) else ''}{_number(sum(known) / unit)}"


def _wall(time: DeviceTime, forecast: Forecast) -> str:
    known = [time.seconds[cell] for cell in forecast.to_do if cell in time.seconds]
    return f"{'over ' if time.missing else ''}{_duration(estimate.wall_seconds(known, forecast.cores))}"


def _remarks(forecast: Forecast) -> Iterator[str]:
    command = f"`make benchmark PRESET={forecast.plan.params.preset}`"
    streamed = sum(isinstance(each, StreamedExperiment) for each in forecast.plan.experiments)
    if streamed:
        networks = f"{streamed} network{'s' * (streamed != 1)} on ImageNet"
        yield f"{networks}, done or to do, are not part of this: they take days of GPUs, see docs/imagenet.md."
    if not forecast.to_do:
        yield "No cell is left to train." if streamed else "Nothing is left to train."
        return
    yield "To do is what has no run of today's settings and training code: `make why` tells the reasons."
    for time in forecast.times:
        if time.missing:
            lacking = ", ".join(dict.fromkeys(base_model(cell.model) for cell in time.missing))
            yield f"{time.device}: cells of {lacking} are not measured; {command} on such a machine does it."
        if time.other_code:
            yield f"{time.device}: measured with other training code than today's; {command} renews it."
    if len(forecast.plan.experiments) > streamed:
        yield "The experiments on trained networks come on top: what they take is not forecast."
    if not forecast.times:
        yield f"No benchmark of these cells is recorded; {command} measures them on this machine."
    elif all(time.device.device == "cpu" for time in forecast.times):
        if forecast.processor not in {time.device.device_name for time in forecast.times}:
            yield f"This machine's processor, {forecast.processor}, is not measured; {command} does it."
        yield f"No benchmark of these cells on a GPU is recorded; {command} on a machine with one records it."
    else:
        yield "GPU-hours are those of one cell after the other: cells that share a GPU take less together."


def _space_table(forecast: Forecast) -> list[str]:
    table = [["disk", "here", "to come"]]
    table += [[kind, _bytes(space.here), _to_come(space)] for kind, space in forecast.space.items()]
    table.append(["free", _bytes(forecast.free_bytes), ""])
    lines = _aligned(table)
    if forecast.wanted_bytes > forecast.free_bytes:
        lines.append(
            f"WARNING: {_bytes(forecast.wanted_bytes)} are to come and {_bytes(forecast.free_bytes)} are free: "
            "make room, or narrow the run with --config."
        )
    for dataset in forecast.to_fetch:
        host = DATASETS[dataset].host
        if host is not None:
            lines.append(f"{dataset} is still to be downloaded, from {host} or a mirror; the download is kept as well.")
    return lines


def _to_come(space: Space) -> str:
    if space.unmeasured and not space.to_come:
        return "not measured"
    return f"{'over ' if space.unmeasured else ''}{_bytes(space.to_come)}"


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for first, *others in table:
        texts = [first.ljust(widths[0]), *(text.rjust(width) for text, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(texts).rstrip())
    return lines


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _duration(seconds: float) -> str:
    """Return a time in the unit that suits it: "8.1 min"."""
    for unit, factor in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * factor:
            return f"{_number(seconds / factor)} {unit}"
    return f"{_number(seconds)} s"


def _bytes(size: int) -> str:
    """Return a size in decimal units: "3.1 GB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{_number(size / factor)} {unit}"
    return f"{size / 1e3:.0f} kB"
