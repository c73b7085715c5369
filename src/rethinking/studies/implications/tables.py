"""The summary's table and headline numbers."""

from collections.abc import Callable
from typing import Any

from rethinking.results.frame import Results
from rethinking.results.table import Cell, Column, Table
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.implications.sizes import BOTH, PRUNED, ROUNDED, Smallest, pairs, smallest

NOT_RUN = "not run"


def examples(results: Results, each: Smallest) -> int | None:
    """Return how many examples a network was trained on."""
    dataset = results.params.studies.randomisation.dataset
    found = results.of(dataset=dataset, model=each.model, corruption=each.corruption, regularizer="none")
    return None if found.empty else int(found["train_examples"].iloc[0])


def sizes(results: Results) -> Table:
    """How small a file becomes that keeps what its network was trained on."""
    columns = [
        Column("Model"),
        Column("Labels"),
        Column("As trained, kB", "number"),
        Column("Pruned, kB", "number"),
        Column("Rounded, kB", "number"),
        Column("Both, kB", "number"),
        Column("Times smaller", "number"),
        Column("Bits an example", "number"),
    ]
    rows: list[list[Cell]] = []
    for each in smallest(results):
        count = examples(results, each)
        rows.append(
            [
                model_title(each.model),
                CORRUPTION_TITLES[each.corruption],
                each.dense / 1000,
                *(each.by_form[form] / 1000 if form in each.by_form else "none" for form in (PRUNED, ROUNDED, BOTH)),
                each.dense / each.best,
                None if count is None else 8 * each.best / count,
            ]
        )
    return Table(columns, rows or [[NOT_RUN, *[None] * (len(columns) - 1)]])


TABLES: dict[str, Callable[[Results], Table]] = {"sizes": sizes}


def numbers(results: Results) -> dict[str, Any]:
    """Return how many times smaller each network became, and how many times more bytes memorising took."""
    found: dict[str, Any] = {}
    for model, both in pairs(results).items():
        true, random = both["true"], both["random-labels"]
        found[model] = {
            "times_smaller_true": round(true.dense / true.best, 3),
            "times_smaller_random": round(random.dense / random.best, 3),
            "memorised_over_learned": round(random.best / true.best, 3),
        }
    return found
