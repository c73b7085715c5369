"""What an experiment's results depend on: the recipes of the networks that it reads, and its code."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rethinking.cells import Cell
from rethinking.experiments.experiment import Experiment
from rethinking.fingerprint import fingerprint
from rethinking.recipe import Recipe

if TYPE_CHECKING:
    from rethinking.params import Params


def recipes_of(params: "Params", experiment: Experiment) -> dict[Cell, Recipe]:
    """Return the recipes of the cells that an experiment starts from."""
    return {cell: params.recipe(cell) for cell in experiment.all_cells()}


def experiment_roots(experiment: Experiment, recipes: Mapping[Cell, Recipe]) -> tuple[str, ...]:
    """Return the modules whose imports are all the code that determines what an experiment gives."""
    architectures = {str(recipes[cell].model["architecture"]) for cell in experiment.all_cells()}
    return (
        experiment.module,
        "rethinking.experiments.laboratory",
        *sorted(f"rethinking.models.{architecture}" for architecture in architectures),
    )


def experiment_code(experiment: Experiment, recipes: Mapping[Cell, Recipe]) -> str:
    """Return the fingerprint of all code that determines what an experiment gives."""
    return fingerprint(*experiment_roots(experiment, recipes))
