"""The study's tables and headline numbers."""

from collections.abc import Callable
from typing import Any

from rethinking.results.beside import AGREES, DIFFERS, NOT_RUN, Tolerance
from rethinking.results.frame import Estimate, Results
from rethinking.results.table import Cell, Column, Table
from rethinking.studies.parameters.catalogue import EXAMPLES
from rethinking.studies.parameters.design import RANDOM, TRUE
from rethinking.studies.parameters.measures import (
    MISSING,
    Count,
    Perceptrons,
    counts,
    of_1990,
    perceptrons_by_width,
    perceptrons_of_1990,
    trained_here,
)

DATASET_TITLES = {"cifar10": "CIFAR-10", "imagenet": "ImageNet", "mnist": "MNIST"}

EXACT = Tolerance(0, "share")

METHODS_OF_1990 = {
    "mlp": "perceptron",
    "mle": "Markov model, maximum likelihood",
    "map": "Markov model, maximum a posteriori",
    "mlp_nci": "perceptron, no context",
}


def count_table(results: Results) -> Table:
    """Parameters of published networks, printed and counted, and for each training example."""
    columns = [
        Column("Network"),
        Column("Data"),
        Column("Examples", "count"),
        Column("Printed", "count"),
        Column("Counted", "count"),
        EXACT.column(),
        Column("Verdict, in the digits printed", "verdict"),
        Column("An example, printed", "number"),
        Column("An example", "number"),
    ]
    rows: list[list[Cell]] = [
        [
            count.network.title,
            DATASET_TITLES[count.network.dataset],
            EXAMPLES[count.network.dataset],
            _printed(count),
            MISSING if count.parameters is None else count.parameters,
            None if count.printed is None else EXACT.difference(count.printed.parameters, count.parameters),
            _agreement(count),
            None if count.printed is None else count.printed.ratio,
            count.ratio,
        ]
        for count in counts(results)
    ]
    return Table(columns, rows)


def hidden_units(results: Results) -> Table:
    """Train and test accuracy by hidden units: the table of 1990, and ours, with random labels beside."""
    columns = [
        Column("Data"),
        Column("Model"),
        Column("Hidden units", "count"),
        Column("Parameters an example", "ratio"),
        Column("Train", "percent"),
        Column("Test", "percent"),
        Column("Train, random labels", "percent"),
    ]
    rows: list[list[Cell]] = [
        ["SPICOS, 1990", METHODS_OF_1990[row.method], row.hidden_units, row.ratio, row.train, row.test, None]
        for row in of_1990()
    ]
    dataset = results.params.studies.parameters.dataset
    for learned, memorised in zip(*_both(results), strict=True):
        ratio = memorised.ratio if learned.ratio is None else learned.ratio
        rows.append(
            [
                DATASET_TITLES.get(dataset, dataset),
                METHODS_OF_1990["mlp"],
                learned.width,
                ratio,
                learned.train,
                learned.test,
                memorised.train,
            ]
        )
    return Table(columns, rows)


TABLES: dict[str, Callable[[Results], Table]] = {"counts": count_table, "hidden-units": hidden_units}


def numbers(results: Results) -> dict[str, Any]:
    """Return parameters for each example, of published networks and of ours, and where the perceptrons are best."""
    learned, memorised = _both(results)
    best_of_1990 = max(perceptrons_of_1990(), key=lambda row: row.test)
    most_of_1990 = perceptrons_of_1990()[-1]
    measured = [each for each in learned if isinstance(each.test, Estimate)]
    best = max(measured, key=lambda each: _mean(each.test) or 0.0) if measured else None
    return {
        "ratios": {count.network.name: _rounded(count.ratio) for count in counts(results)},
        "trained": {each.model: _rounded(each.ratio) for each in trained_here(results)},
        "in_1990": {
            "best_ratio": best_of_1990.ratio,
            "best_test_accuracy": best_of_1990.test,
            "most_ratio": most_of_1990.ratio,
            "most_test_accuracy": most_of_1990.test,
        },
        "hidden_units": {
            "fewest_ratio": _rounded(learned[0].ratio),
            "most_ratio": _rounded(learned[-1].ratio),
            "best_ratio": None if best is None else _rounded(best.ratio),
            "best_test_accuracy": None if best is None else _mean(best.test),
            "most_test_accuracy": _mean(learned[-1].test),
            "fewest_train_accuracy_random": _mean(memorised[0].train),
            "most_train_accuracy_random": _mean(memorised[-1].train),
        },
    }


def _both(results: Results) -> tuple[list[Perceptrons], list[Perceptrons]]:
    return perceptrons_by_width(results, TRUE), perceptrons_by_width(results, RANDOM)


def _agreement(count: Count) -> Cell:
    if count.printed is None:
        return None
    if count.parameters is None:
        return NOT_RUN
    return AGREES if count.printed.agrees(count.parameters) else DIFFERS


def _printed(count: Count) -> Cell:
    if count.printed is None:
        return None
    return count.printed.parameters if count.printed.exact else count.printed.text


def _rounded(ratio: float | None) -> float | None:
    return None if ratio is None else float(f"{ratio:.3g}")


def _mean(value: Estimate | str) -> float | None:
    return round(value.mean, 6) if isinstance(value, Estimate) else None
