"""The list of studies, in the article's order. A new study is one line here."""

from typing import Literal

from rethinking.cells import Cell, Selection, union
from rethinking.errors import UserError
from rethinking.experiments.experiment import Experiment
from rethinking.experiments.streamed import StreamedExperiment
from rethinking.names import base_model, whole_dataset
from rethinking.params import Params
from rethinking.studies import (
    bias_variance,
    bounds,
    double_descent,
    expressivity,
    imagenet,
    implications,
    kernels,
    parameters,
    quantisation,
    randomisation,
    sparsity,
)
from rethinking.studies.study import CLAIMS, Study

_MODULES = (
    randomisation,
    imagenet,
    parameters,
    expressivity,
    bounds,
    kernels,
    bias_variance,
    double_descent,
    sparsity,
    quantisation,
    implications,
)
STUDIES: dict[str, Study] = {module.STUDY.name: module.STUDY for module in _MODULES}


def selected_studies(selection: Selection) -> list[Study]:
    """Return the studies of a run, narrowed or not."""
    return [study for name, study in STUDIES.items() if selection.studies is None or name in selection.studies]


def require_output(kind: Literal["table", "figure"], study: str, name: str) -> Study:
    """Return the study that makes a table or figure. Raises UserError, naming what there is, if none does."""
    if study not in STUDIES:
        raise UserError(f"study: found '{study}', must be one of {', '.join(STUDIES)}")
    made = (*STUDIES[study].tables, CLAIMS) if kind == "table" else STUDIES[study].figures
    if name not in made:
        raise UserError(f"{study} has no {kind} '{name}', it has {', '.join(made)}")
    return STUDIES[study]


def grid(params: Params, selection: Selection = Selection()) -> list[Cell]:  # noqa: B008 (a constant)
    """Return the cells that the selected studies need together, each once, in a stable order.

    Raises UserError if the selection leaves none, naming what there is.
    """
    everything = union(*(study.cells(params) for study in selected_studies(selection)))
    streamed = [cell for study in selected_studies(selection) for cell in _streamed_cells(study, params)]
    named = [*everything, *streamed]
    there = {
        "datasets": [name for cell in named for name in (whole_dataset(cell.dataset), cell.dataset)],
        "models": [*params.models, *(name for cell in named for name in (base_model(cell.model), cell.model))],
        "corruptions": [cell.corruption for cell in named],
        "regularizers": [cell.regularizer for cell in named],
    }
    for axis, names in there.items():
        for name in getattr(selection, axis) or ():
            if name not in names:
                raise UserError(f"--config {axis}: found '{name}', must be one of {', '.join(dict.fromkeys(names))}")
    chosen = [cell for cell in everything if selection.keeps(cell)]
    if everything and not chosen and not any(map(selection.keeps, streamed)):
        raise UserError(
            f"no cell of preset {params.preset} is left by this selection "
            f"({', '.join(f'{key}={value}' for key, value in selection._asdict().items() if value is not None)}); "
            "widen it"
        )
    return chosen


def histories(params: Params) -> dict[Cell, int | None]:
    """Return the cells whose histories studies read, each with how many of its last epochs; None for all."""
    found: dict[Cell, int | None] = {}
    for study in STUDIES.values():
        for cell, last in study.histories(params).items():
            before = found.get(cell, 0)
            found[cell] = None if before is None or last is None else max(before, last)
    return found


def experiments(params: Params, selection: Selection = Selection()) -> list[Experiment]:  # noqa: B008 (a constant)
    """Return the experiments of the selected studies whose networks and data the selection leaves whole.

    Each stands after those that it goes on from.
    """
    found: list[Experiment] = []
    for study in selected_studies(selection):
        for experiment in study.experiments(params):
            datasets = {dataset for dataset, _ in experiment.all_variants()}
            whole = all(map(selection.keeps, [*experiment.all_cells(), *_stands_for(experiment)]))
            if whole and datasets <= set(selection.datasets or datasets):
                found.append(experiment)
    return found


def _stands_for(experiment: Experiment) -> list[Cell]:
    return [experiment.stands_for] if isinstance(experiment, StreamedExperiment) else []


def _streamed_cells(study: Study, params: Params) -> list[Cell]:
    return [cell for experiment in study.experiments(params) for cell in _stands_for(experiment)]


def require_experiment(params: Params, study: str, kind: str, unit: str) -> Experiment:
    """Return an experiment by name. Raises UserError, naming what there is, if there is none."""
    there = {str(experiment): experiment for experiment in experiments(params)}
    name = f"{study}/{kind}/{unit}"
    if name not in there:
        raise UserError(f"experiment: found '{name}', must be one of {', '.join(there)} (preset {params.preset})")
    return there[name]
