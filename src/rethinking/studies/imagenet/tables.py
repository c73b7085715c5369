"""Table 2 with ours beside it, and the headline numbers."""

from collections.abc import Callable
from typing import Any

from rethinking.results.beside import Tolerance
from rethinking.results.frame import Estimate, Results
from rethinking.results.table import Cell, Column, Points, Table
from rethinking.studies.imagenet.design import PARTS, Condition, PaperRow, conditions, paper_rows
from rethinking.studies.imagenet.measures import best, last, trained, why_not_run

ACCURACY = Tolerance(1.5)
"""As for CIFAR-10. The validation set has 50,000 images, so that more than half a point is no matter of chance."""

MEASURES = ("train_top1", "train_top5", "test_top1", "test_top5")


def table2(results: Results) -> Table:
    """Accuracy on ImageNet under true and random labels with and without each regularizer."""
    columns = [
        Column("Source"),
        Column("Labels"),
        Column("Aug."),
        Column("Dropout"),
        Column("WD"),
        Column("Train, top-1", "percent"),
        Column("Train, top-5", "percent"),
        Column("Test, top-1", "percent"),
        Column("Best, top-1", "percent"),
        Column("Test, top-5", "percent"),
        Column("Best, top-5", "percent"),
        ACCURACY.verdict_column,
    ]
    what = trained(results)
    source = f"ours, {what}" if what else "ours"
    rows: list[list[Cell]] = []
    papers = paper_rows()
    for row in papers:
        theirs = _paper_values(row)
        rows.append([*_named(row), *theirs, None])
        if what is not None and row.condition is not None:
            ours, named = _our_values(results, row.condition), _condition_cells(row.condition)
            verdict = ACCURACY.verdict(*zip(theirs, ours, strict=True), same_data=not what)
            differences = [ACCURACY.difference(*pair) for pair in zip(theirs, ours, strict=True)]
            rows.append([source, *named, *ours, verdict])
            if any(each is not None for each in differences):
                shown = [None if each is None else Points(each) for each in differences]
                rows.append(["difference, points", *named, *shown, None])
    known = [row.condition for row in papers]
    for condition in conditions(results.params):
        if what is not None and condition not in known:
            rows.append([source, *_condition_cells(condition), *_our_values(results, condition), None])
    if what is None:
        rows.append([f"ours: {why_not_run(results.params)}", *[None] * (len(columns) - 1)])
    return Table(columns, rows)


def _named(row: PaperRow) -> list[Cell]:
    if row.condition is None:
        return ["paper, of AlexNet (2012)", "true", None, None, None]
    return ["paper", *_condition_cells(row.condition)]


def _condition_cells(condition: Condition) -> list[Cell]:
    labels = "random" if condition.corruption == "random-labels" else "true"
    return [labels, *("yes" if condition.uses(part) else "no" for part in PARTS)]


def _paper_values(row: PaperRow) -> list[float | None]:
    return [row.train_top1, row.train_top5, row.test_top1, row.best_test_top1, row.test_top5, row.best_test_top5]


def _our_values(results: Results, condition: Condition) -> list[Estimate | str | None]:
    train1, train5, test1, test5 = (last(results, condition, name) for name in MEASURES)
    if isinstance(test1, str):
        return [test1, *[None] * 5]
    return [train1, train5, test1, best(results, condition, "test_top1"), test5, best(results, condition, "test_top5")]


TABLES: dict[str, Callable[[Results], Table]] = {"table2": table2}


def numbers(results: Results) -> dict[str, Any]:
    """Return accuracies, fractions, of the paper and ours: by labels and regularizers, as `true_augmentation_wd`."""
    papers: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    for row in paper_rows():
        papers[_key(row.condition)] = {
            **{f"{name}_accuracy": getattr(row, name) for name in MEASURES},
            **{f"best_{name}_accuracy": getattr(row, f"best_{name}") for name in MEASURES[2:]},
        }
        if row.condition is not None:
            ours[_key(row.condition)] = {
                **{f"{name}_accuracy": _rounded(last(results, row.condition, name)) for name in MEASURES},
                **{f"best_{name}_accuracy": _rounded(best(results, row.condition, name)) for name in MEASURES[2:]},
            }
    return {"paper": papers, "ours": ours}


def _key(condition: Condition | None) -> str:
    if condition is None:
        return "alexnet_2012"
    return "_".join([condition.corruption.removesuffix("-labels"), *condition.regularizer.split("+")])


def _rounded(value: Estimate | str) -> float | None:
    return round(value.mean, 6) if isinstance(value, Estimate) else None
