"""Whose bounds are evaluated: networks of the randomisation study. None is trained for this one alone but twins."""

from collections.abc import Iterable

from rethinking.cells import Cell
from rethinking.experiments.experiment import Experiment
from rethinking.params import MLPParams, Params

STUDY = "bounds"
NORMS, TWINS = "norms", "twins"
TRUE, RANDOM = "true", "random-labels"
CORRUPTIONS = (TRUE, RANDOM)


def dataset(params: Params) -> str:
    """Return the data set of the networks: that of the randomisation study."""
    return params.studies.randomisation.dataset


def networks(params: Params, models: Iterable[str]) -> list[Cell]:
    """Return the cells of the models with true and with random labels, under every seed."""
    return [
        Cell(dataset(params), model, corruption, "none", seed)
        for model in models
        for corruption in CORRUPTIONS
        for seed in params.seeds
    ]


def perceptrons(params: Params) -> list[str]:
    """Return the models that are chains of linear layers, for which bounds by norms are made."""
    return [model for model in params.studies.bounds.models if isinstance(params.model(model), MLPParams)]


def cells(params: Params) -> list[Cell]:
    """Return every cell whose run or network the study reads."""
    study = params.studies.bounds
    return list(dict.fromkeys([*networks(params, study.models), *networks(params, [study.twins.model])]))


def experiments(params: Params) -> list[Experiment]:
    """Return the norms of each perceptron, and the twins of one model's networks."""
    study = params.studies.bounds
    quantile = {"margin_quantile": study.margin_quantile}
    twins = {"twins": study.twins.count, "seed": study.twins.seed}
    return [
        *(Experiment(STUDY, TWINS, _unit(cell), twins, (cell,)) for cell in networks(params, [study.twins.model])),
        *(
            Experiment(STUDY, NORMS, _unit(cell), quantile, (cell,), on_cpu=True)
            for cell in networks(params, perceptrons(params))
        ),
    ]


def _unit(cell: Cell) -> str:
    return f"{cell.model}.{cell.corruption}.seed-{cell.seed}"
