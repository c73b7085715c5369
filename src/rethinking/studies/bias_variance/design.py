"""Which cells and experiments the study needs."""

from typing import Any

from rethinking.cells import Cell, union
from rethinking.data.corruptions import wrong_labels_name
from rethinking.experiments.experiment import Experiment
from rethinking.params import Params
from rethinking.studies.bias_variance.grid import network_cell

STUDY = "bias_variance"


def cells(params: Params) -> list[Cell]:
    """Return the networks of every label noise, width and part."""
    return union(*(experiment.cells for experiment in experiments(params)))


def experiments(params: Params) -> list[Experiment]:
    """Return the regression, and one decomposition for each level of label noise."""
    study = params.studies.bias_variance
    regression = Experiment(STUDY, "regression", "all", study.regression.model_dump(), on_cpu=True)
    return [regression, *(_decomposition(params, noise) for noise in study.label_noise)]


def _decomposition(params: Params, noise: float) -> Experiment:
    study = params.studies.bias_variance
    settings: dict[str, Any] = study.model_dump(exclude={"regression"}) | {"label_noise": noise}
    networks = tuple(
        network_cell(settings, width, part, repetition)
        for width in study.widths
        for part in range(1, study.parts + 1)
        for repetition in range(study.networks_per_part)
    )
    return Experiment(STUDY, "decomposition", wrong_labels_name(noise), settings, networks)
