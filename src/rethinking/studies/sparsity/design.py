"""Which networks are pruned, and how. They are cells of the randomisation study: none is trained for this one alone."""

from collections.abc import Iterator

from rethinking.cells import Cell, union
from rethinking.experiments.experiment import Experiment
from rethinking.params import Params
from rethinking.studies.sparsity.vocabulary import (
    CORRUPTIONS,
    GLOBAL,
    ITERATIVE,
    LAYER_WISE,
    ONE_SHOT,
    RETRAINING,
    TICKETS,
)


def dataset(params: Params) -> str:
    """Return the data set whose networks are pruned: that of the randomisation study."""
    return params.studies.randomisation.dataset


def networks(params: Params, models: list[str]) -> Iterator[Cell]:
    """Yield the cells of the models with true and with random labels, under every seed."""
    for model in models:
        for corruption in CORRUPTIONS:
            for seed in params.seeds:
                yield Cell(dataset(params), model, corruption, "none", seed)


def cells(params: Params) -> list[Cell]:
    """Return every cell whose run or network the study reads."""
    study = params.studies.sparsity
    pruned = [study.models, *(part.models for part in study.retraining), *(part.models for part in study.iterative)]
    trials = (
        _of_trial(params, model, name) for part in study.tickets for model in part.models for name in part.corruptions
    )
    return union(*(networks(params, models) for models in pruned), trials)


def unit(cell: Cell) -> str:
    """Return the name of an experiment on one network, such as "mlp-1x512.true.seed-0"."""
    return f"{cell.model}.{cell.corruption}.seed-{cell.seed}"


def one_shot(params: Params) -> list[Experiment]:
    """Return the experiments that prune networks at once and leave it at that."""
    study = params.studies.sparsity
    settings = {"fractions_left": study.fractions_left}
    return [Experiment("sparsity", ONE_SHOT, unit(cell), settings, (cell,)) for cell in networks(params, study.models)]


def retraining(params: Params) -> list[Experiment]:
    """Return the experiments that prune networks at once and train them on."""
    return [
        Experiment(
            "sparsity",
            RETRAINING,
            unit(cell),
            {"fractions_left": part.fractions_left, "epochs": part.epochs, "scopes": _scopes(part.layer_wise)},
            (cell,),
        )
        for part in params.studies.sparsity.retraining
        for cell in networks(params, part.models)
    ]


def iterative(params: Params) -> list[Experiment]:
    """Return the experiments that prune networks and train them on in turns.

    They leave the networks that were pruned globally, after each round, as "round-1" and so on: weights as they are
    used, zero where they were pruned.
    """
    return [
        Experiment(
            "sparsity",
            ITERATIVE,
            unit(cell),
            {
                "pruned_per_round": part.pruned_per_round,
                "rounds": part.rounds,
                "epochs": part.epochs,
                "scopes": _scopes(part.layer_wise),
            },
            (cell,),
            leaves_networks=True,
        )
        for part in params.studies.sparsity.iterative
        for cell in networks(params, part.models)
    ]


def tickets(params: Params) -> list[Experiment]:
    """Return the trials of lottery tickets: they take a cell's recipe, under seeds of their own."""
    return [
        Experiment(
            "sparsity",
            TICKETS,
            f"{model}.{corruption}.seed-{seed}",
            {
                "pruned_per_round": part.pruned_per_round,
                "rounds": part.rounds,
                "epochs": part.epochs,
                "seed": seed,
                "draws": part.draws,
            },
            (_of_trial(params, model, corruption),),
        )
        for part in params.studies.sparsity.tickets
        for model in part.models
        for corruption in part.corruptions
        for seed in part.seeds
    ]


def experiments(params: Params) -> list[Experiment]:
    """Return every experiment; none goes on from another."""
    return [*iterative(params), *tickets(params), *retraining(params), *one_shot(params)]


def models_of(params: Params, kind: str) -> list[str]:
    """Return the models that a kind of experiment is done with, each once."""
    study = params.studies.sparsity
    named = {
        ONE_SHOT: [study.models],
        RETRAINING: [part.models for part in study.retraining],
        ITERATIVE: [part.models for part in study.iterative],
        TICKETS: [part.models for part in study.tickets],
    }
    return list(dict.fromkeys(model for models in named[kind] for model in models))


def _scopes(layer_wise: bool) -> list[str]:
    return [GLOBAL, LAYER_WISE] if layer_wise else [GLOBAL]


def _of_trial(params: Params, model: str, corruption: str) -> Cell:
    """Return the cell whose recipe a trial takes; all seeds' recipes are the same but for the seed."""
    return Cell(dataset(params), model, corruption, "none", params.seeds[0])
