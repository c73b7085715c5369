"""What a run will do: params, selection, studies and cells, checked as a whole before any job starts."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rethinking.cells import Cell, Selection
from rethinking.data.corruptions import require_corruption
from rethinking.data.imagenet import classes_in
from rethinking.data.sources import DATASETS
from rethinking.errors import UserError
from rethinking.experiments.experiment import Experiment
from rethinking.experiments.streamed import StreamedExperiment
from rethinking.names import Regularizer, base_model, subset, subset_slice, whole_dataset
from rethinking.params import Params
from rethinking.params_file import PARAMS_FILE, load_params, parse_selection, written_key
from rethinking.studies.registry import STUDIES, experiments, grid, selected_studies
from rethinking.studies.study import Study


@dataclass(frozen=True)
class Plan:
    """A validated run."""

    params: Params
    selection: Selection
    studies: list[Study]
    cells: list[Cell]
    """What this run trains."""
    experiments: list[Experiment]
    """What it does with the networks, and beside them."""

    @property
    def all_cells(self) -> list[Cell]:
        """What the whole preset trains, the selection aside: results are collected over these."""
        return grid(self.params)

    @property
    def all_experiments(self) -> list[Experiment]:
        """What the whole preset does beyond training cells, as far as this machine has the data."""
        return with_data(experiments(self.params))

    @property
    def all_variants(self) -> set[tuple[str, str]]:
        """The data that the whole preset needs: data set and corruption."""
        beside = (variant for experiment in self.all_experiments for variant in experiment.all_variants())
        return {*(cell.variant for cell in self.all_cells), *beside}


def make_plan(config: Mapping[str, Any], path: Path = PARAMS_FILE) -> Plan:
    """Return the plan for Snakemake's `--config` (preset and selection). Raises UserError for any bad value."""
    preset = config.get("preset")
    params = load_params(path, None if preset is None else str(preset))

    def complain(key: str, complaint: str) -> NoReturn:
        raise UserError(f"{path.name}: {written_key(path, params.preset, key)}: {complaint}")

    _check_values(params, complain)
    selection = parse_selection(config, params, tuple(STUDIES))
    cells = grid(params, selection)
    _check_cells(params, grid(params), complain)
    return Plan(params, selection, selected_studies(selection), cells, with_data(experiments(params, selection)))


def with_data(experiments: list[Experiment]) -> list[Experiment]:
    """Return the experiments but those whose data lie outside the project, and nobody has said where."""
    return [each for each in experiments if not isinstance(each, StreamedExperiment) or each.folder is not None]


def require_folders(plan: Plan) -> None:
    """Raise UserError unless the folders from which the plan's experiments read are there and laid out as they must be.

    Apart from `make_plan`, as a machine that only trains cells, or renders, need not see those folders.
    """
    for folder in dict.fromkeys(each.folder for each in plan.experiments if isinstance(each, StreamedExperiment)):
        if folder is not None:
            classes_in(folder)


def require_cell(params: Params, cell: Cell) -> None:
    """Raise UserError unless every part of `cell` exists in the preset."""
    for part, value, allowed in (
        ("data set", whole_dataset(cell.dataset), params.datasets),
        ("model", base_model(cell.model), params.models),
    ):
        if value not in allowed:
            raise UserError(f"{cell}: {part}: found '{value}', must be one of {', '.join(allowed)}")
    Regularizer.parse(cell.regularizer)
    require_corruption(cell.corruption)


def _check_values(params: Params, complain: Callable[[str, str], NoReturn]) -> None:
    """Check what the types of the params cannot know: which data sets and corruptions there are."""
    for name, dataset in params.datasets.items():
        if name not in DATASETS:
            complain(f"datasets.{name}", f"unknown data set, must be one of {', '.join(DATASETS)}")
        largest = min(DATASETS[name].image_shape[1:])
        if dataset.crop_size > largest:
            complain(
                f"datasets.{name}.crop_size",
                f"found {dataset.crop_size}, must be at most {largest}, the size of the images",
            )
    for index, exception in enumerate(params.exceptions):
        for corruption in exception.corruptions or []:
            try:
                require_corruption(corruption)
            except UserError as error:
                complain(f"exceptions.{index}.corruptions", str(error))


def _check_cells(params: Params, cells: list[Cell], complain: Callable[[str, str], NoReturn]) -> None:
    for cell in cells:
        model, whole = base_model(cell.model), whole_dataset(cell.dataset)
        for key, name, known in (("models", model, params.models), ("datasets", whole, params.datasets)):
            if name not in known:
                complain(key, f"'{name}' is missing, which the cell {cell} needs; found {', '.join(known)}")
        dataset = params.datasets[whole]
        try:
            subset_slice(subset(cell.dataset), min(DATASETS[whole].n_train, dataset.train_examples or sys.maxsize))
        except UserError as error:
            raise UserError(f"{cell} cannot be trained at the scale of preset {params.preset}: {error}") from None
        if params.recipe(cell).random_crop:
            room = min(DATASETS[whole].image_shape[1:]) - dataset.crop_size
            if room == 0:
                complain(
                    f"datasets.{whole}.crop_size",
                    f"must be smaller than the images for {cell}, whose regularizer crops at random",
                )
