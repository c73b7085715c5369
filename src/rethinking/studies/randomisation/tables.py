"""The randomisation study's tables: the paper's value, ours, the difference, a verdict."""

from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

from rethinking.data.corruptions import label_corruption_probability
from rethinking.results.beside import AGREES, DIFFERS, Ours, Tolerance
from rethinking.results.frame import Estimate, Results
from rethinking.results.published import published_curve
from rethinking.results.table import Cell, Column, Table
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.randomisation.curves import curve_pairs
from rethinking.studies.randomisation.design import (
    ALL_MODELS,
    FIGURE_1A,
    SWEEP_MODELS,
    all_models,
    sweep_corruptions,
    table1_rows,
    table4_rows,
)
from rethinking.studies.randomisation.measures import (
    CONVERGENCE_LOSS,
    FITTED,
    MISSING,
    crossing,
    error,
    figure1a_series,
    measured,
    multiple,
    on_papers_data,
    overfit_epochs,
    published_run,
    published_sweep,
    relative_overfit,
    runs,
    steps_to_fit,
    table4_measure,
)

ACCURACY = Tolerance(1.5)
"""A test set of 10,000 images has a standard error of up to half a point, and so have two runs' seeds."""

DURATION = Tolerance(0.25, "share")
"""The paper's times are whole epochs, of which there may be as few as ten, and it does not print its criterion."""


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


def convergence(results: Results) -> Table:
    """Figure 1a in numbers: steps until Inception's training loss is below 0.1 nats."""
    columns = [
        Column("Training data"),
        Column("Steps, paper", "count"),
        Column("Steps, ours", "count"),
        DURATION.column("Δ steps"),
        Column("relative, paper", "ratio"),
        Column("relative, ours", "ratio"),
        DURATION.column("Δ relative"),
        DURATION.verdict_column,
    ]
    published = {
        corruption: crossing(
            *published_curve("figure1a", "step", "train_loss", series=figure1a_series(corruption)),
            CONVERGENCE_LOSS,
        )
        for corruption in FIGURE_1A
    }
    ours = {corruption: steps_to_fit(results, corruption) for corruption in FIGURE_1A}
    rows: list[list[Cell]] = []
    for corruption in FIGURE_1A:
        theirs, base = published[corruption], published["true"]
        relative = theirs / base if theirs and base else None
        mine, own_relative = ours[corruption], multiple(ours[corruption], ours["true"])
        rows.append(
            [
                CORRUPTION_TITLES[corruption],
                *(theirs, mine, DURATION.difference(theirs, mine)),
                *(relative, own_relative, DURATION.difference(relative, own_relative)),
                DURATION.verdict((theirs, mine), (relative, own_relative), same_data=on_papers_data(results)),
            ]
        )
    return Table(columns, rows)


def time_to_overfit(results: Results) -> Table:
    """Figure 1b in numbers: epochs until the online loss is below the threshold, and relative to true labels."""
    published = published_sweep("figure1b", "relative_time_to_overfit")
    measure = [Column("Paper", "ratio"), Column("Ours", "ratio")]
    return _sweep_table(results, published, relative_overfit, measure, DURATION, {"Epochs, ours": overfit_epochs})


def test_error(results: Results) -> Table:
    """Figure 1c in numbers: test error at the end of training."""
    published = published_sweep("figure1c", "test_error")
    return _sweep_table(results, published, error, [Column("Paper", "percent"), Column("Ours", "percent")], ACCURACY)


def _sweep_table(
    results: Results,
    published: Mapping[tuple[str, str], float],
    measure: Callable[[Results, str, str], Estimate | str],
    both: list[Column],
    tolerance: Tolerance,
    further: Mapping[str, Callable[[Results, str, str], Estimate | str]] | None = None,
) -> Table:
    """Return one row a model and level of label corruption; `both` are the columns of the paper's values and ours."""
    further = further or {}
    columns = [Column("Model"), Column("Label corruption", "level"), *both, tolerance.column()]
    columns += [tolerance.verdict_column, *(Column(heading, "count") for heading in further)]
    rows: list[list[Cell]] = []
    for model in SWEEP_MODELS:
        for corruption in sweep_corruptions(results.params):
            theirs, ours = published.get((model, corruption)), measure(results, model, corruption)
            rows.append(
                [
                    model_title(model),
                    label_corruption_probability(corruption),
                    theirs,
                    ours,
                    tolerance.difference(theirs, ours),
                    tolerance.verdict((theirs, ours), same_data=on_papers_data(results)),
                    *(value(results, model, corruption) for value in further.values()),
                ]
            )
    return Table(columns, rows)


def early_stopping(results: Results) -> Table:
    """Figure 2b in numbers: best test accuracy along the run against the last one."""
    columns = [Column("Model")]
    for value in ("Best", "Last"):
        columns += [Column(f"{value}, {whose}", "percent") for whose in ("paper", "ours")]
        columns += [ACCURACY.column(f"Δ {value.lower()}")]
    columns += [
        ACCURACY.verdict_column,
        Column("Gain of stopping, paper", "points"),
        Column("ours", "points"),
        Column("at epoch", "count"),
    ]
    rows: list[list[Cell]] = []
    for model in ("inception", "inception-nobn"):
        _, curve = published_run(model, "test")
        papers_best, papers_last = max(curve), curve[-1]
        found = runs(results, model, "true")
        best, last = measured(found, "best_test_accuracy"), measured(found, "test_accuracy")
        gain = 100 * (best.mean - last.mean) if isinstance(best, Estimate) and isinstance(last, Estimate) else None
        rows.append(
            [
                model_title(model),
                *(papers_best, best, ACCURACY.difference(papers_best, best)),
                *(papers_last, last, ACCURACY.difference(papers_last, last)),
                ACCURACY.verdict((papers_best, best), (papers_last, last), same_data=on_papers_data(results)),
                100 * (papers_best - papers_last),
                gain,
                None if found.empty else fmean(found["best_test_epoch"]),
            ]
        )
    return Table(columns, rows)


def curves(results: Results) -> Table:
    """How far the curves of the paper's figures and ours are apart, at the places of the paper's."""
    columns = [
        Column("Figure"),
        Column("Curve"),
        Column("Places", "count"),
        Column("Difference in"),
        Column("Mean", "number"),
        Column("Largest", "number"),
        Column("at", "number"),
        Column("Mean allowed", "number"),
        Column("Verdict", "verdict"),
    ]
    rows: list[list[Cell]] = []
    for figure, curve, unit, found, verdict in curve_pairs(results):
        distances: list[Cell] = [None, None, None]
        if found:
            distances = [unit.factor * found.mean, unit.factor * found.largest, found.at]
        places = found.places if found else None
        rows.append([figure, curve, places, unit.name, *distances, unit.allowed, verdict])
    return Table(columns, rows)


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
