"""The paper's figures in numbers, ours beside them: the differences, and a verdict on each."""

from collections.abc import Callable, Mapping
from statistics import fmean

from rethinking.data.corruptions import label_corruption_probability
from rethinking.results.beside import Tolerance
from rethinking.results.frame import Estimate, Results
from rethinking.results.published import published_curve
from rethinking.results.table import Cell, Column, Table
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.randomisation.curves import curve_pairs
from rethinking.studies.randomisation.design import FIGURE_1A, SWEEP_MODELS, sweep_corruptions
from rethinking.studies.randomisation.measures import (
    ACCURACY,
    CONVERGENCE_LOSS,
    crossing,
    error,
    error_on_corrupted_labels,
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
)

Measure = Callable[[Results, str, str], Estimate | str]
"""What is said of a model under a corruption."""

DURATION = Tolerance(0.25, "share")
"""The paper's times are whole epochs, of which there may be as few as ten, and it does not print its criterion."""


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
    epochs = Column("Epochs, ours", "count"), overfit_epochs
    return _sweep_table(results, published, relative_overfit, measure, DURATION, epochs, unit="true")


def test_error(results: Results) -> Table:
    """Figure 1c in numbers: test error at the end of training."""
    published = published_sweep("figure1c", "test_error")
    both = [Column("Paper", "percent"), Column("Ours", "percent")]
    expected = Column("Test labels corrupted, ours", "percent"), error_on_corrupted_labels
    return _sweep_table(results, published, error, both, ACCURACY, expected)


def _sweep_table(
    results: Results,
    published: Mapping[tuple[str, str], float],
    measure: Measure,
    both: list[Column],
    tolerance: Tolerance,
    further: tuple[Column, Measure],
    unit: str | None = None,
) -> Table:
    """Return one row a model and level of label corruption; `both` are the columns of the paper's values and ours.

    `further` is a column of ours that has no counterpart, and what it shows. Under the corruption that is the `unit`
    both are 1, from which no agreement follows.
    """
    columns = [Column("Model"), Column("Label corruption", "level"), *both, tolerance.column()]
    columns += [tolerance.verdict_column, further[0]]
    rows: list[list[Cell]] = []
    for model in SWEEP_MODELS:
        for corruption in sweep_corruptions(results.params):
            theirs, ours = published.get((model, corruption)), measure(results, model, corruption)
            compared = None if corruption == unit else theirs
            rows.append(
                [
                    model_title(model),
                    label_corruption_probability(corruption),
                    theirs,
                    ours,
                    tolerance.difference(compared, ours),
                    tolerance.verdict((compared, ours), same_data=on_papers_data(results)),
                    further[1](results, model, corruption),
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
