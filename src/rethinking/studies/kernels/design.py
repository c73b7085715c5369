"""Which experiments the study needs: it trains no network."""

import platform
from typing import Any

from rethinking.cells import Cell
from rethinking.experiments.experiment import Experiment
from rethinking.params import Params
from rethinking.params_studies.kernels import ConvolutionalSystem, GramSystem

STUDY = "kernels"


def cells(params: Params) -> list[Cell]:
    """Return no cell."""
    return []


def experiments(params: Params) -> list[Experiment]:
    """Return one experiment for each Gram system and penalty, one for each number of filters, and the descent.

    A system with a Gaussian kernel is a job for each gamma and each penalty, since each is a factorisation of its own;
    that on random filters is one job for all penalties, since its features take longer than they.
    """
    study = params.studies.kernels
    found: list[Experiment] = []
    for system in study.interpolation:
        found.append(_interpolation(params, system, "smallest-norm"))
        found += [_interpolation(params, system, f"ridge-{value:g}", penalty=value) for value in system.penalties]
        found += [_interpolation(params, system, f"gamma-{value:g}", gamma=value) for value in system.further_gammas]
    found += [_convolutional(params, system, filters) for system in study.convolutional for filters in system.filters]
    descent = study.descent
    settings = descent.model_dump() | _shown(params, descent.dataset)
    settings["crop_size"] = params.datasets[descent.dataset].crop_size
    found.append(
        Experiment(STUDY, "descent", descent.dataset, settings, variants=((descent.dataset, "true"),), on_cpu=True)
    )
    return found


def _interpolation(params: Params, system: GramSystem, name: str, **changes: float) -> Experiment:
    settings: dict[str, Any] = system.model_dump(exclude={"penalties", "further_gammas"}) | {"penalty": 0.0, **changes}
    if system.features == "gabor":
        settings["bank"] = params.studies.kernels.gabor.model_dump()
    return Experiment(
        STUDY,
        "interpolation",
        f"{system.dataset}.{system.features}.{name}",
        settings | _shown(params, system.dataset),
        variants=((system.dataset, "true"),),
        on_cpu=_without_double_precision(),
    )


def _convolutional(params: Params, system: ConvolutionalSystem, filters: int) -> Experiment:
    settings = system.model_dump() | {"filters": filters} | _shown(params, system.dataset)
    return Experiment(
        STUDY,
        "convolutional",
        f"{system.dataset}.filters-{filters}",
        settings,
        variants=((system.dataset, "true"),),
        on_cpu=_without_double_precision(),
    )


def _shown(params: Params, dataset: str) -> dict[str, Any]:
    """Return how much of a data set there is at this scale."""
    return {"train_examples": params.datasets[dataset].train_examples}


def _without_double_precision() -> bool:
    """Whether a GPU, if there is one, is Apple's: the residuals of a solution are computed in double precision."""
    return platform.system() == "Darwin"
