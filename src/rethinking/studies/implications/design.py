"""Small networks, trained from the start: all else that the summary shows belongs to other studies."""

from rethinking.cells import Cell
from rethinking.experiments.experiment import Experiment
from rethinking.params import Params

CORRUPTIONS = ("true", "random-labels")
"""Networks that learned, and networks that memorised."""


def small_models(params: Params) -> list[str]:
    """Return the names of the networks that were small from the start, by rising width."""
    study = params.studies.implications
    return [f"{study.model}-k{width}" for width in study.widths]


def cells(params: Params) -> list[Cell]:
    """Return the small networks, with true and with random labels."""
    dataset = params.studies.randomisation.dataset
    return [
        Cell(dataset, model, corruption, "none", seed)
        for model in small_models(params)
        for corruption in CORRUPTIONS
        for seed in params.seeds
    ]


def experiments(params: Params) -> list[Experiment]:
    """Return none: the summary reads those of other studies."""
    return []
