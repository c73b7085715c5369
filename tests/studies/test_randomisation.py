"""The randomisation study: its cells, its tables against the paper, its figures, and what its claims say."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from rethinking.data.corruptions import label_corruption_name, label_corruption_probability
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.beside import AGREES, DIFFERS, NOT_RUN, OTHER_DATA
from rethinking.results.claims import Verdict
from rethinking.results.frame import Estimate, Results
from rethinking.results.published import published_curve
from rethinking.results.style import style, svg
from rethinking.results.table import NBSP, Table
from rethinking.studies.randomisation import STUDY, figure_tables, figures, measures, tables
from rethinking.studies.randomisation.design import (
    ALL_MODELS,
    SWEEP_MODELS,
    Row,
    cells,
    table1_rows,
    table4_rows,
)
from rethinking.studies.randomisation.plots import PLOTS

PARAMS = {
    name: load_params(Path(__file__).resolve().parents[2] / "params.yaml", name)
    for name in ("paper", "digits", "smoke")
}
PAPER = PARAMS["paper"]
SWEEP = [label_corruption_name(level / 10) for level in range(11)]
BASE_EPOCHS = {"inception": 10, "alexnet": 31, "mlp-1x512": 28}  # to overfit true labels: figure 1b implies them
FIGURE_1A = {
    "true": "true_labels",
    "random-labels": "random_labels",
    "shuffled-pixels": "shuffled_pixels",
    "random-pixels": "random_pixels",
    "gaussian": "gaussian",
}

Run = tuple[str, str, str, int]
"""Model, corruption, regularizer, seed."""
Runs = dict[Run, dict[str, Any]]
Curves = dict[Run, list[tuple[float, float]]]
"""(step, online loss) after each epoch."""


def results(runs: Runs, curves: Curves | None = None, params: Params = PAPER) -> Results:
    """Lay out runs as collected results; what a run does not name is that of a run that fitted everything."""
    identity = ["dataset", "model", "corruption", "regularizer", "seed"]
    usual = {
        "status": "finished",
        "epochs": 70,
        "parameters": 1000,
        "train_accuracy": 1.0,
        "test_accuracy": 0.5,
        "online_accuracy": 1.0,
        "best_test_epoch": 60,
        "time_to_overfit": 10.0,
        "seconds": 60.0,
        "device": "cpu",
        "device_name": "a processor",
        "precision": "float32",
    }
    dataset = params.studies.randomisation.dataset
    lines, epochs = [], []
    for run, values in runs.items():
        line = dict(zip(identity, (dataset, *run), strict=True)) | usual | values
        line["label_corruption"] = label_corruption_probability(run[1])
        line.setdefault("best_test_accuracy", line["test_accuracy"])
        lines.append(line)
        for i, (step, loss) in enumerate((curves or {}).get(run, [(391.0, 2.3), (782.0, 0.04)])):
            epochs.append(
                {
                    **{name: line[name] for name in identity},
                    "epoch": i + 1,
                    "step": step,
                    "online_loss": loss,
                    "train_accuracy": line["train_accuracy"],
                    "test_accuracy": line["test_accuracy"],
                }
            )
    columns = [*identity, *usual, "label_corruption", "best_test_accuracy"]
    measures = [*identity, "epoch", "step", "online_loss", "train_accuracy", "test_accuracy"]
    return Results(params, pd.DataFrame(lines, columns=columns), pd.DataFrame(epochs, columns=measures))


def the_papers_runs() -> tuple[Runs, Curves]:
    """What the paper prints, as if we had measured it: Tables 1 and 4, Figures 1 and 2b."""
    runs: Runs = {}
    for row in (*table1_rows(), *table4_rows()):
        run = runs.setdefault((row.model, row.corruption, row.regularizer, 0), {})
        if row.train_accuracy is not None:
            run |= {"train_accuracy": row.train_accuracy / 100, "online_accuracy": row.train_accuracy / 100}
        if row.parameters is not None and row.test_accuracy is not None:
            run |= {"parameters": row.parameters, "test_accuracy": row.test_accuracy / 100}
        if row.train_accuracy is None:
            run |= {"train_accuracy": 0.1, "online_accuracy": 0.1, "time_to_overfit": math.nan}
    for model, base in BASE_EPOCHS.items():
        series = model.replace("-", "_")
        _, ratios = published_curve("figure1b", "label_corruption", "relative_time_to_overfit", series=series)
        _, errors = published_curve("figure1c", "label_corruption", "test_error", series=series)
        for corruption, ratio, error in zip(SWEEP, ratios, errors, strict=True):
            run = runs.setdefault((model, corruption, "none", 0), {"test_accuracy": 1 - error})
            run["time_to_overfit"] = float(round(base * ratio))
    for corruption in FIGURE_1A:
        runs.setdefault(("inception", corruption, "none", 0), {})
    curves: Curves = {}
    for corruption, series in FIGURE_1A.items():
        steps, losses = published_curve("figure1a", "step", "train_loss", series=series)
        curves["inception", corruption, "none", 0] = list(zip(steps, losses, strict=True))
    for model, series in (("inception", "inception"), ("inception-nobn", "inception_wo_bn")):
        _, accuracies = published_curve("figure2b", "step", "accuracy", series=series, split="test")
        run = runs[model, "true", "none", 0]
        run["best_test_accuracy"] = run["test_accuracy"] + max(accuracies) - accuracies[-1]
    return runs, curves


THE_PAPERS = results(*the_papers_runs())
NOTHING = results({})


def changed(changes: dict[Run, dict[str, Any] | None], params: Params = PAPER) -> Results:
    """The paper's results with some runs changed, or removed where None."""
    runs, curves = the_papers_runs()
    for run, values in changes.items():
        if values is None:
            del runs[run]
        else:
            runs[run] = runs.get(run, {}) | values
    return results(runs, curves, params)


def redrawn(changes: Curves) -> Results:
    """The paper's results with other curves for some runs."""
    runs, curves = the_papers_runs()
    return results(runs, curves | changes)


def every(runs: Iterable[Run], **values: Any) -> Results:
    return changed({run: values for run in runs})


def column(table: Table, heading: str, first: str | None = None) -> list[Any]:
    """Return a column of the table, or of its rows that begin with `first`."""
    position = [c.heading for c in table.columns].index(heading)
    return [row[position] for row in table.rows if first in (None, row[0])]


def verdicts(table: Table) -> set[Any]:
    position = next(i for i, c in enumerate(table.columns) if c.heading.startswith("Verdict"))
    return {row[position] for row in table.rows}


# --- the grid ---


def test_table_1_has_the_papers_rows() -> None:
    rows = table1_rows()
    assert len(rows) == 19
    assert rows[0] == Row("inception", "true", "crop+wd", 1_649_402, 100.0, 89.05)
    assert rows[3] == Row("inception", "true", "none", 1_649_402, 100.0, 85.75)
    assert rows[4] == Row("inception", "random-labels", "none", 1_649_402, 100.0, 9.78)
    assert rows[5] == Row("inception-nobn", "true", "wd", 1_649_402, 100.0, 83.0)
    assert Row("alexnet", "true", "crop", 1_387_786, 99.82, 79.66) in rows
    assert Row("mlp-3x512", "true", "none", 1_735_178, 100.0, 52.39) in rows
    assert rows[-1] == Row("mlp-1x512", "random-labels", "none", 1_209_866, 99.34, 10.61)


def test_table_4_has_the_papers_rows() -> None:
    assert [(row.model, row.regularizer, row.train_accuracy) for row in table4_rows()] == [
        ("inception", "wd", 100.0),
        ("alexnet", "wd", None),
        ("mlp-3x512", "wd", 100.0),
        ("mlp-1x512", "wd", 99.21),
        ("inception", "crop", 99.93),
        ("inception", "flip+rotate", 99.28),
    ]
    assert {row.corruption for row in table4_rows()} == {"random-labels"}


@pytest.mark.parametrize(("name", "count"), [("digits", 40), ("paper", 65), ("smoke", 31)])
def test_the_grid_is_the_union_of_tables_and_figures(name: str, count: int) -> None:
    """25 rows of tables, 3 more curves of figure 1a, further levels of the sweep for 3 models, 10 cells on MNIST."""
    found = cells(PARAMS[name])
    assert len(found) == len(set(found)) == count
    on_study = {
        (cell.model, cell.corruption, cell.regularizer)
        for cell in found
        if cell.dataset == PARAMS[name].studies.randomisation.dataset
    }
    assert {row[:3] for row in (*table1_rows(), *table4_rows())} <= on_study
    assert {("inception", corruption, "none") for corruption in FIGURE_1A} <= on_study
    levels = {"digits": SWEEP[::2], "smoke": SWEEP[::5], "paper": SWEEP}[name]
    assert {(model, level, "none") for model in SWEEP_MODELS for level in levels} <= on_study
    elsewhere = {(cell.model, cell.corruption) for cell in found if cell.dataset == "mnist"}
    expected = {(model, labels) for model in ALL_MODELS for labels in ("true", "random-labels")}
    assert elsewhere == (expected if name == "paper" else set())


def test_every_cell_is_trained_with_every_seed() -> None:
    several = PARAMS["digits"].model_copy(update={"seeds": [0, 5, 7]})
    found = cells(several)
    assert len(found) == 3 * 40
    assert {cell.seed for cell in found} == {0, 5, 7}


# --- numbers ---


@pytest.mark.parametrize(
    ("series", "thousand_steps"),
    [
        ("true_labels", 3.11),
        ("shuffled_pixels", 5.04),
        ("gaussian", 7.63),
        ("random_pixels", 8.18),
        ("random_labels", 13.41),
    ],
)
def test_the_papers_curves_cross_a_tenth_of_a_nat_where_its_figure_shows(series: str, thousand_steps: float) -> None:
    curve = published_curve("figure1a", "step", "train_loss", series=series)
    reached = measures.crossing(*curve, 0.1)
    assert reached is not None
    assert reached / 1000 == pytest.approx(thousand_steps, abs=0.02)


@pytest.mark.parametrize(
    ("losses", "step"),
    [
        ([0.3, 0.1, 0.0], 200.0),  # at the level is not below it
        ([0.3, 0.0], 100 + 100 * 2 / 3),
        ([0.05, 0.2], 100.0),
        ([0.3, 0.2], None),
        ([0.2, 0.0, 0.5], 150.0),
        ([math.nan, math.nan], None),
        ([], None),
    ],
    ids=str,
)
def test_a_crossing_is_interpolated_between_epochs(losses: list[float], step: float | None) -> None:
    steps = [100.0 * (i + 1) for i in range(len(losses))]
    found = measures.crossing(steps, losses, 0.1)
    assert found == (None if step is None else pytest.approx(step))


def test_published_sweeps_are_those_of_figures_1b_and_1c() -> None:
    ratios = measures.published_sweep("figure1b", "relative_time_to_overfit")
    assert len(ratios) == 33
    assert [ratios[model, "random-labels"] for model in SWEEP_MODELS] == pytest.approx([3.6, 1.55, 1.96], abs=0.006)
    assert ratios["inception", "labels-p50"] == pytest.approx(2.5)
    errors = measures.published_sweep("figure1c", "test_error")
    assert errors["mlp-1x512", "labels-p60"] == errors["mlp-1x512", "labels-p70"] == pytest.approx(0.865, abs=6e-4)


# --- tables ---


@pytest.mark.parametrize("name", STUDY.tables)
@pytest.mark.parametrize("found", [THE_PAPERS, NOTHING], ids=["full", "nothing"])
def test_every_table_can_be_made_of_any_results(name: str, found: Results) -> None:
    table = STUDY.table(name)(found)
    assert len(table.rows) > 0
    lines = table.markdown().splitlines()
    assert len(lines) == 2 + len(table.rows)
    assert len({line.count("|") for line in lines}) == 1
    if found is NOTHING:
        assert measures.MISSING in table.markdown().replace(NBSP, " ")


def test_names_of_tables_and_figures_are_those_that_are_made() -> None:
    assert set(STUDY.tables) == set(tables.TABLES)
    folder = Path(figures.__file__).parent
    assert {name.replace("-", "_") for name in STUDY.figures} == {
        path.stem for path in folder.glob("*.py") if path.stem not in ("__init__", "shared")
    }


def test_the_papers_own_numbers_differ_nowhere_from_the_papers() -> None:
    table = tables.table1(THE_PAPERS)
    assert column(table, "Δ train") == pytest.approx([0.0] * 19, abs=1e-9)
    assert column(table, "Δ test") == pytest.approx([0.0] * 19, abs=1e-9)
    assert [value for value in column(tables.table4(THE_PAPERS), "Δ") if value is not None] == pytest.approx([0.0] * 5)
    convergence = figure_tables.convergence(THE_PAPERS)
    ours = [value.mean for value in column(convergence, "Steps, ours")]
    assert column(convergence, "Steps, paper") == pytest.approx(ours)
    assert column(convergence, "Δ relative") == pytest.approx([0.0] * 5)
    overfit, errors = figure_tables.time_to_overfit(THE_PAPERS), figure_tables.test_error(THE_PAPERS)
    for label in ("Inception", "AlexNet", "MLP 1×512"):
        assert column(overfit, "Δ", label) == [None, *([pytest.approx(0.0, abs=0.006)] * 10)], "1 with true labels"
        # The ends are cells of Table 1, whose numbers ours are here; the paper's own two differ, AlexNet's by 6 points.
        assert column(errors, "Δ", label)[1:10] == pytest.approx([0.0] * 9, abs=1e-9)
    for table in (tables.table1(THE_PAPERS), tables.table4(THE_PAPERS), convergence, overfit):
        assert verdicts(table) - {None} == {AGREES}


def test_a_verdict_is_on_the_papers_data_alone() -> None:
    """By a row of Table 1 whose test accuracy is off by 1.6 points, with all of CIFAR-10 and with a part of it."""
    change: dict[Run, dict[str, Any] | None] = {("inception", "true", "none", 0): {"test_accuracy": 0.8575 + 0.016}}
    table = tables.table1(changed(change))
    assert table.rows[3][-1] == DIFFERS
    assert {row[-1] for row in (*table.rows[:3], *table.rows[4:])} == {AGREES}
    cifar10 = PAPER.datasets["cifar10"].model_copy(update={"train_examples": 1000})
    part = PAPER.model_copy(update={"datasets": PAPER.datasets | {"cifar10": cifar10}})
    assert verdicts(tables.table1(changed(change, part))) == {OTHER_DATA}
    assert verdicts(tables.table1(NOTHING)) == {NOT_RUN}


def test_where_the_paper_failed_to_converge_so_do_we() -> None:
    alexnet = ("alexnet", "random-labels", "wd", 0)
    for accuracy, said in ((0.1, AGREES), (0.98, AGREES), (0.995, DIFFERS)):
        table = tables.table4(changed({alexnet: {"train_accuracy": accuracy}}))
        assert column(table, "Verdict, within 1.5 points")[1] == said
    assert verdicts(tables.table4(changed({alexnet: {"status": "diverged"}}))) == {AGREES}


def test_curves_are_as_far_apart_as_they_were_moved() -> None:
    """Ours are the paper's; then the test error of one model is raised by three points at every level."""
    table = figure_tables.curves(THE_PAPERS)
    assert column(table, "Figure") == ["1a"] * 5 + ["1b"] * 3 + ["1c"] * 6 + ["2b"] * 4
    assert column(table, "Mean")[:5] == pytest.approx([0.0] * 5, abs=1e-6)
    errors = {
        c: y for (model, c), y in measures.published_sweep("figure1c", "test_error").items() if model == "alexnet"
    }
    moved = changed({("alexnet", c, "none", 0): {"test_accuracy": 1 - errors[c] - 0.03} for c in SWEEP})
    row = dict(zip((each.heading for each in table.columns), figure_tables.curves(moved).rows[9], strict=True))
    assert (row["Figure"], row["Curve"], row["Places"], row["Verdict"]) == ("1c", "AlexNet", 11, DIFFERS)
    assert (row["Mean"], row["Largest"]) == pytest.approx((3.0, 3.0))
    assert column(figure_tables.curves(moved), "Verdict")[5] == AGREES


def test_a_curve_that_ends_where_nothing_fits_is_not_near_the_papers() -> None:
    """The places that are left may be near."""
    found = changed({("inception", "labels-p90", "none", 0): {"time_to_overfit": math.nan}})
    assert figure_tables.curves(found).rows[5][:2] == ["1b", "Inception"]
    assert figure_tables.curves(found).rows[5][-1] == DIFFERS
    assert set(column(figure_tables.curves(NOTHING), "Verdict")) == {NOT_RUN}


def test_a_difference_is_ours_minus_the_papers_in_points() -> None:
    table = tables.table1(
        changed({("inception", "true", "none", 0): {"test_accuracy": 0.8625, "train_accuracy": 0.99}})
    )
    row = table.rows[3]
    assert list(row[:4]) == ["Inception", "true", "no", "no"]
    assert column(table, "Δ test")[3] == pytest.approx(86.25 - 85.75)
    assert column(table, "Δ train")[3] == pytest.approx(-1.0)
    assert "| 85.75 | 86.25 | +0.50 |" in table.markdown().splitlines()[5]
    error = figure_tables.test_error(changed({("alexnet", "labels-p50", "none", 0): {"test_accuracy": 0.30}}))
    published = column(error, "Paper", "AlexNet")[5]
    assert column(error, "Δ", "AlexNet")[5] == pytest.approx(70 - 100 * published)


def test_a_missing_run_is_not_run_and_a_diverged_one_diverged() -> None:
    found = changed(
        {
            ("inception", "true", "none", 0): None,
            ("alexnet", "true", "none", 0): {"status": "diverged", "train_accuracy": 0.1},
        }
    )
    table = tables.table1(found)
    assert column(table, "Test, ours")[3] == column(table, "Train, ours")[3] == "not run"
    alexnet = next(i for i, row in enumerate(table1_rows()) if row[:3] == ("alexnet", "true", "none"))
    assert column(table, "Test, ours")[alexnet] == column(table, "Train, ours")[alexnet] == "diverged"
    assert column(table, "Δ test")[3] is column(table, "Δ test")[alexnet] is None
    assert column(figure_tables.time_to_overfit(found), "Epochs, ours", "AlexNet")[0] == "diverged"
    assert column(figure_tables.time_to_overfit(found), "Epochs, ours", "Inception")[0] == "not run"
    assert set(column(figure_tables.time_to_overfit(found), "Ours", "AlexNet")[1:]) == {"true labels: diverged"}


def test_one_diverged_seed_makes_the_cell_diverged() -> None:
    """An average over the seeds that survived would hide it."""
    found = changed({("inception", "true", "none", 1): {"status": "diverged"}})
    assert column(tables.table1(found), "Test, ours")[3] == "diverged"


def test_several_seeds_show_students_interval() -> None:
    accuracies = {0: 0.85, 1: 0.86, 2: 0.88}
    found = changed(
        {("inception", "true", "none", seed): {"test_accuracy": value} for seed, value in accuracies.items()}
    )
    value = column(tables.table1(found), "Test, ours")[3]
    low, high = stats.t.interval(0.95, 2, loc=value.mean, scale=stats.sem(list(accuracies.values())))
    assert (value.mean, value.half_width) == pytest.approx((0.8633333, (high - low) / 2))
    assert value.seeds == 3
    assert f"86.33 ± {100 * value.half_width:.2g}" in tables.table1(found).markdown()
    assert column(tables.table1(found), "Δ test")[3] == pytest.approx(86.33333 - 85.75, abs=1e-4)


def test_table_4_reports_what_the_paper_averaged() -> None:
    """Under augmentation the accuracy over augmented examples as they were seen, else that of the training set."""
    changes = {
        (row.model, row.corruption, row.regularizer, 0): {"train_accuracy": 0.7, "online_accuracy": 0.6}
        for row in table4_rows()
    }
    table = tables.table4(changed(dict(changes)))
    assert [value.mean for value in column(table, "Train, ours")] == [0.7, 0.7, 0.7, 0.7, 0.6, 0.6]
    assert column(table, "Train, paper")[1] == "failed to converge"
    assert column(table, "Δ")[1] is None


def test_time_to_overfit_is_relative_to_true_labels() -> None:
    found = changed(
        {
            ("inception", "true", "none", 0): {"time_to_overfit": 8.0},
            ("inception", "random-labels", "none", 0): {"time_to_overfit": 20.0},
            ("inception", "labels-p50", "none", 0): {"time_to_overfit": math.nan},
        }
    )
    table = figure_tables.time_to_overfit(found)
    ours, epochs = column(table, "Ours", "Inception"), column(table, "Epochs, ours", "Inception")
    assert (ours[0].mean, ours[-1].mean) == (1.0, 2.5)
    assert (ours[5], epochs[5]) == ("not reached", "not reached")


def test_early_stopping_gains_what_the_best_epoch_is_above_the_last() -> None:
    found = changed({("inception", "true", "none", 0): {"best_test_accuracy": 0.87, "test_accuracy": 0.855}})
    table = figure_tables.early_stopping(found)
    assert column(table, "ours")[0] == pytest.approx(1.5)
    assert column(table, "Best, paper")[0] >= column(table, "Last, paper")[0]


def test_headline_numbers_are_null_where_nothing_was_measured() -> None:
    numbers = tables.numbers(changed({("alexnet", "random-labels", "none", 0): None}))
    assert set(numbers) == set(ALL_MODELS)
    assert numbers["inception"]["test_accuracy_true"] == 0.8575
    assert numbers["inception"]["time_to_overfit_random"] == 36
    assert numbers["alexnet"]["test_accuracy_random"] is None
    assert {value for entry in tables.numbers(NOTHING).values() for value in entry.values()} == {None}


# --- figures ---


def drawn(name: str, found: Results) -> Figure:
    drawing = STUDY.figure(name)
    with style():
        return drawing.draw(drawing.points(found))


def drawn_svg(name: str, found: Results) -> str:
    with style():
        return svg(drawn(name, found))


SOME_MISSING = changed(
    {
        (model, corruption, "none", 0): None
        for model, corruptions in (("inception", [*SWEEP[2:5], "gaussian"]), ("mlp-1x512", SWEEP))
        for corruption in corruptions
    }
)
SOME_DIVERGED = results(
    {
        **the_papers_runs()[0],
        ("inception", "true", "none", 0): {"status": "diverged", "time_to_overfit": math.nan},
        ("alexnet", "labels-p50", "none", 0): {"status": "diverged", "time_to_overfit": math.nan},
        ("inception-nobn", "true", "none", 0): {"status": "diverged"},
    },
    {
        ("inception", "true", "none", 0): [(391.0, 2.3), (782.0, math.inf)],
        ("inception-nobn", "true", "none", 0): [(391.0, math.nan)],
    },
)
SEVERAL_SEEDS = results(
    {
        (*run[:3], seed): {**values, "test_accuracy": values.get("test_accuracy", 0.5) + 0.01 * seed}
        for run, values in the_papers_runs()[0].items()
        for seed in range(3)
    }
)


@pytest.mark.parametrize("name", STUDY.figures)
@pytest.mark.parametrize(
    "found",
    [THE_PAPERS, NOTHING, SOME_MISSING, SOME_DIVERGED, SEVERAL_SEEDS],
    ids=["full", "nothing", "missing", "diverged", "seeds"],
)
def test_every_figure_can_be_drawn_of_any_results_and_is_the_same_each_time(name: str, found: Results) -> None:
    texts = [drawn_svg(name, found) for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0].startswith("<?xml")
    assert "<path" in texts[0]


@pytest.mark.parametrize("name", STUDY.figures)
def test_a_figure_shows_the_results(name: str) -> None:
    full, nothing = (drawn_svg(name, found) for found in (THE_PAPERS, NOTHING))
    assert full != nothing


@pytest.mark.parametrize("name", STUDY.figures)
@pytest.mark.parametrize("found", [THE_PAPERS, NOTHING, SOME_DIVERGED], ids=["full", "nothing", "diverged"])
def test_points_say_whose_they_are_and_why_one_is_missing(name: str, found: Results) -> None:
    points = STUDY.figure(name).points(found)
    columns = list(points)
    assert (columns[:3], columns[-3:]) == (["source", "dataset", "series"], ["half_width", "seeds", "note"])
    assert set(points["source"]) <= {"paper", "ours"}
    assert set(points["dataset"]) == {"cifar10"}
    measured = points[columns[-4]]
    ours = points["source"] == "ours"
    assert measured[~ours].notna().all()
    assert points["note"][~ours].eq("").all()
    assert measured[points["note"] != ""].isna().all()
    assert ours.any()
    if found is NOTHING:
        assert points["note"][ours].ne("").all()


SHOWN = {
    "overview": ("accuracy", "accuracy"),
    "figure1a": ("step", "training_loss"),
    "figure1b": ("label_corruption", "relative_time_to_overfit"),
    "figure1c": ("label_corruption", "test_error"),
    "figure2b": ("share_of_run", "accuracy"),
}


@pytest.mark.parametrize("name", STUDY.figures)
def test_every_point_is_drawn_where_it_is(name: str) -> None:
    x, y = SHOWN[name]
    points = STUDY.figure(name).points(SEVERAL_SEEDS)[[x, y]].to_numpy()
    lines = [
        np.asarray(line.get_xydata(), dtype=float)
        for axes in drawn(name, SEVERAL_SEEDS).axes
        for line in axes.lines
        if line.get_transform() == axes.transData
    ]
    places = np.concatenate(lines)
    if name == "overview":  # models stand above one another: the height is no number
        places[:, 1] = places[:, 0]
    distances = np.abs(points[:, None] - places[None]).max(axis=2).min(axis=1)
    assert distances.max() < 1e-9
    assert len(points) >= 20


def test_half_widths_are_drawn_as_error_bars() -> None:
    points = STUDY.figure("figure1c").points(SEVERAL_SEEDS)
    ours = points[(points["source"] == "ours") & (points["series"] == "inception")]
    ours = ours[ours["test_labels"] == "true"]
    assert (ours["half_width"] > 0).all()
    panel = drawn("figure1c", SEVERAL_SEEDS).axes[0]
    bars, _ = (bars for container in panel.containers for bars in container.lines[2])  # type: ignore[attr-defined]
    ends = [(segment[0][1], segment[1][1]) for segment in bars.get_segments()]
    expected = [(e - w, e + w) for e, w in zip(ours["test_error"], ours["half_width"], strict=True)]
    assert [value for pair in ends for value in pair] == pytest.approx([value for pair in expected for value in pair])


def test_the_papers_points_are_the_published_ones() -> None:
    points = STUDY.figure("figure1a").points(NOTHING)
    for corruption, series in FIGURE_1A.items():
        theirs = points[(points["source"] == "paper") & (points["series"] == corruption)]
        steps, losses = published_curve("figure1a", "step", "train_loss", series=series)
        assert (list(theirs["step"]), list(theirs["training_loss"])) == (steps, losses)


# --- what `dvc plots` shows ---


@pytest.mark.parametrize("name", STUDY.plots)
def test_a_plot_has_the_same_columns_whatever_was_run(name: str) -> None:
    """DVC draws none of the columns that are listed for a plot if one of them is missing."""
    full, nothing, some = (STUDY.plot(name)(found) for found in (THE_PAPERS, NOTHING, SOME_MISSING))
    assert list(full) == list(nothing) == list(some)
    x, *curves = map(str, full)
    assert x == ("label_corruption" if "figure" in name else "epoch")
    assert all(curve.isidentifier() and curve.isascii() for curve in curves)
    assert full[x].is_monotonic_increasing
    assert full[curves].notna().any().all()
    assert nothing.empty


def test_names_of_plots_are_those_that_are_made() -> None:
    assert set(STUDY.plots) == set(PLOTS)


def test_plots_hold_the_numbers_of_the_figures() -> None:
    curves = STUDY.plot("learning-curves")(THE_PAPERS)
    _, losses = published_curve("figure1a", "step", "train_loss", series="random_labels")
    assert list(curves["random_labels"]) == losses
    assert list(curves["epoch"]) == list(range(1, 70))
    errors = STUDY.plot("figure1c")(THE_PAPERS)
    assert list(errors["label_corruption"]) == pytest.approx([level / 10 for level in range(11)])
    assert errors["mlp_1x512"][5] == pytest.approx(0.796, abs=6e-4)
    epochs = STUDY.plot("figure1b")(THE_PAPERS)
    assert list(epochs.iloc[0]) == [0.0, *BASE_EPOCHS.values()]
    assert epochs["inception"].iloc[-1] == 36
    accuracies = STUDY.plot("accuracy-curves")(THE_PAPERS)
    assert set(accuracies["inception_nobn_true_labels_test"].dropna()) == {0.82}


def test_curves_of_different_lengths_end_where_they_end() -> None:
    runs, curves = the_papers_runs()
    curves["inception", "true", "none", 0] = [(391.0, 2.0), (782.0, 1.0)]
    found = STUDY.plot("learning-curves")(results(runs, curves))
    assert list(found["true_labels"][:2]) == [2.0, 1.0]
    assert found["true_labels"][2:].isna().all()
    assert found["gaussian"].notna().all()


# --- claims ---

CLAIMS = {claim.key: claim for claim in STUDY.claims()}


def judged(key: str, found: Results) -> Verdict:
    return CLAIMS[key].judge(found)


def on_true_labels() -> dict[Run, dict[str, Any] | None]:
    """Test errors on true labels that are the paper's of Figure 1c where test labels are corrupted as well."""
    found: dict[Run, dict[str, Any] | None] = {}
    for (model, corruption), error in measures.published_sweep("figure1c", "test_error").items():
        p = label_corruption_probability(corruption)
        on_true = 0.9 if p == 1 else (error - 0.9 * p) / (1 - p)
        found[model, corruption, "none", 0] = {"test_accuracy": 1 - on_true}
    return found


BEARING_OUT = {"papers-test-labels": changed(on_true_labels())}
"""Results that bear out what the paper's numbers, taken as they are, do not."""


@pytest.mark.parametrize("key", CLAIMS)
def test_the_papers_own_numbers_bear_out_every_claim(key: str) -> None:
    found = judged(key, BEARING_OUT.get(key, THE_PAPERS))
    assert found.judgement == "holds"
    assert found.evidence


def test_errors_on_corrupted_labels_are_those_that_counting_gives() -> None:
    """By drawing the labels: of 200,000 predictions of which 55 % are right, and 40 % of the labels are drawn anew."""
    draws = np.random.default_rng(0)
    labels = draws.integers(10, size=200_000)
    predictions = np.where(draws.random(len(labels)) < 0.55, labels, (labels + draws.integers(1, 10, len(labels))) % 10)
    corrupted = np.where(draws.random(len(labels)) < 0.4, draws.integers(10, size=len(labels)), labels)
    run = ("mlp-1x512", "labels-p40", "none", 0)
    found = measures.error_on_corrupted_labels(changed({run: {"test_accuracy": 0.55}}), "mlp-1x512", "labels-p40")
    assert isinstance(found, Estimate)
    assert found.mean == pytest.approx(float((predictions != corrupted).mean()), abs=0.004)
    assert found.mean == pytest.approx(0.6 * 0.45 + 0.4 * 0.9)


def test_which_test_labels_the_paper_used_is_judged_on_whole_curves_of_its_own_data() -> None:
    lacking = on_true_labels() | {(model, "labels-p30", "none", 0): None for model in BASE_EPOCHS}
    assert judged("papers-test-labels", changed(lacking)).judgement == "not run"
    alone = on_true_labels() | {(model, "labels-p30", "none", 0): None for model in list(BASE_EPOCHS)[1:]}
    assert judged("papers-test-labels", changed(alone)).evidence.count("points apart") == 1
    cifar10 = PAPER.datasets["cifar10"].model_copy(update={"train_examples": 1000})
    part = PAPER.model_copy(update={"datasets": PAPER.datasets | {"cifar10": cifar10}})
    assert judged("papers-test-labels", changed(on_true_labels(), part)).judgement == "not run"


@pytest.mark.parametrize("key", CLAIMS)
def test_nothing_is_claimed_of_what_was_not_run(key: str) -> None:
    assert judged(key, NOTHING).judgement == "not run"


TRUE = [(model, "true", "none", 0) for model in ALL_MODELS]
RANDOM = [(model, "random-labels", "none", 0) for model in ALL_MODELS]

DIFFERING: dict[str, Results] = {
    "true-labels-fitted": every(TRUE[:1], train_accuracy=0.98),
    "random-labels-fitted": every(RANDOM[-1:], train_accuracy=0.9899),
    # 10,000 test images: guessing gives 10 +- 0.99 %
    "random-labels-at-chance": every(RANDOM[2:3], test_accuracy=0.112),
    "unstructured-images-fitted": every([("inception", "gaussian", "none", 0)], train_accuracy=0.5),
    "noise-before-random-labels": redrawn({("inception", "gaussian", "none", 0): [(391.0, 2.3), (20_000.0, 0.01)]}),
    "overfitting-slows": every([("alexnet", "random-labels", "none", 0)], time_to_overfit=20.0),
    "slow-down-small": every([("inception", "random-labels", "none", 0)], time_to_overfit=100.0),
    "error-rises-to-chance": every([("alexnet", "random-labels", "none", 0)], test_accuracy=0.3),
    "papers-test-labels": THE_PAPERS,  # on true labels
    "regularizers-not-necessary": every(TRUE[2:3], test_accuracy=0.70),
    "regularizers-not-sufficient": every([("mlp-1x512", "random-labels", "wd", 0)], train_accuracy=0.6),
    "early-stopping-little": every(TRUE[:1], best_test_accuracy=0.87),
    "batch-normalisation-helps": every(TRUE[1:2], test_accuracy=0.86),
}


def test_every_claim_has_results_that_it_differs_from() -> None:
    assert set(DIFFERING) == set(CLAIMS)


@pytest.mark.parametrize("key", CLAIMS)
def test_a_claim_differs_where_one_result_speaks_against_it(key: str) -> None:
    found = judged(key, DIFFERING[key])
    assert found.judgement == "differs"
    assert found.evidence


DIVERGED = {
    "true-labels-fitted": TRUE[0],
    "random-labels-fitted": RANDOM[0],
    "unstructured-images-fitted": ("inception", "random-pixels", "none", 0),
    "overfitting-slows": ("inception", "labels-p50", "none", 0),
    "slow-down-small": ("inception", "random-labels", "none", 0),
    "error-rises-to-chance": ("inception", "labels-p50", "none", 0),
    "regularizers-not-necessary": TRUE[0],
    "regularizers-not-sufficient": ("inception", "random-labels", "crop", 0),
    "batch-normalisation-helps": TRUE[0],
}


@pytest.mark.parametrize("key", DIVERGED)
def test_a_run_that_diverged_does_not_bear_out_a_claim(key: str) -> None:
    found = every([DIVERGED[key]], status="diverged", time_to_overfit=math.nan)
    assert judged(key, found).judgement == "differs"


def test_random_labels_that_were_never_fitted_are_no_small_factor() -> None:
    found = every([("inception", "random-labels", "none", 0)], time_to_overfit=math.nan)
    assert judged("slow-down-small", found).judgement == "differs"


def test_a_run_that_diverged_was_run() -> None:
    found = every(TRUE[:1], status="diverged")
    assert judged("early-stopping-little", found).judgement != "not run"


def test_claims_of_all_models_are_judged_on_those_that_were_run() -> None:
    found = changed({run: None for run in RANDOM[1:]})
    assert judged("random-labels-fitted", found) == Verdict("holds", "lowest of 1: 100.00 %")


def test_alexnet_with_weight_decay_is_not_claimed() -> None:
    """The paper's own did not converge; whether ours does says nothing against the claim."""
    for accuracy in (0.1, 1.0):
        found = every([("alexnet", "random-labels", "wd", 0)], train_accuracy=accuracy)
        assert judged("regularizers-not-sufficient", found).judgement == "holds"


def test_chance_is_wider_on_fewer_test_images() -> None:
    """On 360 test images guessing gives 10 +- 5.2 %; with 128 of them, 10 +- 8.8 %."""
    for name, test_accuracy, judgement in (
        ("digits", 0.15, "holds"),
        ("digits", 0.16, "differs"),
        ("smoke", 0.16, "holds"),
    ):
        found = results({run: {"test_accuracy": test_accuracy} for run in RANDOM}, params=PARAMS[name])
        assert judged("random-labels-at-chance", found).judgement == judgement


def test_noise_that_is_never_fitted_is_slower_than_random_labels() -> None:
    never = redrawn({("inception", "random-pixels", "none", 0): [(391.0, 2.3), (27_000.0, 0.2)]})
    found = judged("noise-before-random-labels", never)
    assert (found.judgement, "not reached" in found.evidence) == ("differs", True)
