"""The randomisation study's tables: the paper's value, ours, the difference, a verdict; and its headline numbers."""

from collections.abc import Callable
from typing import Any

from rethinking.results.beside import AGREES, DIFFERS, Ours
from rethinking.results.frame import Estimate, Results
from rethinking.results.table import Cell, Column, Table
from rethinking.results.titles import model_title
from rethinking.studies.randomisation.design import ALL_MODELS, all_models, table1_rows, table4_rows
from rethinking.studies.randomisation.figure_tables import (
    convergence,
    curves,
    early_stopping,
    test_error,
    time_to_overfit,
)
from rethinking.studies.randomisation.measures import (
    ACCURACY,
    FITTED,
    MISSING,
    measured,
    on_papers_data,
    overfit_epochs,
    runs,
    table4_measure,
)


def _fraction(percentage: float | None) -> float | None:
    return None if percentage is None else percentage / 100


def _yes_no(regularizer: str, part: str) -> str:
    return "yes" if part in regularizer.split("+") else "no"


def table1(results: Results) -> Table:
    """Accuracy of every model with and without random crops, weight decay and random labels."""
    columns = [
        Column("Model"),
        Column("Labels"),
        Column("Crop"),
        Column("WD"),
        Column("Train, paper", "percent"),
        Column("Train, ours", "percent"),
        ACCURACY.column("Δ train"),
        Column("Test, paper", "percent"),
        Column("Test, ours", "percent"),
        ACCURACY.column("Δ test"),
        ACCURACY.verdict_column,
    ]
    rows: list[list[Cell]] = []
    for row in table1_rows():
        found = runs(results, row.model, row.corruption, row.regularizer)
        papers_train, papers_test = _fraction(row.train_accuracy), _fraction(row.test_accuracy)
        train, test = measured(found, "train_accuracy"), measured(found, "test_accuracy")
        rows.append(
            [
                model_title(row.model),
                "random" if row.corruption == "random-labels" else "true",
                _yes_no(row.regularizer, "crop"),
                _yes_no(row.regularizer, "wd"),
                papers_train,
                train,
                ACCURACY.difference(papers_train, train),
                papers_test,
                test,
                ACCURACY.difference(papers_test, test),
                ACCURACY.verdict((papers_train, train), (papers_test, test), same_data=on_papers_data(results)),
            ]
        )
    return Table(columns, rows)


REGULARIZER_NAMES = {
    "wd": "weight decay",
    "crop": "random cropping",
    "flip+rotate": "flips and rotations",
}


def table4(results: Results) -> Table:
    """Train accuracy on random labels under explicit regularizers."""
    columns = [
        Column("Model"),
        Column("Regularizer"),
        Column("Train, paper", "percent"),
        Column("Train, ours", "percent"),
        ACCURACY.column(),
        ACCURACY.verdict_column,
        Column("Epochs", "count"),
    ]
    rows: list[list[Cell]] = []
    for row in table4_rows():
        found = runs(results, row.model, row.corruption, row.regularizer)
        theirs, ours = _fraction(row.train_accuracy), measured(found, table4_measure(row))
        rows.append(
            [
                model_title(row.model),
                REGULARIZER_NAMES[row.regularizer],
                "failed to converge" if theirs is None else theirs,
                ours,
                ACCURACY.difference(theirs, ours),
                _table4_verdict(results, theirs, ours),
                None if found.empty else int(found["epochs"].max()),
            ]
        )
    return Table(columns, rows)


def _table4_verdict(results: Results, theirs: float | None, ours: Ours) -> str | None:
    """Return whether ours is the paper's accuracy, or fails to converge where the paper's failed."""
    same = on_papers_data(results)
    if theirs is not None:
        return ACCURACY.verdict((theirs, ours), same_data=same)
    if ours == MISSING or not same:
        return ACCURACY.verdict((FITTED, ours), same_data=same)
    return DIFFERS if isinstance(ours, Estimate) and ours.mean >= FITTED else AGREES


def other_datasets(results: Results) -> Table:
    """The heart of the paper's first experiment on other data sets, which it does not report: no paper column."""
    columns = [
        Column("Data set"),
        Column("Model"),
        Column("Train, true labels", "percent"),
        Column("Test, true labels", "percent"),
        Column("Train, random labels", "percent"),
        Column("Test, random labels", "percent"),
    ]
    study = results.params.studies.randomisation
    rows: list[list[Cell]] = []
    for dataset in dict.fromkeys([study.dataset, *study.fits_random_labels_on]):
        for model in all_models(results.params) if dataset == study.dataset else ALL_MODELS:
            row: list[Cell] = [dataset, model_title(model)]
            for corruption in ("true", "random-labels"):
                found = results.of(dataset=dataset, model=model, corruption=corruption, regularizer="none")
                row += [measured(found, "train_accuracy"), measured(found, "test_accuracy")]
            rows.append(row)
    return Table(columns, rows)


TABLES: dict[str, Callable[[Results], Table]] = {
    "table1": table1,
    "table4": table4,
    "convergence": convergence,
    "time-to-overfit": time_to_overfit,
    "test-error": test_error,
    "early-stopping": early_stopping,
    "curves": curves,
    "other-datasets": other_datasets,
}


def numbers(results: Results) -> dict[str, Any]:
    """Return train and test accuracy with true and with random labels, and time to overfit, for every model."""
    found: dict[str, Any] = {}
    for model in all_models(results.params):
        entry: dict[str, Any] = {}
        for corruption, key in (("true", "true"), ("random-labels", "random")):
            for column in ("train_accuracy", "test_accuracy"):
                value = measured(runs(results, model, corruption), column)
                entry[f"{column}_{key}"] = round(value.mean, 6) if isinstance(value, Estimate) else None
            epochs = overfit_epochs(results, model, corruption)
            entry[f"time_to_overfit_{key}"] = epochs.mean if isinstance(epochs, Estimate) else None
        found[model] = entry
    return found
