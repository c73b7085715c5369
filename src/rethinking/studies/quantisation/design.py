"""Which networks are quantised, and how. They are cells of the randomisation study, and what pruning left of them."""

from rethinking.cells import Cell, union
from rethinking.experiments.experiment import Experiment
from rethinking.params import Params
from rethinking.studies.quantisation.vocabulary import COMBINED, INT8, STUDY, WEIGHTS
from rethinking.studies.registry import STUDIES

CORRUPTIONS = ("true", "random-labels")
"""Networks that learned, and networks that memorised."""


def cells(params: Params) -> list[Cell]:
    """Return every cell whose network the study reads: with true and with random labels, under every seed."""
    study = params.studies.quantisation
    return union(*(networks(params, model) for model in (*study.models, *study.int8.models, *study.combined.models)))


def networks(params: Params, model: str) -> tuple[Cell, ...]:
    """Return the cells of a model."""
    dataset = params.studies.randomisation.dataset
    return tuple(Cell(dataset, model, corruption, "none", seed) for corruption in CORRUPTIONS for seed in params.seeds)


def experiments(params: Params) -> list[Experiment]:
    """Return one experiment of each kind for each of its models; the combined ones go on from pruning."""
    study = params.studies.quantisation
    aware = {model: part.model_dump(exclude={"models"}) for part in study.aware for model in part.models}
    weights = [
        Experiment(
            STUDY,
            WEIGHTS,
            model,
            {"bits": study.bits, "aware": aware.get(model)},
            networks(params, model),
        )
        for model in study.models
    ]
    int8 = [
        Experiment(STUDY, INT8, model, study.int8.model_dump(exclude={"models"}), networks(params, model), on_cpu=True)
        for model in study.int8.models
    ]
    combined = [
        Experiment(
            STUDY,
            COMBINED,
            model,
            {"bits": study.combined.bits},
            networks(params, model),
            after=tuple(_pruned(params)[cell] for cell in networks(params, model)),
        )
        for model in study.combined.models
    ]
    return [*weights, *combined, *int8]


def _pruned(params: Params) -> dict[Cell, Experiment]:
    """Return the experiments that prune a network in rounds and leave what each round leaves of it, by its cell."""
    found = (each for each in STUDIES["sparsity"].experiments(params) if each.kind == "iterative")
    return {each.cells[0]: each for each in found}
