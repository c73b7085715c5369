"""From runs on disk to the two tables that everything else reads."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import recorded
from recorded import history
from rethinking.cells import Cell
from rethinking.errors import UserError
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.records import Epoch
from rethinking.results.frame import (
    IDENTITY,
    PROVENANCE,
    Estimate,
    Results,
    collect,
    estimate,
    load_results,
    matching,
    time_to_overfit,
    write_results,
)
from rethinking.results.published import published_curve

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke")
TRUE = Cell("digits", "mlp-1x512", "true", "none", 0)
RANDOM = Cell("digits", "mlp-1x512", "random-labels", "none", 0)
HALF = Cell("digits", "alexnet", "labels-p50", "none", 0)


def record(root: Path, cell: Cell, *online_losses: float, **changes: Any) -> None:
    recorded.record(root, PARAMS, cell, *online_losses, **changes)


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


def test_histories_are_those_asked_for_and_name_their_run_once(tmp_path: Path) -> None:
    for cell in (TRUE, RANDOM, HALF):
        record(tmp_path, cell, 2.3, 0.1, 0.04)
    found, epochs, _ = collect(PARAMS, [TRUE, RANDOM, HALF], tmp_path, {TRUE: None, HALF: 2})
    assert epochs.splitlines()[0] == "recipe_digest," + ",".join(Epoch._fields)
    assert "mlp-1x512" not in epochs
    write_results(tmp_path / "results", found, epochs)
    results = load_results(PARAMS, tmp_path / "results")
    assert list(results.history(model="mlp-1x512")["epoch"]) == [1, 2, 3]
    assert list(results.history(model="alexnet")["epoch"]) == [2, 3]
    assert results.history(corruption="random-labels").empty
    assert len(results.cells) == 3
    assert list(results.histories) == [*IDENTITY, *Epoch._fields]


def test_the_last_epochs_are_those_of_each_run(tmp_path: Path) -> None:
    for cell in (TRUE, RANDOM):
        record(tmp_path, cell, 2.3, 0.1, 0.04)
    results = collected(tmp_path, TRUE, RANDOM)
    last = results.history(2, model="mlp-1x512")
    assert list(zip(last["corruption"], last["epoch"], strict=True)) == [
        ("true", 2),
        ("true", 3),
        ("random-labels", 2),
        ("random-labels", 3),
    ]
    assert len(results.history(9, corruption="true")) == 3
    assert results.history(1, model="inception").empty


def test_two_names_of_one_recipe_have_one_history(tmp_path: Path) -> None:
    """Weight decay may be named by its coefficient."""
    decay = PARAMS.models["mlp-1x512"].weight_decay
    same = [replace(TRUE, regularizer=name) for name in ("wd", f"wd{decay:g}")]
    for cell in same:
        record(tmp_path, cell, 2.3, 0.1)
    found, epochs, _ = collect(PARAMS, same, tmp_path, {same[0]: 1, same[1]: None})
    assert len(epochs.splitlines()) == 1 + 2
    write_results(tmp_path / "results", found, epochs)
    results = load_results(PARAMS, tmp_path / "results")
    assert [len(results.history(regularizer=cell.regularizer)) for cell in same] == [2, 2]


def test_runs_without_histories_are_results(tmp_path: Path) -> None:
    record(tmp_path, TRUE, 2.3)
    write_results(tmp_path / "results", *collect(PARAMS, [TRUE], tmp_path, {})[:2])
    results = load_results(PARAMS, tmp_path / "results")
    assert len(results.cells) == 1
    assert results.histories.empty
    assert results.history(3, corruption="true").empty


def test_histories_that_say_their_runs_identity_on_every_line_are_read(tmp_path: Path) -> None:
    """As they were collected at first."""
    record(tmp_path, TRUE, 2.3, 0.1)
    results = collected(tmp_path, TRUE)
    results.histories.to_csv(tmp_path / "results" / "histories.csv", index=False)
    assert load_results(PARAMS, tmp_path / "results").histories.equals(results.histories)


def test_histories_need_the_recipes_of_their_runs(tmp_path: Path) -> None:
    record(tmp_path, TRUE, 2.3)
    path = tmp_path / "results" / "cells.csv"
    collected(tmp_path, TRUE).cells.drop(columns="recipe_digest").to_csv(path, index=False)
    with pytest.raises(UserError, match=r"cells\.csv is damaged \(it has no column recipe_digest\)"):
        load_results(PARAMS, tmp_path / "results")


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


@pytest.mark.parametrize("name", ["cells.csv", "histories.csv"])
@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", b"\xff\xfe\x00", b"a\n1,2,3\n4\n"], ids=["other", "binary", "ragged"]
)
def test_what_is_no_table_of_results_is_said(tmp_path: Path, name: str, content: bytes) -> None:
    record(tmp_path, TRUE, 2.3)
    collected(tmp_path, TRUE)
    (tmp_path / "results" / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"{name} is damaged"):
        load_results(PARAMS, tmp_path / "results")


# --- provenance of the runs ---


def test_the_provenance_of_a_run_is_collected_with_its_numbers(tmp_path: Path) -> None:
    record(tmp_path, TRUE, 2.3, provenance={"uncommitted_changes": True, "threads": 4, "commit": None})
    (line,) = collected(tmp_path, TRUE).cells[PROVENANCE].to_dict("records")
    assert (line["device"], line["device_name"], line["precision"]) == ("cpu", "a processor", "float32")
    assert (line["threads"], line["variant"], line["uncommitted_changes"]) == (4, "feed", True)
    assert math.isnan(line["commit"])


def test_results_collected_before_there_was_a_column_are_read(tmp_path: Path) -> None:
    """Those of the preset paper are in git, and no run that could be collected again is beside them."""
    record(tmp_path, TRUE, 2.3)
    whole = collected(tmp_path, TRUE).cells
    path = tmp_path / "results" / "cells.csv"
    whole.drop(columns=["threads", "uncommitted_changes"]).to_csv(path, index=False)
    cells = load_results(PARAMS, tmp_path / "results").cells
    assert set(cells) == set(whole)
    assert cells[["threads", "uncommitted_changes"]].isna().all(axis=None)


def test_a_digest_of_digits_stays_a_text(tmp_path: Path) -> None:
    """One in a thousand has no letter, or no other than one e, and would be read as a number."""
    digests = {"code": "1234567890123456", "variant": "12e4567890123456", "commit": "0" * 40}
    record(tmp_path, TRUE, 2.3, recipe_digest=PARAMS.recipe(TRUE).digest(), provenance=digests)
    (line,) = collected(tmp_path, TRUE).cells.to_dict("records")
    assert {name: line[name] for name in digests} == digests


# --- what has been read ---


def cells_read(results: Results) -> list[str]:
    return [f"{line['model']} {line['corruption']} {line['seed']}" for line in results.read().to_dict("records")]


@pytest.fixture
def three(tmp_path: Path) -> Results:
    for cell in (TRUE, RANDOM, HALF):
        record(tmp_path, cell, 2.3, 0.04)
    found: Results = collected(tmp_path, TRUE, RANDOM, HALF)
    return found


def test_nothing_is_read_until_it_is_asked_for(three: Results) -> None:
    assert cells_read(three) == []
    three.of(model="inception")
    assert cells_read(three) == []


def test_runs_are_read_as_lines_as_epochs_or_altogether(three: Results) -> None:
    three.of(model="alexnet")
    assert cells_read(three) == ["alexnet labels-p50 0"]
    three.history(model="mlp-1x512", corruption="true")
    assert cells_read(three) == ["mlp-1x512 true 0", "alexnet labels-p50 0"]  # in the order of cells.csv
    for everything in ("cells", "histories"):
        fresh = three.fresh()
        assert cells_read(fresh) == []
        assert not getattr(fresh, everything).empty
        assert len(cells_read(fresh)) == 3


def test_columns_of_a_frame_are_chosen_together() -> None:
    frame = pd.DataFrame({"model": ["a", "a", "b"], "seed": [0, 1, 0]})
    assert list(matching(frame, model="a", seed=1).index) == [1]
    assert len(matching(frame)) == 3
