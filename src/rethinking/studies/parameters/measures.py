"""What the study shows, as its tables, figures and claims read it: counts of parameters, and perceptrons by width."""

from dataclasses import dataclass

from rethinking.names import base_model
from rethinking.results.frame import Estimate, Results, estimate
from rethinking.results.published import read_published
from rethinking.studies.parameters.catalogue import EXAMPLES, NETWORKS, Network
from rethinking.studies.parameters.design import COUNTING, STUDY, TRUE, perceptrons

MISSING, DIVERGED = "not run", "diverged"

SPELLED_OUT = 6
"""Digits from which on a printed count is taken to be exact."""


@dataclass(frozen=True)
class Printed:
    """What is printed of a network."""

    parameters: int
    digits: int
    """How many digits of it are given; the others are zeros."""
    ratio: int | None
    """Parameters for each example, as Loweimi 2019 has it, who takes ImageNet to have 1.2 million."""

    @property
    def exact(self) -> bool:
        """Whether all digits are given."""
        return self.digits >= SPELLED_OUT

    @property
    def text(self) -> str:
        """The number as it is printed."""
        return f"{self.parameters:,}" if self.exact else f"{self.parameters / 1e6:g} million"

    def agrees(self, counted: int) -> bool:
        """Whether a count is the printed one in all digits that are given."""
        return counted == self.parameters if self.exact else float(f"{counted:.{self.digits}g}") == self.parameters


@dataclass(frozen=True)
class Count:
    """A network with what is printed of it and what was counted."""

    network: Network
    printed: Printed | None
    parameters: int | None
    """None where nothing was counted."""

    @property
    def ratio(self) -> float | None:
        """Parameters for each training example, as counted."""
        return None if self.parameters is None else self.parameters / EXAMPLES[self.network.dataset]


def printed() -> dict[str, Printed]:
    """Return what is printed of each network."""
    return {
        row["network"]: Printed(
            int(row["parameters"]),
            int(row["digits"]),
            int(row["parameters_per_example"]) if row["parameters_per_example"] else None,
        )
        for row in read_published("parameters", paper="several")
    }


def counts(results: Results) -> list[Count]:
    """Return all networks of the catalogue."""
    found = results.experiment(STUDY, COUNTING)
    rows = {} if found.empty else {row["network"]: row for row in found.to_dict("records")}

    def counted(network: Network) -> int | None:
        row = rows.get(network.name)
        if row is None:
            return None
        return int(row["parameters"]) + (int(row["running_statistics"]) if network.running_statistics else 0)

    known = printed()
    return [Count(network, known.get(network.name), counted(network)) for network in NETWORKS]


@dataclass(frozen=True)
class TrainedNetwork:
    """A model that this preset trained on true labels."""

    model: str
    parameters: int
    examples: int
    test_accuracy: float

    @property
    def ratio(self) -> float:
        """Parameters for each training example."""
        return self.parameters / self.examples


def trained_here(results: Results) -> list[TrainedNetwork]:
    """Return the models that were trained as params have them, on true labels and without a regularizer."""
    dataset = results.params.studies.parameters.dataset
    found = results.of(dataset=dataset, corruption=TRUE, regularizer="none", status="finished")
    found = found[found["model"].map(lambda model: base_model(model) == model).astype(bool)]
    columns = ["parameters", "train_examples", "test_accuracy"]
    averaged = found.groupby("model", sort=False)[columns].mean().dropna()
    return [
        TrainedNetwork(str(model), int(row["parameters"]), int(row["train_examples"]), float(row["test_accuracy"]))
        for model, row in averaged.iterrows()
    ]


@dataclass(frozen=True)
class Perceptrons:
    """Networks of one number of hidden units, over seeds."""

    width: int
    ratio: float | None
    """Parameters for each training example; None where none was trained."""
    train: Estimate | str
    """Accuracy, a fraction, or why there is none."""
    test: Estimate | str


def perceptrons_by_width(results: Results, corruption: str) -> list[Perceptrons]:
    """Return the perceptrons trained with true or with random labels, by rising number of hidden units."""
    params = results.params
    made = []
    for width in params.studies.parameters.widths:
        cells = perceptrons(params, width, corruption)
        found = results.of(
            dataset=cells[0].dataset, model=cells[0].model, corruption=corruption, regularizer=cells[0].regularizer
        )
        found = found[found["seed"].isin([cell.seed for cell in cells])]
        if found.empty:
            made.append(Perceptrons(width, None, MISSING, MISSING))
            continue
        ratio = float(found["parameters"].iloc[0] / found["train_examples"].iloc[0])
        if (found["status"] == "diverged").any():
            made.append(Perceptrons(width, ratio, DIVERGED, DIVERGED))
            continue
        train, test = (estimate(found[column]) for column in ("train_accuracy", "test_accuracy"))
        assert train is not None
        assert test is not None
        made.append(Perceptrons(width, ratio, train, test))
    return made


@dataclass(frozen=True)
class Recognised:
    """A row of Bourlard & Wellekens 1990, Table I: frames of speech. Accuracies are fractions."""

    method: str
    hidden_units: int | None
    ratio: float
    train: float
    test: float


def of_1990() -> list[Recognised]:
    """Return the rows of the table, in its order."""
    return [
        Recognised(
            row["method"],
            int(row["hidden_units"]) if row["hidden_units"] else None,
            float(row["parameters_per_pattern"]),
            float(row["train_accuracy"]) / 100,
            float(row["test_accuracy"]) / 100,
        )
        for row in read_published("table1", paper="bourlard1990")
    ]


def perceptrons_of_1990() -> list[Recognised]:
    """Return its rows of perceptrons with one hidden layer, by rising number of hidden units."""
    return [row for row in of_1990() if row.method == "mlp"]
