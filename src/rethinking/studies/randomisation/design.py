"""Which cells the randomisation tests need. Tables 1 and 4 are read from the paper's own rows."""

from collections.abc import Iterator
from typing import NamedTuple

from rethinking.cells import Cell, union
from rethinking.data.corruptions import label_corruption_name
from rethinking.experiments.experiment import Experiment
from rethinking.params import Params
from rethinking.results.published import read_published

PAPERS_DATASET = "cifar10"

FIGURE_1A = ("true", "shuffled-pixels", "random-pixels", "gaussian", "random-labels")
"""Corruptions of Figure 1a, all with Inception; in the order of its legend."""

SWEEP_MODELS = ("inception", "alexnet", "mlp-1x512")
"""Models of Figures 1b and 1c."""

ALL_MODELS = ("inception", "inception-nobn", "alexnet", "mlp-3x512", "mlp-1x512")


def all_models(params: Params) -> tuple[str, ...]:
    """Return the paper's models and those that the params put beside them."""
    return (*ALL_MODELS, *params.studies.randomisation.further_models)


_PUBLISHED_MODELS = {
    "inception": "inception",
    "inception_wo_bn": "inception-nobn",
    "alexnet": "alexnet",
    "mlp_3x512": "mlp-3x512",
    "mlp_1x512": "mlp-1x512",
}
_PUBLISHED_REGULARIZERS = {"weight_decay": "wd", "random_cropping": "crop", "augmentation": "flip+rotate"}


class Row(NamedTuple):
    """A row of a table of the paper. Accuracies are percentages as printed; None where none is printed."""

    model: str
    corruption: str
    regularizer: str
    parameters: int | None
    train_accuracy: float | None
    test_accuracy: float | None


def table1_rows() -> list[Row]:
    """Return the 19 rows of Table 1 in the paper's order."""
    return [
        Row(
            model=_PUBLISHED_MODELS[row["model"]],
            corruption="random-labels" if row["labels"] == "random" else "true",
            regularizer="+".join(
                name for name, used in (("crop", row["random_crop"]), ("wd", row["weight_decay"])) if used == "yes"
            )
            or "none",
            parameters=int(row["parameters"]),
            train_accuracy=float(row["train_accuracy"]),
            test_accuracy=float(row["test_accuracy"]),
        )
        for row in read_published("table1")
    ]


def table4_rows() -> list[Row]:
    """Return the six rows of Table 4: random labels fitted under explicit regularizers."""
    return [
        Row(
            model=_PUBLISHED_MODELS[row["model"]],
            corruption="random-labels",
            regularizer=_PUBLISHED_REGULARIZERS[row["regularizer"]],
            parameters=None,
            train_accuracy=float(row["train_accuracy"]) if row["train_accuracy"] else None,
            test_accuracy=None,
        )
        for row in read_published("table4")
    ]


def published_model(name: str) -> str:
    """Return our name of a model as the published curves spell it."""
    return _PUBLISHED_MODELS[name]


def sweep_corruptions(params: Params) -> list[str]:
    """Return the corruptions of Figures 1b and 1c, from true to random labels."""
    return [label_corruption_name(probability) for probability in params.studies.randomisation.label_corruption]


def cells(params: Params) -> list[Cell]:
    """Return the union of all tables' and figures' cells; models that params do not define are an error there."""
    study = params.studies.randomisation

    def on(dataset: str, model: str, corruption: str, regularizer: str = "none") -> Iterator[Cell]:
        for seed in params.seeds:
            yield Cell(dataset, model, corruption, regularizer, seed)

    tables = [on(study.dataset, *row[:3]) for row in (*table1_rows(), *table4_rows())]
    curves = [on(study.dataset, "inception", corruption) for corruption in FIGURE_1A]
    sweep = [on(study.dataset, model, corruption) for model in SWEEP_MODELS for corruption in sweep_corruptions(params)]
    further = [
        on(study.dataset, model, corruption)
        for model in study.further_models
        for corruption in ("true", "random-labels")
    ]
    elsewhere = [
        on(dataset, model, corruption)
        for dataset in study.fits_random_labels_on
        for model in ALL_MODELS
        for corruption in ("true", "random-labels")
    ]
    return union(*tables, *curves, *sweep, *further, *elsewhere)


def histories(params: Params) -> dict[Cell, int | None]:
    """Return what is shown by epoch: the networks of Figure 1a, and every model with true and with random labels."""
    dataset = params.studies.randomisation.dataset
    shown = [("inception", corruption) for corruption in FIGURE_1A]
    shown += [(model, corruption) for model in ALL_MODELS for corruption in ("true", "random-labels")]
    return {
        Cell(dataset, model, corruption, "none", seed): None for model, corruption in shown for seed in params.seeds
    }


def experiments(params: Params) -> list[Experiment]:
    """Return none: all that this study shows is in the runs themselves."""
    return []
