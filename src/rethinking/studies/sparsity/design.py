"""Which cells and experiments the study needs."""

from rethinking.cells import Cell
from rethinking.experiments.experiment import Experiment
from rethinking.params import Params


def cells(params: Params) -> list[Cell]:
    """Return every cell whose run or network the study reads."""
    return []


def experiments(params: Params) -> list[Experiment]:
    """Return every experiment, each after those that it goes on from."""
    return []
