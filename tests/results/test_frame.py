"""From runs on disk to the two tables that everything else reads."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rethinking.cells import Cell
from rethinking.errors import UserError
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.records import Epoch, Metrics, write_history, write_metrics
from rethinking.results.frame import Estimate, Results, collect, estimate, load_results, time_to_overfit, write_results
from rethinking.results.published import published_curve

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke")
TRUE = Cell("digits", "mlp-1x512", "true", "none", 0)
RANDOM = Cell("digits", "mlp-1x512", "random-labels", "none", 0)
HALF = Cell("digits", "alexnet", "labels-p50", "none", 0)


def history(*online_losses: float) -> list[Epoch]:
    return [
        Epoch(i + 1, 4 * (i + 1), 0.1, loss, 0.5, loss + 1, 0.5, 2.0, 0.25, 1.0) for i, loss in enumerate(online_losses)
    ]


def record(root: Path, cell: Cell, *online_losses: float, **changes: Any) -> None:
    """Leave a run as if it had been trained."""
    epochs = history(*online_losses)
    recipe = PARAMS.recipe(cell)
    metrics = Metrics(
        cell=str(cell),
        preset="smoke",
        status="diverged" if epochs[-1].diverged else "finished",
        epochs=len(epochs),
        parameters=30730,
        train_examples=128,
        train_accuracy=1 / 3,
        train_loss=None if epochs[-1].diverged else 0.5,
        test_accuracy=0.25,
        test_loss=2.0,
        best_test_accuracy=0.25,
        best_test_epoch=1,
        online_loss=None if epochs[-1].diverged else online_losses[-1],
        online_accuracy=0.5,
        seconds=2.0,
        recipe=recipe.model_dump(),
        recipe_digest=recipe.digest(),
        provenance={"device": "cpu", "device_name": "x", "precision": "float32", "variant": "v", "code": "c"},
    )
    folder = root / cell.run_folder("smoke")
    write_history(folder / "history.csv", epochs)
    write_metrics(folder / "metrics.json", metrics.model_copy(update=changes))


def collected(root: Path, *cells: Cell, params: Params = PARAMS) -> Any:
    found, epochs, _ = collect(params, list(cells), root)
    write_results(root / "results", found, epochs)
    return load_results(params, root / "results")


# --- time to overfit ---


@pytest.mark.parametrize(
    ("losses", "epochs"),
    [
        ([2.3, 0.06, 0.04, 0.03], 3),
        ([0.04], 1),
        ([2.3, 0.05], None),  # below, not at
        ([2.3, 0.04, 0.5], 2),  # the first time counts
        ([2.3, math.nan], None),
        ([], None),
    ],
    ids=str,
)
def test_time_to_overfit_is_the_first_epoch_below_the_loss(losses: list[float], epochs: int | None) -> None:
    assert time_to_overfit(history(*losses), 0.05) == epochs


@pytest.mark.parametrize(("series", "epochs"), [("true_labels", 10), ("random_labels", 36)])
def test_the_papers_own_curves_overfit_when_its_figure_1b_says(series: str, epochs: int) -> None:
    """Ratio 3.6 of figure 1b is 36 epochs by 10: the threshold of 0.05 nats gives both."""
    _, losses = published_curve("figure1a", "step", "train_loss", series=series)
    assert time_to_overfit(history(*losses), PARAMS.results.overfit_loss) == epochs


# --- means over seeds ---


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=10))
def test_the_interval_is_students_of_95_percent(values: list[float]) -> None:
    found = estimate(values)
    assert found is not None
    assert found.half_width is not None
    assert found.mean == pytest.approx(math.fsum(values) / len(values), abs=1e-9)
    assert found.seeds == len(values)
    error = float(stats.sem(values))
    if error > 1e-6:
        low, high = stats.t.interval(0.95, len(values) - 1, loc=found.mean, scale=error)
        assert found.half_width == pytest.approx((high - low) / 2, rel=1e-6)


def test_one_seed_has_no_interval_and_none_no_mean() -> None:
    assert estimate([0.5]) == Estimate(0.5, None, 1)
    assert estimate([]) is None
    assert estimate([math.nan, 0.25]) == Estimate(0.25, None, 1)
    assert estimate([math.nan]) is None


# --- collecting ---


def test_runs_become_one_line_a_cell_and_one_an_epoch(tmp_path: Path) -> None:
    record(tmp_path, TRUE, 2.3, 0.04)
    record(tmp_path, HALF, 2.3, 2.2)
    results = collected(tmp_path, TRUE, HALF)
    assert len(results.cells) == 2
    first, second = results.cells.to_dict("records")
    assert (first["dataset"], first["model"], first["regularizer"], first["seed"]) == ("digits", "mlp-1x512", "none", 0)
    assert (first["label_corruption"], second["label_corruption"]) == (0.0, 0.5)
    assert first["time_to_overfit"] == 2
    assert math.isnan(second["time_to_overfit"])
    assert first["train_accuracy"] == pytest.approx(1 / 3, abs=1e-6)
    assert (first["device"], first["precision"], first["status"]) == ("cpu", "float32", "finished")
    assert list(results.history(model="alexnet")["online_loss"]) == [2.3, 2.2]
    assert list(results.history(model="alexnet")["step"]) == [4, 8]


def test_runs_are_found_by_their_identity(tmp_path: Path) -> None:
    for cell in (TRUE, RANDOM, HALF):
        record(tmp_path, cell, 2.3)
    results = collected(tmp_path, TRUE, RANDOM, HALF)
    assert len(results.of(model="mlp-1x512")) == 2
    assert len(results.of(model="mlp-1x512", corruption="true", regularizer="none", seed=0)) == 1
    assert results.of(model="inception").empty


def test_a_run_on_true_labels_alone_is_found(tmp_path: Path) -> None:
    """Narrowed to corruptions=true, the column holds nothing but the text "true", which is no truth value."""
    record(tmp_path, TRUE, 2.3)
    results = collected(tmp_path, TRUE)
    assert len(results.of(corruption="true")) == 1
    assert len(results.history(corruption="true")) == 1


def test_a_run_that_was_never_trained_is_named(tmp_path: Path) -> None:
    record(tmp_path, TRUE, 2.3)
    cells, _, missing = collect(PARAMS, [TRUE, RANDOM], tmp_path)
    assert missing == [f"{RANDOM}: not trained"]
    assert len(cells.splitlines()) == 2


def test_runs_under_other_settings_are_never_mixed_in(tmp_path: Path) -> None:
    record(tmp_path, TRUE, 2.3)
    old = PARAMS.recipe(RANDOM).model_copy(update={"epochs": 7})
    record(tmp_path, RANDOM, 2.3, recipe=old.model_dump(), recipe_digest=old.digest())
    cells, epochs, missing = collect(PARAMS, [TRUE, RANDOM], tmp_path)
    assert missing == [f"{RANDOM}: trained under other settings (epochs 7 -> 2)"]
    assert "random-labels" not in cells + epochs


def test_a_diverged_run_is_a_line_without_losses(tmp_path: Path) -> None:
    record(tmp_path, TRUE, 2.3, math.nan)
    record(tmp_path, RANDOM, 2.3, math.inf)
    results = collected(tmp_path, TRUE, RANDOM)
    assert list(results.cells["status"]) == ["diverged", "diverged"]
    assert results.cells["train_loss"].isna().all()
    assert math.isnan(results.history(corruption="true")["online_loss"].iloc[-1])
    assert math.isinf(results.history(corruption="random-labels")["online_loss"].iloc[-1])


def test_collecting_twice_gives_the_same_text(tmp_path: Path) -> None:
    for cell in (RANDOM, TRUE):
        record(tmp_path, cell, 2.3, 0.1)
    assert collect(PARAMS, [TRUE, RANDOM], tmp_path) == collect(PARAMS, [TRUE, RANDOM], tmp_path)


def test_nothing_trained_gives_no_tables(tmp_path: Path) -> None:
    assert collect(PARAMS, [TRUE], tmp_path) == ("", "", [f"{TRUE}: not trained"])


def test_a_damaged_run_is_said_and_not_left_out(tmp_path: Path) -> None:
    record(tmp_path, TRUE, 2.3)
    (tmp_path / TRUE.run_folder("smoke") / "history.csv").write_text("epoch,step\n1,2\n")
    with pytest.raises(UserError, match=r"history\.csv is damaged"):
        collect(PARAMS, [TRUE], tmp_path)


def test_missing_and_empty_results_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cells\.csv is missing; run the preset"):
        load_results(PARAMS, tmp_path)
    (tmp_path / "cells.csv").write_text("")
    with pytest.raises(UserError, match=r"cells\.csv is damaged"):
        load_results(PARAMS, tmp_path)


def test_columns_of_a_frame_are_chosen_together() -> None:
    frame = pd.DataFrame({"model": ["a", "a", "b"], "seed": [0, 1, 0]})
    results = Results(PARAMS, frame, frame)
    assert list(results.of(model="a", seed=1).index) == [1]
    assert len(results.of()) == 3
