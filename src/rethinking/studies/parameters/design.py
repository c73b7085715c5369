"""Which cells and experiments the study needs."""

from rethinking.cells import Cell, union
from rethinking.experiments.experiment import Experiment
from rethinking.params import Params
from rethinking.studies.parameters.catalogue import NETWORKS

STUDY, COUNTING = "parameters", "counting"

TRUE, RANDOM = "true", "random-labels"


def perceptrons(params: Params, width: int, corruption: str) -> list[Cell]:
    """Return the cells of one number of hidden units, one a seed."""
    study = params.studies.parameters
    seeds = study.seeds if corruption == TRUE else study.random_label_seeds
    return [Cell(study.dataset, f"{study.model}-k{width}", corruption, "none", seed) for seed in seeds]


def cells(params: Params) -> list[Cell]:
    """Return the perceptrons of every number of hidden units, with true and with random labels."""
    study = params.studies.parameters
    return union(*(perceptrons(params, width, corruption) for corruption in (TRUE, RANDOM) for width in study.widths))


def experiments(params: Params) -> list[Experiment]:
    """Return the counting of published networks, which is the same at every scale."""
    networks = [network.settings() for network in NETWORKS]
    return [Experiment(STUDY, COUNTING, "all", {"networks": networks}, on_cpu=True)]
