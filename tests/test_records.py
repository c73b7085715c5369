"""What a run leaves behind, and how damage to it is noticed."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethinking.errors import UserError
from rethinking.records import (
    Epoch,
    Metrics,
    finite,
    read_history,
    read_metrics,
    write_history,
    write_metrics,
)

EPOCH = Epoch(1, 391, 0.1, math.log(10), 0.1, 2.25, 0.125, 2.3, 0.1, 12.5)

METRICS = Metrics(
    cell="digits/mlp-1x512/true/none/seed-0",
    preset="digits",
    status="finished",
    epochs=100,
    parameters=30730,
    train_examples=1437,
    train_accuracy=1.0,
    train_loss=0.001,
    test_accuracy=0.975,
    test_loss=None,
    best_test_accuracy=0.98,
    best_test_epoch=61,
    online_loss=0.002,
    online_accuracy=1.0,
    seconds=9.5,
    recipe={"epochs": 100},
    recipe_digest="0123456789abcdef",
    provenance={"device": "cpu"},
)

numbers = st.floats(width=32)
perhaps = st.none() | numbers
epochs = st.builds(Epoch, st.integers(1, 500), st.integers(1, 2**40), *[numbers] * 3, perhaps, perhaps, *[numbers] * 3)


@given(st.lists(epochs, min_size=1, max_size=4))
def test_history_is_read_back_to_six_digits(tmp_path_factory: pytest.TempPathFactory, history: list[Epoch]) -> None:
    path = tmp_path_factory.getbasetemp() / "history.csv"
    write_history(path, history)
    again = read_history(path)
    assert len(again) == len(history)
    for before, after in zip(history, again, strict=True):
        assert (after.epoch, after.step) == (before.epoch, before.step)
        assert after.diverged == before.diverged
        for written, read in zip(before, after, strict=True):
            if written is None or read is None:
                assert written is read
            else:
                assert math.isclose(read, written, rel_tol=5e-6) or (math.isnan(read) and math.isnan(written))


def test_history_is_a_table_that_other_programs_read(tmp_path: Path) -> None:
    write_history(tmp_path / "history.csv", [EPOCH])
    assert (tmp_path / "history.csv").read_bytes() == (
        b"epoch,step,learning_rate,online_loss,online_accuracy,train_loss,train_accuracy,test_loss,"
        b"test_accuracy,seconds\n1,391,0.1,2.30259,0.1,2.25,0.125,2.3,0.1,12.5\n"
    )


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_run_has_diverged_when_a_training_loss_is_no_number(value: float) -> None:
    assert not EPOCH.diverged
    assert EPOCH._replace(online_loss=value).diverged
    assert EPOCH._replace(train_loss=value).diverged
    assert not EPOCH._replace(train_loss=None, train_accuracy=None).diverged, "not evaluated on"
    assert not EPOCH._replace(test_loss=value).diverged, "test loss overflows in runs that fit perfectly"


def test_only_finite_numbers_are_numbers_in_json() -> None:
    assert finite(0.25) == 0.25
    assert [finite(value) for value in (math.nan, math.inf, -math.inf)] == [None, None, None]


def test_metrics_are_read_back(tmp_path: Path) -> None:
    write_metrics(tmp_path / "metrics.json", METRICS)
    assert read_metrics(tmp_path / "metrics.json") == METRICS


@pytest.mark.parametrize(
    ("read", "name"), [(read_metrics, "metrics.json"), (read_history, "history.csv")], ids=["json", "csv"]
)
def test_a_missing_record_says_what_to_do(tmp_path: Path, read: Any, name: str) -> None:
    with pytest.raises(UserError, match=rf"{name} is missing; train the cell first"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        json.dumps(METRICS.model_dump())[:-20].encode(),
        json.dumps({**METRICS.model_dump(), "epochs": "many"}).encode(),
        json.dumps({**METRICS.model_dump(), "status": "lost"}).encode(),
        json.dumps({**METRICS.model_dump(), "unheard_of": 1}).encode(),
        json.dumps({k: v for k, v in METRICS.model_dump().items() if k != "recipe_digest"}).encode(),
    ],
    ids=["empty", "brace", "list", "binary", "truncated", "text", "status", "extra", "missing"],
)
def test_damaged_metrics_are_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "metrics.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"metrics\.json is damaged \(.*\); delete it and run again") as caught:
        read_metrics(path)
    assert "\n" not in str(caught.value)


HEADER = ",".join(Epoch._fields)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "epoch,step\n1,391\n",
        f"{HEADER}\n1,391,0.1\n",
        f"{HEADER}\n1,391,0.1,2.3,0.1,2.3,0.1,2.3,0.1,\n",
        f"{HEADER}\none,391,0.1,2.3,0.1,2.3,0.1,2.3,0.1,12.5\n",
        f"{HEADER}\n1.5,391,0.1,2.3,0.1,2.3,0.1,2.3,0.1,12.5\n",
    ],
    ids=["empty", "columns", "short", "truncated", "text", "half-epoch"],
)
def test_a_damaged_history_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "history.csv"
    path.write_text(content)
    with pytest.raises(UserError, match=r"history\.csv is damaged \(.*\); delete it and run again"):
        read_history(path)


def test_a_binary_history_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_bytes(b"\xff\xfe\x00\x00")
    with pytest.raises(UserError, match=r"history\.csv is damaged"):
        read_history(tmp_path / "history.csv")
