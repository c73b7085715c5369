"""Settings as the article tells them: values in prose, the table of models, the table of devices."""

from typing import Any

from rethinking.cells import Cell
from rethinking.params import Params
from rethinking.results.frame import Results
from rethinking.results.table import Cell as TableCell
from rethinking.results.table import Column, Table
from rethinking.results.titles import model_title

DATASET_TITLES = {"cifar10": "CIFAR-10", "mnist": "MNIST", "digits": "digits"}
DATASET_DESCRIPTIONS = {
    "cifar10": "60,000 colour photographs of 32 by 32 pixels, in ten classes",
    "mnist": "70,000 scans of handwritten digits, of 28 by 28 pixels",
    "digits": "1,797 scans of handwritten digits, of 8 by 8 pixels, that come with scikit-learn",
}
DEVICE_TITLES = {"cpu": "CPUs", "cuda": "GPUs", "mps": "Apple's GPUs"}
INITIALISATION_TITLES = {
    "he": "He",
    "glorot": "Glorot",
    "truncated-normal": "truncated normal",
    "torch": "PyTorch's",
}
DECAYED_LAYERS = {"all": "all", "hidden-linear": "hidden linear"}


def settings(params: Params) -> dict[str, Any]:
    """Return the settings that prose names, as text."""
    study = params.studies.randomisation
    return {
        "epochs": str(params.training.epochs),
        "batch_size": str(params.training.batch_size),
        "decay": f"{params.training.learning_rate_decay:g}",
        "momentum": f"{params.training.momentum:g}",
        "train_evaluation_period": str(params.training.train_evaluation_period),
        "overfit_loss": f"{params.results.overfit_loss:g}",
        "rotation": f"{params.augmentation.rotation_degrees:g}",
        "accuracy_lost": f"{100 * params.studies.implications.accuracy_lost:g}",
        "crop": str(params.datasets[study.dataset].crop_size),
        "weight_decay": f"{params.models['inception'].weight_decay:g}",
        **_left_open(params),
    }


def _left_open(params: Params) -> dict[str, Any]:
    """Return settings that the paper does not state, of the models that stand for theirs."""
    names = {"inception": "inception", "alexnet": "alexnet", "mlp": "mlp-1x512"}
    models = {kind: params.models[name] for kind, name in names.items()}
    dataset = params.studies.randomisation.dataset
    augmented = params.recipe(Cell(dataset, "inception", "random-labels", "crop", 0))
    return {
        "initialisation": {kind: INITIALISATION_TITLES[model.initialisation] for kind, model in models.items()},
        "weight_decays": {kind: f"{model.weight_decay:g}" for kind, model in models.items()},
        "epochs_augmented": str(augmented.epochs),
        "decay_augmented": f"{augmented.learning_rate_decay:g}",
    }


def settings_table(results: Results) -> Table:
    """Return every model's size on the study's data set and its settings, as it is trained without exceptions."""
    params, dataset = results.params, results.params.studies.randomisation.dataset
    columns = [
        Column("Model"),
        Column("Parameters", "count"),
        Column("Width", "number"),
        Column("Initialisation"),
        Column("Learning rate", "number"),
        Column("Weight decay", "number"),
        Column("Decayed layers"),
    ]
    sizes = {name: results.of(dataset=dataset, model=name)["parameters"] for name in params.models}
    rows: list[list[TableCell]] = [
        [
            model_title(name),
            None if sizes[name].empty else int(sizes[name].iloc[0]),
            float(model.width),
            INITIALISATION_TITLES[model.initialisation],
            model.initial_learning_rate,
            model.weight_decay,
            DECAYED_LAYERS[model.weight_decay_layers],
        ]
        for name, model in params.models.items()
    ]
    return Table(columns, rows)


def execution_table(results: Results) -> Table:
    """Return how many cells ran on which device in which precision, and how long they took."""
    groups = results.cells.groupby(["device", "device_name", "precision"], dropna=False)
    columns = [
        Column("Device"),
        Column("Name"),
        Column("Precision of training"),
        Column("Cells", "count"),
        Column("Minutes", "number"),
    ]
    rows: list[list[TableCell]] = [
        [*(str(part) for part in key), len(found), float(found["seconds"].sum()) / 60] for key, found in groups
    ]
    return Table(columns, rows)
