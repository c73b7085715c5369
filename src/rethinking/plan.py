"""What a run will do: params, selection, studies and cells, checked as a whole before any job starts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rethinking.cells import Cell, Selection
from rethinking.data.corruptions import require_corruption
from rethinking.data.sources import DATASETS
from rethinking.errors import UserError
from rethinking.params import REGULARIZERS, Params
from rethinking.params_file import PARAMS_FILE, load_params, parse_selection, written_key
from rethinking.studies.registry import STUDIES, grid, selected_studies
from rethinking.studies.study import Study


@dataclass(frozen=True)
class Plan:
    """A validated run."""

    params: Params
    selection: Selection
    studies: list[Study]
    cells: list[Cell]
    """What this run trains."""

    @property
    def all_cells(self) -> list[Cell]:
        """What the whole preset trains, the selection aside: results are collected over these."""
        return grid(self.params)


def make_plan(config: Mapping[str, Any], path: Path = PARAMS_FILE) -> Plan:
    """Return the plan for Snakemake's `--config` (preset and selection). Raises UserError for any bad value."""
    preset = config.get("preset")
    params = load_params(path, None if preset is None else str(preset))

    def complain(key: str, complaint: str) -> NoReturn:
        raise UserError(f"{path.name}: {written_key(path, params.preset, key)}: {complaint}")

    _check_values(params, complain)
    selection = parse_selection(config, params, tuple(STUDIES))
    plan = Plan(params, selection, selected_studies(selection), grid(params, selection))
    _check_cells(params, plan.all_cells, complain)
    return plan


def require_cell(params: Params, cell: Cell) -> None:
    """Raise UserError unless every part of `cell` exists in the preset."""
    for part, value, allowed in (
        ("data set", cell.dataset, params.datasets),
        ("model", cell.model, params.models),
        ("regularizer", cell.regularizer, REGULARIZERS),
    ):
        if value not in allowed:
            raise UserError(f"{cell}: {part}: found '{value}', must be one of {', '.join(allowed)}")
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
        if cell.model not in params.models:
            complain(
                "models", f"'{cell.model}' is missing, which the cell {cell} needs; found {', '.join(params.models)}"
            )
        if params.recipe(cell).random_crop:
            room = min(DATASETS[cell.dataset].image_shape[1:]) - params.datasets[cell.dataset].crop_size
            if room == 0:
                complain(
                    f"datasets.{cell.dataset}.crop_size",
                    f"must be smaller than the images for {cell}, whose regularizer crops at random",
                )
