"""Which networks the study trains on ImageNet: the rows of the paper's Table 2, one experiment each and seed."""

from typing import NamedTuple

from rethinking.cells import Cell
from rethinking.data.imagenet import NAME, imagenet_folder
from rethinking.experiments.experiment import Experiment
from rethinking.experiments.streamed import StreamedExperiment
from rethinking.params import Params
from rethinking.results.published import read_published

KIND = "training"
PARTS = ("augmentation", "dropout", "wd")
"""What regularizers are combined of, in the order in which names hold them."""


class Condition(NamedTuple):
    """What a row of Table 2 trains on, and under what."""

    corruption: str
    """`true` or `random-labels`."""
    regularizer: str
    """`none`, or PARTS joined by +."""

    def uses(self, part: str) -> bool:
        """Whether this part is among the regularizers."""
        return part in self.regularizer.split("+")


class PaperRow(NamedTuple):
    """A row of Table 2. Accuracies are fractions; None where none is printed."""

    condition: Condition | None
    """None for AlexNet of 2012, which the paper quotes."""
    train_top1: float | None
    train_top5: float | None
    test_top1: float | None
    test_top5: float | None
    best_test_top1: float | None
    """The best along the run: what early stopping would have given."""
    best_test_top5: float | None


def paper_rows() -> list[PaperRow]:
    """Return the rows of Table 2 in the paper's order."""
    rows = []
    for row in read_published("table2"):
        condition = None
        if row["model"] == "inception_v3":
            used = (row["data_augmentation"], row["dropout"], row["weight_decay"])
            names = [part for part, answer in zip(PARTS, used, strict=True) if answer == "yes"]
            condition = Condition("random-labels" if row["labels"] == "random" else "true", "+".join(names) or "none")
        columns = ("top1_train", "top5_train", "top1_test", "top5_test", "top1_test_best", "top5_test_best")
        rows.append(PaperRow(condition, *(float(row[name]) / 100 if row[name] else None for name in columns)))
    return rows


def conditions(params: Params) -> list[Condition]:
    """Return what this preset trains, in the order of the settings."""
    study = params.studies.imagenet
    return [
        *(Condition("true", regularizer) for regularizer in study.true_labels),
        *(Condition("random-labels", regularizer) for regularizer in study.random_labels),
    ]


def cells(params: Params) -> list[Cell]:
    """Return none: these data are no arrays in memory, so that networks on them are experiments."""
    return []


def experiments(params: Params) -> list[Experiment]:
    """Return one experiment for each condition and seed, whether or not there is a folder with the images."""
    study = params.studies.imagenet
    folder = imagenet_folder(params.data.imagenet)
    shared = study.model_dump(exclude={"true_labels", "random_labels"})
    return [
        StreamedExperiment(
            "imagenet",
            KIND,
            f"{condition.corruption}.{condition.regularizer}.seed-{seed}",
            settings={
                **shared,
                **condition._asdict(),
                "corruption_seed": None if condition.corruption == "true" else params.data.corruption_seed,
                "seed": seed,
            },
            stands_for=Cell(NAME, study.architecture, *condition, seed),
            folder=folder,
            readers=params.execution.readers,
        )
        for condition in conditions(params)
        for seed in params.seeds
    ]
