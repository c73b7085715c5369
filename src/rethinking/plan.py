"""What a run will do: params, selection, studies and cells, checked as a whole before any job starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rethinking.cells import Cell, Selection
from rethinking.data.sources import DATASETS
from rethinking.errors import UserError
from rethinking.params import PARAMS_FILE, Params, load_params, parse_selection
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
    _check_datasets(params)
    selection = parse_selection(config, params, tuple(STUDIES))
    plan = Plan(params, selection, selected_studies(selection), grid(params, selection))
    _check_cells(params, plan.all_cells)
    return plan


def _check_datasets(params: Params) -> None:
    for name, dataset in params.datasets.items():
        if name not in DATASETS:
            raise UserError(f"params.yaml: datasets.{name}: unknown data set, must be one of {', '.join(DATASETS)}")
        largest = min(DATASETS[name].image_shape[1:])
        if dataset.crop_size > largest:
            raise UserError(
                f"params.yaml: datasets.{name}.crop_size: found {dataset.crop_size}, must be at most {largest}, "
                "the size of the images"
            )


def _check_cells(params: Params, cells: list[Cell]) -> None:
    for cell in cells:
        if cell.model not in params.models:
            raise UserError(
                f"params.yaml: models: '{cell.model}' is missing, which the cell {cell} needs; "
                f"found {', '.join(params.models)}"
            )
        if params.recipe(cell).random_crop:
            room = min(DATASETS[cell.dataset].image_shape[1:]) - params.datasets[cell.dataset].crop_size
            if room == 0:
                raise UserError(
                    f"params.yaml: datasets.{cell.dataset}.crop_size: must be smaller than the images for {cell}, "
                    "whose regularizer crops at random"
                )
