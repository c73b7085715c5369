"""What is measured is the training code itself, as the workflow would run it on this machine."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from rethinking.cells import Cell
from rethinking.cost import benchmark as benchmark_module
from rethinking.cost import timing
from rethinking.cost.benchmark import benchmark, measure
from rethinking.cost.estimate import HISTORY_LINE_BYTES, METRICS_BYTES, cell_seconds
from rethinking.cost.measurements import Measurement, Workload
from rethinking.cost.work import write_random_variant
from rethinking.data.variants import ARRAYS, load_variant
from rethinking.params_file import load_params
from rethinking.plan import make_plan
from rethinking.provenance import Checkout
from rethinking.runs import train_cell, training_code
from rethinking.training.steps import Steps

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"
SMOKE = load_params(PARAMS_FILE, "smoke")
CELL = Cell("digits", "mlp-1x512", "true", "none", 0)


class ThisProcess:
    """Does at once what a new process would be asked for."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> "ThisProcess":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, work: Callable[..., Any], *arguments: object) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(work(*arguments))
        return done


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests ask what is measured, not how exactly, and import torch once. `rethinking benchmark` has a test as well."""
    monkeypatch.setattr(benchmark_module, "STARTS", 1)
    for name, value in (("TIMED_SECONDS", 0.1), ("STRETCH_SECONDS", 0.02)):
        monkeypatch.setattr(timing, name, value)
    monkeypatch.setattr(benchmark_module, "ProcessPoolExecutor", ThisProcess)


@pytest.fixture
def measured(tmp_path: Path) -> Callable[[], Measurement]:
    """A function that measures CELL, its process taken to start in three seconds."""
    write_random_variant(tmp_path / "random" / "data", CELL.dataset)
    return lambda: measure(SMOKE, CELL, tmp_path / "random", 1, Checkout(None, None), 3.0).measurement


def test_a_workload_is_measured_once_however_many_cells_have_it() -> None:
    cells = make_plan({"preset": "smoke", "studies": "randomisation", "models": "mlp-1x512"}, PARAMS_FILE).cells
    recipes = [SMOKE.recipe(cell) for cell in cells]
    found = [each.measurement for each in benchmark(SMOKE, cells)]
    assert [measurement.workload for measurement in found] == list(dict.fromkeys(map(Workload.of, recipes)))
    assert len(found) < len(cells)
    for measurement in found:
        assert (measurement.device, measurement.precision) == ("cpu", "float32")  # as the preset asks for
        assert (measurement.threads, measurement.cells_at_once) == (1, 1)
        assert measurement.code == training_code(recipes[0])
        assert measurement.startup_seconds > 0.5  # torch is imported


def test_a_step_costs_what_the_training_loop_spends_on_a_batch(
    measured: Callable[[], Measurement], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a loop that computes for two milliseconds a batch, a step takes two milliseconds.

    The clock is turned by that loop: a real one would tell as well what else the machine does.
    """
    clock, seen = [0.0], list[int]()

    def epoch(steps: Steps, _: object) -> None:
        clock[0] += 0.002 * len(steps.split) / steps.recipe.batch_size
        seen.append(len(steps.split))

    def evaluate(*_: object, **__: object) -> None:
        clock[0] += 0.001

    monkeypatch.setattr(timing, "clock", lambda _: clock[0])
    monkeypatch.setattr("rethinking.training.loop.one_epoch", epoch)
    monkeypatch.setattr("rethinking.training.evaluate.evaluate", evaluate)
    assert measured().seconds_per_step == pytest.approx(0.002)
    assert seen[-1] == 10 * SMOKE.training.batch_size  # a stretch of 20 ms


def test_measurements_and_estimates_describe_the_run_that_training_leaves(
    measured: Callable[[], Measurement], digits_root: Path, tmp_path: Path
) -> None:
    measurement = measured()
    started = time.perf_counter()
    metrics = train_cell(SMOKE, CELL, digits_root, tmp_path, threads=1)
    took = time.perf_counter() - started

    assert measurement.weights_bytes == (tmp_path / CELL.weights_path("smoke")).stat().st_size
    # Two epochs of four steps and 384 evaluations are milliseconds, on a machine that may do other things as well.
    recipe = SMOKE.recipe(CELL)
    epochs = cell_seconds(recipe, measurement) - measurement.startup_seconds
    assert epochs / 10 < metrics.seconds < max(10 * epochs, took)
    folder = tmp_path / CELL.run_folder("smoke")
    assert METRICS_BYTES / 2 < (folder / "metrics.json").stat().st_size <= METRICS_BYTES
    assert (folder / "history.csv").stat().st_size <= HISTORY_LINE_BYTES * (recipe.epochs + 1)


def test_preparing_the_data_adds_to_the_start(measured: Callable[[], Measurement]) -> None:
    assert 3.0 <= measured().startup_seconds < 3.5  # 1,797 small images are prepared in no time


def test_no_data_set_is_needed_and_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(benchmark_module, "seconds_beside_epochs", lambda *_: 3.0)
    (found,) = benchmark(SMOKE, [CELL])
    assert found.measurement.seconds_per_step > 0
    assert list(tmp_path.iterdir()) == []


def test_random_examples_have_the_shape_and_the_type_of_the_data_set(digits_root: Path, tmp_path: Path) -> None:
    write_random_variant(tmp_path, "digits")
    drawn, true = load_variant(tmp_path, "digits", "true"), load_variant(digits_root, "digits", "true")
    for name in ARRAYS:
        assert getattr(drawn, name).shape == getattr(true, name).shape
        assert getattr(drawn, name).dtype == getattr(true, name).dtype
    assert drawn.classes == true.classes
