"""What was measured is kept: a newer line replaces the older one of the same workload and device, and no other."""

from pathlib import Path

import pytest

from rethinking.cells import Cell
from rethinking.cost.lines import merged
from rethinking.cost.measurements import MEASUREMENTS, Measurement, Workload, read_measurements, write_measurements
from rethinking.errors import UserError
from rethinking.params_file import load_params
from rethinking.recipe import Recipe

ROOT = Path(__file__).resolve().parents[2]
PAPER = load_params(ROOT / "params.yaml", "paper")
RECIPE = PAPER.recipe(Cell("cifar10", "mlp-1x512", "true", "none", 0))


def measurement(recipe: Recipe = RECIPE, **changes: object) -> Measurement:
    values = {
        **Workload.of(recipe)._asdict(),
        "device_name": "AMD EPYC",
        "device": "cpu",
        "precision": "bfloat16",
        "threads": 1,
        "cells_at_once": 1,
        "seconds_per_step": 0.005,
        "seconds_per_1000_evaluated": 0.03,
        "startup_seconds": 4.0,
        "weights_bytes": 4_839_760,
        "date": "2026-11-21",
        "torch": "2.11.0",
        "code": "0123456789abcdef",
        "commit": "",
    }
    return Measurement.model_validate(values | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"epochs": 300},
        {"corruption": "random-labels"},
        {"initial_learning_rate": 0.5},
        {"learning_rate_decay": 0.999},
        {"train_examples": 128},
    ],
)
def test_what_changes_only_the_number_of_steps_or_their_outcome_is_the_same_workload(
    changes: dict[str, object],
) -> None:
    assert Workload.of(RECIPE.model_copy(update=changes)) == Workload.of(RECIPE)


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": "mnist"},
        {"batch_size": 64},
        {"crop_size": 24},
        {"random_crop": True},
        {"flip": True},
        {"weight_decay": 0.1},
        {"dropout": 0.5},
        {"model": RECIPE.model | {"width": 256}},
    ],
)
def test_what_changes_a_step_is_another_workload(changes: dict[str, object]) -> None:
    assert Workload.of(RECIPE.model_copy(update=changes)) != Workload.of(RECIPE)


def test_measurements_come_back_from_the_file_as_they_were_written(tmp_path: Path) -> None:
    written = [measurement(), measurement(device_name="NVIDIA H200, 141 GB", device="cuda", weight_decay=True)]
    write_measurements(written, tmp_path / "benchmarks" / "training.csv")
    assert read_measurements(tmp_path / "benchmarks" / "training.csv") == written


def test_only_the_same_workload_on_the_same_device_is_replaced() -> None:
    old = measurement()
    others = [
        measurement(precision="float32"),
        measurement(device_name="NVIDIA H200", device="cuda"),
        measurement(RECIPE.model_copy(update={"dataset": "mnist"})),
        measurement(RECIPE.model_copy(update={"random_crop": True})),
        measurement(cells_at_once=4),
    ]
    new = measurement(seconds_per_step=0.004, date="2026-12-01", torch="2.12.0", code="f", weights_bytes=5)
    found = merged([old, *others], [new])
    assert len(found) == 6
    assert new in found
    assert old not in found
    assert all(other in found for other in others)


def test_the_order_of_lines_does_not_depend_on_the_order_of_measuring() -> None:
    both = [measurement(), measurement(precision="float32")]
    assert merged([], both) == merged([], both[::-1])


def test_without_a_file_nothing_is_measured(tmp_path: Path) -> None:
    assert read_measurements(tmp_path / "training.csv") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("0.005", "fast"), ("0.005", "-0.005"), ("seconds_per_step", "seconds"), (",2026-11-21", ""), ("cpu,", "cpu,,")],
)
def test_a_damaged_line_is_named(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "training.csv"
    write_measurements([measurement()], path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UserError, match=r"training\.csv, line 2: .*; delete the line and measure again$"):
        read_measurements(path)


def test_the_recorded_measurements_can_be_read_and_each_is_there_once() -> None:
    recorded = read_measurements(ROOT / MEASUREMENTS)
    assert recorded
    assert merged([], recorded) == recorded
