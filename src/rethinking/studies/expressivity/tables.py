"""The study's tables and headline numbers."""

from collections.abc import Callable
from typing import Any

from rethinking.results.frame import Results, matching
from rethinking.results.table import Cell, Column, Table
from rethinking.results.titles import CORRUPTION_TITLES, MODEL_TITLES
from rethinking.studies.expressivity.design import RANDOM
from rethinking.studies.expressivity.measures import (
    CIFAR10,
    ERRORS,
    MISSING,
    PAPERS_NAMES,
    deeper,
    papers_parameters,
    theorem_weights,
    trained_parameters,
    two_layers,
)
from rethinking.studies.expressivity.vocabulary import ALTERNATING, INPUTS, PIXELS, THRESHOLDS, WHITENED


def labellings(results: Results) -> Table:
    """The two-layer network of each data set and labelling: alternating thresholds, on pixels."""
    columns = [
        Column("Data set"),
        Column("Labels"),
        Column("n", "count"),
        Column("d", "count"),
        Column("Weights", "count"),
        Column("Smallest gap", "number"),
        Column("Largest error", "number"),
        Column("Accuracy", "percent"),
        Column("Seconds", "number"),
    ]
    names = ("examples", "values", "weights", "relative_gap", "error", "accuracy", "seconds")
    found = two_layers(results, inputs=PIXELS, thresholds=ALTERNATING)
    if not found.empty:
        found = found.assign(error=found[list(ERRORS)].max(axis=1))
    rows: list[list[Cell]] = [
        [row["dataset"], _labels(row["corruption"]), *(row[name] for name in names)] for row in found.to_dict("records")
    ]
    return Table(columns, rows or _not_run(results, len(columns)))


def choices(results: Results) -> Table:
    """Errors of all two-layer networks, by what the points are and where the thresholds lie."""
    columns = [
        Column("Data set"),
        Column("Labels"),
        Column("Inputs"),
        Column("Thresholds"),
        Column("Error, in order", "number"),
        Column("Error, by unit", "number"),
        Column("Accuracy, in order", "percent"),
        Column("Accuracy, by unit", "percent"),
    ]
    names = ("inputs", "thresholds", "largest_error", "unit_error", "accuracy", "unit_accuracy")
    rows: list[list[Cell]] = [
        [row["dataset"], _labels(row["corruption"]), *(row[name] for name in names)]
        for row in two_layers(results).to_dict("records")
    ]
    return Table(columns, rows or _not_run(results, len(columns)))


def _labels(corruption: str) -> str:
    return CORRUPTION_TITLES[corruption].removesuffix(" labels")


def depth(results: Results) -> Table:
    """Width, weights and errors of the deeper networks."""
    columns = [
        Column("Data set"),
        Column("Labels"),
        Column("Depth", "count"),
        Column("Width", "count"),
        Column("Weights", "count"),
        Column("Largest error", "number"),
        Column("Accuracy", "percent"),
        Column("Seconds", "number"),
    ]
    names = ("depth", "width", "weights", "largest_error", "accuracy", "seconds")
    rows: list[list[Cell]] = [
        [row["dataset"], _labels(row["corruption"]), *(row[name] for name in names)]
        for row in deeper(results).to_dict("records")
    ]
    return Table(columns, rows or _not_run(results, len(columns)))


def counts(results: Results) -> Table:
    """Numbers of weights: of theorem 1, of the bound before it, and of trained networks, the paper's and ours."""
    columns = [
        Column("Network"),
        Column("n", "count"),
        Column("d", "count"),
        Column("Weights", "count"),
        Column("Weights an example", "ratio"),
    ]
    examples, values = CIFAR10
    rows: list[list[Cell]] = [
        ["Theorem 1, 2n + d (paper, CIFAR-10)", examples, values, theorem_weights(examples, values)],
        ["Bound before it, of the order of dn (paper, CIFAR-10)", examples, values, examples * values],
    ]
    rows += [
        [f"{MODEL_TITLES[PAPERS_NAMES[name]]} (paper, CIFAR-10)", examples, values, weights]
        for name, weights in papers_parameters().items()
    ]
    found = two_layers(results, inputs=PIXELS, thresholds=ALTERNATING, corruption=RANDOM)
    for row in found.to_dict("records"):
        rows.append([f"Theorem 1, {row['dataset']}", row["examples"], row["values"], row["weights"]])
    if found.empty:
        rows.append(["Theorem 1, ours", None, None, MISSING])
    dataset = results.params.studies.randomisation.dataset
    own = found.to_dict("records") and matching(found, dataset=dataset).to_dict("records")
    for model, weights in trained_parameters(results).items():
        shape = [own[0]["examples"], own[0]["values"]] if own else [None, None]
        rows.append([f"{MODEL_TITLES[model]}, {dataset}", *shape, weights])
    return Table(columns, [[*row, _ratio(row[3], row[1])] for row in rows])


def _ratio(weights: Cell, examples: Cell) -> Cell:
    if isinstance(weights, (int, float)) and isinstance(examples, (int, float)):
        return weights / examples
    return None


def _not_run(results: Results, columns: int) -> list[list[Cell]]:
    return [[name, MISSING, *[None] * (columns - 2)] for name in results.params.studies.expressivity.datasets]


TABLES: dict[str, Callable[[Results], Table]] = {
    "labellings": labellings,
    "choices": choices,
    "depth": depth,
    "counts": counts,
}


def numbers(results: Results) -> dict[str, Any]:
    """Return the headline numbers: of random labels of the first data set; what outputs are off by is in labels."""
    study = results.params.studies.expressivity
    found = two_layers(results, corruption=RANDOM)
    by_network: dict[tuple[str, str], dict[str, Any]] = {}
    if not found.empty:
        for row in matching(found, dataset=study.datasets[0]).to_dict("records"):
            by_network[row["inputs"], row["thresholds"]] = {str(name): value for name, value in row.items()}
    exact = by_network.get((PIXELS, ALTERNATING), {})
    return {
        **{name: exact.get(name) for name in ("examples", "values", "weights")},
        "seconds": _digits(exact.get("seconds")),
        "whitened_gap": _digits(by_network.get((WHITENED, ALTERNATING), {}).get("relative_gap")),
        "paper_weights": theorem_weights(*CIFAR10),
        **{
            f"{inputs}_{thresholds}": {
                "off_in_order": _digits(by_network.get((inputs, thresholds), {}).get("largest_error")),
                "off_by_unit": _digits(by_network.get((inputs, thresholds), {}).get("unit_error")),
            }
            for inputs in INPUTS
            for thresholds in THRESHOLDS
        },
    }


def _digits(value: float | None) -> float | None:
    """Return two significant digits, as prose shows them."""
    return None if value is None else float(f"{value:.2g}")
