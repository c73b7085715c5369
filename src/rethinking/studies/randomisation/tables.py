"""The randomisation study's tables: the paper's value, ours, the difference."""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import pandas as pd

from rethinking.data.corruptions import label_corruption_name, label_corruption_probability
from rethinking.results.frame import Estimate, Results, estimate
from rethinking.results.published import published_curve
from rethinking.results.table import Cell, Column, Table
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.randomisation.design import (
    ALL_MODELS,
    FIGURE_1A,
    SWEEP_MODELS,
    Row,
    all_models,
    published_model,
    sweep_corruptions,
    table1_rows,
    table4_rows,
)

MISSING = "not run"
DIVERGED = "diverged"


def runs(results: Results, model: str, corruption: str, regularizer: str = "none") -> pd.DataFrame:
    """Return the runs, one a seed, of one cell on the study's data set."""
    dataset = results.params.studies.randomisation.dataset
    return results.of(dataset=dataset, model=model, corruption=corruption, regularizer=regularizer)


def measured(found: pd.DataFrame, column: str) -> Estimate | str:
    """Return the mean over seeds of a column, or why there is none; one diverged seed makes the cell diverged."""
    if found.empty:
        return MISSING
    if (found["status"] == "diverged").any():
        return DIVERGED
    value = estimate(found[column])
    return MISSING if value is None else value


def _difference(ours: Estimate | str, published: float | None) -> Cell:
    """Return ours minus the paper's, in percentage points."""
    if isinstance(ours, str) or published is None:
        return None
    return 100 * ours.mean - published


def _percent(published: float | None) -> Cell:
    return None if published is None else published / 100


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
        Column("Δ train", "points"),
        Column("Test, paper", "percent"),
        Column("Test, ours", "percent"),
        Column("Δ test", "points"),
    ]
    rows: list[list[Cell]] = []
    for row in table1_rows():
        found = runs(results, row.model, row.corruption, row.regularizer)
        train, test = measured(found, "train_accuracy"), measured(found, "test_accuracy")
        rows.append(
            [
                model_title(row.model),
                "random" if row.corruption == "random-labels" else "true",
                _yes_no(row.regularizer, "crop"),
                _yes_no(row.regularizer, "wd"),
                _percent(row.train_accuracy),
                train,
                _difference(train, row.train_accuracy),
                _percent(row.test_accuracy),
                test,
                _difference(test, row.test_accuracy),
            ]
        )
    return Table(columns, rows)


REGULARIZER_NAMES = {
    "wd": "weight decay",
    "crop": "random cropping",
    "flip+rotate": "flips and rotations",
}


def table4_measure(row: Row) -> str:
    """Return which accuracy Table 4 reports: under augmentation the average over augmented examples as seen."""
    return "train_accuracy" if row.regularizer == "wd" else "online_accuracy"


def table4(results: Results) -> Table:
    """Train accuracy on random labels under explicit regularizers."""
    columns = [
        Column("Model"),
        Column("Regularizer"),
        Column("Train, paper", "percent"),
        Column("Train, ours", "percent"),
        Column("Δ", "points"),
        Column("Epochs", "count"),
    ]
    rows: list[list[Cell]] = []
    for row in table4_rows():
        found = runs(results, row.model, row.corruption, row.regularizer)
        ours = measured(found, table4_measure(row))
        rows.append(
            [
                model_title(row.model),
                REGULARIZER_NAMES[row.regularizer],
                "failed to converge" if row.train_accuracy is None else row.train_accuracy / 100,
                ours,
                _difference(ours, row.train_accuracy),
                None if found.empty else int(found["epochs"].max()),
            ]
        )
    return Table(columns, rows)


CONVERGENCE_LOSS = 0.1


def crossing(steps: list[float], losses: list[float], level: float) -> float | None:
    """Return the step at which `losses` first fall below `level`, interpolating linearly between epochs."""
    for i, loss in enumerate(losses):
        if loss < level:
            if i == 0:
                return steps[0]
            share = (losses[i - 1] - level) / (losses[i - 1] - loss)
            return steps[i - 1] + share * (steps[i] - steps[i - 1])
    return None


def steps_to_fit(results: Results, corruption: str) -> Estimate | str:
    """Return when Inception's online loss falls below CONVERGENCE_LOSS nats, in gradient steps."""
    found = runs(results, "inception", corruption)
    if found.empty:
        return MISSING
    dataset = results.params.studies.randomisation.dataset
    crossings = []
    for seed in found["seed"]:
        history = results.history(
            dataset=dataset, model="inception", corruption=corruption, regularizer="none", seed=seed
        )
        reached = crossing(list(history["step"]), list(history["online_loss"]), CONVERGENCE_LOSS)
        if reached is None:
            return "not reached"
        crossings.append(reached)
    return estimate(crossings) or MISSING


def convergence(results: Results) -> Table:
    """Figure 1a in numbers: steps until Inception's training loss is below 0.1 nats."""
    columns = [
        Column("Training data"),
        Column("Steps, paper", "count"),
        Column("relative, paper", "ratio"),
        Column("Steps, ours", "count"),
        Column("relative, ours", "ratio"),
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
        mine, own_base = ours[corruption], ours["true"]
        rows.append(
            [
                CORRUPTION_TITLES[corruption],
                theirs,
                theirs / base if theirs and base else None,
                mine,
                mine.mean / own_base.mean if isinstance(mine, Estimate) and isinstance(own_base, Estimate) else None,
            ]
        )
    return Table(columns, rows)


def figure1a_series(corruption: str) -> str:
    """Return the published Figure 1a's name of a corruption."""
    return {"true": "true_labels"}.get(corruption, corruption.replace("-", "_"))


def published_sweep(figure: str, value: str) -> dict[tuple[str, str], float]:
    """Return Figure 1b's or 1c's values by our (model, corruption)."""
    found = {}
    for model in ("inception", "alexnet", "mlp_1x512"):
        for probability, y in zip(*published_curve(figure, "label_corruption", value, series=model), strict=True):
            found[published_model(model), label_corruption_name(probability)] = y
    return found


def _sweep_table(results: Results, headings: Sequence[Column], values: Callable[[str, str], Sequence[Cell]]) -> Table:
    """Return one row a level of label corruption, and for each model of the sweep `headings` after its name."""
    columns = [Column("Label corruption", "level")]
    for model in SWEEP_MODELS:
        columns += [Column(f"{model_title(model)}, {column.heading}", column.form) for column in headings]
    rows = [
        [
            label_corruption_probability(corruption),
            *(value for model in SWEEP_MODELS for value in values(model, corruption)),
        ]
        for corruption in sweep_corruptions(results.params)
    ]
    return Table(columns, rows)


def time_to_overfit(results: Results) -> Table:
    """Figure 1b in numbers: epochs until the online loss is below the threshold, and relative to true labels."""
    published = published_sweep("figure1b", "relative_time_to_overfit")

    def values(model: str, corruption: str) -> list[Cell]:
        epochs, base = overfit_epochs(results, model, corruption), overfit_epochs(results, model, "true")
        relative = epochs.mean / base.mean if isinstance(epochs, Estimate) and isinstance(base, Estimate) else None
        return [published.get((model, corruption)), relative, epochs]

    return _sweep_table(results, [Column("paper", "ratio"), Column("ours", "ratio"), Column("epochs", "count")], values)


def overfit_epochs(results: Results, model: str, corruption: str) -> Estimate | str:
    """Return the mean time to overfit in epochs, or why there is none."""
    found = runs(results, model, corruption)
    if found.empty:
        return MISSING
    if (found["status"] == "diverged").any():
        return DIVERGED
    if found["time_to_overfit"].isna().any():
        return "not reached"
    return estimate(found["time_to_overfit"]) or MISSING


def test_error(results: Results) -> Table:
    """Figure 1c in numbers: test error at the end of training."""
    published = published_sweep("figure1c", "test_error")

    def values(model: str, corruption: str) -> list[Cell]:
        ours, theirs = error(results, model, corruption), published.get((model, corruption))
        return [theirs, ours, None if theirs is None else _difference(ours, 100 * theirs)]

    return _sweep_table(results, [Column("paper", "percent"), Column("ours", "percent"), Column("Δ", "points")], values)


def error(results: Results, model: str, corruption: str) -> Estimate | str:
    """Return the mean test error, a fraction, or why there is none."""
    accuracy = measured(runs(results, model, corruption), "test_accuracy")
    if isinstance(accuracy, str):
        return accuracy
    return Estimate(1 - accuracy.mean, accuracy.half_width, accuracy.seeds)


def early_stopping(results: Results) -> Table:
    """Figure 2b in numbers: best test accuracy along the run against the last one."""
    columns = [
        Column("Model"),
        Column("Best, paper", "percent"),
        Column("Last, paper", "percent"),
        Column("Best, ours", "percent"),
        Column("at epoch", "count"),
        Column("Last, ours", "percent"),
        Column("Gain of stopping", "points"),
    ]
    rows: list[list[Cell]] = []
    for model, series in (("inception", "inception"), ("inception-nobn", "inception_wo_bn")):
        _, curve = published_curve("figure2b", "step", "accuracy", series=series, split="test")
        found = runs(results, model, "true")
        best, last = measured(found, "best_test_accuracy"), measured(found, "test_accuracy")
        gain = 100 * (best.mean - last.mean) if isinstance(best, Estimate) and isinstance(last, Estimate) else None
        rows.append(
            [
                model_title(model),
                max(curve),
                curve[-1],
                best,
                None if found.empty else fmean(found["best_test_epoch"]),
                last,
                gain,
            ]
        )
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
