"""Which data the study represents. It trains nothing and reads no trained network."""

from rethinking.cells import Cell
from rethinking.experiments.experiment import Experiment
from rethinking.params import Params

STUDY = "expressivity"
RANDOM = "random-labels"
"""The labelling whose time is measured."""


def cells(params: Params) -> list[Cell]:
    """Return none."""
    return []


def experiments(params: Params) -> list[Experiment]:
    """Return one experiment for each data set and labelling, and one on time for each data set."""
    study = params.studies.expressivity
    found = []
    for name in study.datasets:
        dataset = params.datasets[name]
        common = {
            "dataset": name,
            "crop_size": dataset.crop_size,
            "train_examples": dataset.train_examples,
            "seed": study.seed,
        }
        for corruption in study.corruptions:
            settings = common | {"corruption": corruption, **study.model_dump(include={"depths", "checked"})}
            unit, variants = f"{name}.{corruption}", ((name, corruption),)
            found.append(Experiment(STUDY, "labelling", unit, settings, variants=variants, on_cpu=True))
        timed = common | {"corruption": RANDOM, **study.model_dump(include={"sizes", "dense_up_to", "repetitions"})}
        found.append(Experiment(STUDY, "scaling", name, timed, variants=((name, RANDOM),), on_cpu=True))
    return found
