"""Learning curves of all runs, thinned: which epochs are left, and what results hold of them."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from recorded import history, record
from rethinking.cells import Cell
from rethinking.errors import UserError
from rethinking.params_file import load_params
from rethinking.records import Epoch
from rethinking.results.learning_curves import (
    CURVES,
    FEWEST,
    LINES,
    MEASURES,
    MOST,
    collect_curves,
    epochs_shown,
    read_curves,
    thinned,
)

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke")
FIRST, SECOND = (Cell("digits", "mlp-1x512", corruption, "none", 0) for corruption in ("true", "random-labels"))


def evaluated_each(period: int, epochs: int) -> list[Epoch]:
    """Return a history whose training set was evaluated once in a period and at the end, as runs have it."""
    return [
        epoch
        if epoch.epoch % period == 0 or epoch.epoch == epochs
        else epoch._replace(train_loss=None, train_accuracy=None)
        for epoch in history(*[1.0] * epochs)
    ]


@pytest.mark.parametrize("epochs", [1, 2, 20, 21, 100, 164, 1000])
def test_few_epochs_are_left_with_the_first_and_the_last_and_denser_at_the_beginning(epochs: int) -> None:
    left = [epoch.epoch for epoch in thinned(evaluated_each(1, epochs), 20)]
    assert (left[0], left[-1]) == (1, epochs)
    assert len(left) == min(epochs, 20)
    steps = [after - before for before, after in pairwise(left)]
    assert all(after >= before - 1 for before, after in pairwise(steps)), "but for rounding"
    if epochs > 20:
        assert steps[-1] >= 2 * steps[0]


def test_evaluations_on_the_training_set_are_among_them() -> None:
    left = thinned(evaluated_each(10, 100), 20)
    evaluated = [epoch.epoch for epoch in left if epoch.train_accuracy is not None]
    assert len(evaluated) >= 6
    assert evaluated[-1] == 100
    assert len(left) <= 26


def test_many_runs_have_fewer_epochs_each_and_never_too_few() -> None:
    assert epochs_shown(0) == epochs_shown(1) == MOST
    assert epochs_shown(LINES // 10) == 10
    assert epochs_shown(1_000_000) == FEWEST


def test_collected_curves_are_those_of_runs_under_these_settings(tmp_path: Path) -> None:
    first = record(tmp_path, PARAMS, FIRST, 2.0, 1.23456, 0.5)
    record(tmp_path, PARAMS, SECOND, 2.0, recipe_digest="0" * 16)
    text = collect_curves(PARAMS, [FIRST, SECOND, Cell("digits", "alexnet", "true", "none", 0)], tmp_path)
    assert text.splitlines()[2] == f"{first.recipe_digest},2,1.235,0.5,2.235,0.5,2,0.25"
    (tmp_path / CURVES).write_text(text, encoding="utf-8")
    found = read_curves(tmp_path)
    assert found is not None
    assert list(found.columns) == ["recipe_digest", "epoch", *MEASURES]
    assert list(found["recipe_digest"]) == [first.recipe_digest] * 3


def test_two_names_of_one_recipe_have_one_curve(tmp_path: Path) -> None:
    """The coefficient that wd stands for, written out."""
    coefficient = PARAMS.models["mlp-1x512"].weight_decay
    cells = [replace(FIRST, regularizer=name) for name in ("wd", f"wd{coefficient:g}")]
    digests = {record(tmp_path, PARAMS, cell, 2.0, 1.0).recipe_digest for cell in cells}
    assert len(digests) == 1
    assert len(collect_curves(PARAMS, cells, tmp_path).splitlines()) == 1 + 2


def test_a_loss_that_diverged_is_no_number_and_no_error(tmp_path: Path) -> None:
    record(tmp_path, PARAMS, FIRST, 2.0, math.nan)
    (tmp_path / CURVES).write_text(collect_curves(PARAMS, [FIRST], tmp_path), encoding="utf-8")
    found = read_curves(tmp_path)
    assert found is not None
    assert list(found["online_loss"].isna()) == [False, True]


@pytest.mark.parametrize("text", ["", "recipe_digest,epoch\nfeed,1\n", 'a,"b'])
def test_damaged_curves_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / CURVES).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"curves\.csv is damaged"):
        read_curves(tmp_path)


def test_results_of_before_have_none(tmp_path: Path) -> None:
    assert read_curves(tmp_path) is None
