"""`rethinking plan`: what is left to do, and only numbers that somebody measured."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from test_measurements import measurement

from rethinking.cells import Cell
from rethinking.cost.forecast import Forecast, Space, described, forecast
from rethinking.cost.measurements import Measurement, write_measurements
from rethinking.params import Params
from rethinking.plan import Plan, make_plan
from rethinking.runs import training_code

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"
PERCEPTRON = ("mlp-1x512", "none")
MLP = {"preset": "smoke", "studies": "randomisation", "models": "mlp-1x512", "regularizers": "none"}


def plan_of(**config: str) -> Plan:
    return make_plan({**MLP, **config}, PARAMS_FILE)


def leave_run(root: Path, params: Params, cell: Cell, **changes: str) -> Path:
    """Leave of a run what says whether it is done."""
    recipe = params.recipe(cell)
    found = {"recipe_digest": recipe.digest(), "code": training_code(recipe)} | changes
    path = root / cell.run_folder(params.preset) / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"recipe_digest": found["recipe_digest"], "provenance": {"code": found["code"]}}))
    return path


def measured(plan: Plan, **changes: object) -> list[Measurement]:
    """One measurement, which holds for the preset's perceptrons of one layer without regularizer."""
    recipe = next(plan.params.recipe(cell) for cell in plan.cells if (cell.model, cell.regularizer) == PERCEPTRON)
    return [measurement(recipe, **{"precision": "float32", "code": training_code(recipe), **changes})]


def test_done_is_what_has_a_run_of_these_settings_and_this_code(tmp_path: Path) -> None:
    plan = plan_of()
    true, half, random = plan.cells
    leave_run(tmp_path, plan.params, true)
    assert forecast(plan, [], tmp_path).to_do == [half, random]
    leave_run(tmp_path, plan.params, half, recipe_digest="other")
    leave_run(tmp_path, plan.params, random, code="other")
    assert forecast(plan, [], tmp_path).to_do == [half, random]
    leave_run(tmp_path, plan.params, half)
    leave_run(tmp_path, plan.params, random).write_text("{")
    assert forecast(plan, [], tmp_path).to_do == [random]


def test_a_run_of_another_preset_is_not_this_one_s(tmp_path: Path) -> None:
    digits = plan_of(preset="digits")
    for cell in digits.cells:
        leave_run(tmp_path, digits.params, cell)
    assert len(forecast(plan_of(), [], tmp_path).to_do) == 3


def test_time_is_that_of_the_cells_still_to_do(tmp_path: Path) -> None:
    plan = plan_of()
    (before,) = forecast(plan, measured(plan), tmp_path).times
    leave_run(tmp_path, plan.params, plan.cells[0])
    (after,) = forecast(plan, measured(plan), tmp_path).times
    assert set(before.seconds) - set(after.seconds) == {plan.cells[0]}


def lines_with(text: str, word: str) -> list[str]:
    return [line for line in text.splitlines() if word in line]


def test_what_is_not_measured_is_said_and_not_guessed(tmp_path: Path) -> None:
    plan = plan_of(models="mlp-1x512,alexnet")
    text = described(forecast(plan, measured(plan), tmp_path))
    assert "not measured" in lines_with(text, "alexnet")[0]
    assert "over 0.2 " in f"{lines_with(text, 'all ')[0]} "  # three starts of four seconds each, and a few steps
    assert lines_with(text, "cells of alexnet are not measured; `make benchmark PRESET=smoke`")
    assert "over " in lines_with(text, "weights ")[0]


def test_without_any_benchmark_there_is_no_time_but_the_command_that_measures(tmp_path: Path) -> None:
    text = described(forecast(plan_of(), [], tmp_path))
    assert "minutes on" not in text
    assert "hours" not in text
    assert lines_with(text, "No benchmark of these cells is recorded; `make benchmark PRESET=smoke`")
    assert "not measured" in lines_with(text, "weights")[0]


def test_each_device_has_its_column_and_gpus_their_hours(tmp_path: Path) -> None:
    plan = plan_of(preset="digits")
    on_cpu, on_gpu = measured(plan), measured(plan, device_name="NVIDIA H200", device="cuda")
    alone = described(forecast(plan, on_cpu, tmp_path))
    assert lines_with(alone, "No benchmark of these cells on a GPU is recorded; `make benchmark PRESET=digits`")
    assert not lines_with(alone, "GPU-hours")
    both = described(forecast(plan, on_cpu + on_gpu, tmp_path))
    assert "minutes on AMD EPYC, 1 core, float32  minutes on NVIDIA H200, float32" in both
    assert lines_with(both, "GPU-hours")
    assert "No benchmark" not in both


def test_hours_are_never_taken_for_those_of_another_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of()
    for name, said in (("AMD EPYC", False), ("Apple M5", True)):
        monkeypatch.setattr("rethinking.cost.forecast.cpu_name", lambda name=name: name)
        text = described(forecast(plan, measured(plan), tmp_path))
        assert ("This machine's processor, Apple M5, is not measured; `make benchmark PRESET=smoke`" in text) is said


def test_experiments_are_counted_and_their_time_is_not_guessed(tmp_path: Path) -> None:
    plan = plan_of(studies="randomisation,sparsity")
    first, *lines = described(forecast(plan, measured(plan), tmp_path)).splitlines()
    assert len(plan.experiments) > 1
    assert first == f"preset smoke: 3 cells and {len(plan.experiments)} experiments of randomisation, sparsity"
    said = "The experiments on trained networks come on top: what they take is not forecast."
    assert said in lines
    assert said not in described(forecast(plan_of(), [], tmp_path))


def test_everything_done_is_said(tmp_path: Path) -> None:
    plan = plan_of()
    for cell in plan.cells:
        leave_run(tmp_path, plan.params, cell)
    text = described(forecast(plan, measured(plan), tmp_path))
    assert "Nothing is left to train." in text
    assert "download" not in text


def test_space_is_split_into_what_is_here_and_what_comes(tmp_path: Path) -> None:
    plan = plan_of()
    empty = forecast(plan, measured(plan), tmp_path)
    assert all(kind.here == 0 and kind.to_come > 0 for kind in empty.space.values())
    weights = tmp_path / plan.cells[0].weights_path("smoke")
    weights.parent.mkdir(parents=True)
    weights.write_bytes(bytes(100_000))
    leave_run(tmp_path, plan.params, plan.cells[0])
    now = forecast(plan, measured(plan), tmp_path)
    assert now.space["weights"].here == 102_400  # 25 blocks
    assert now.space["weights"].to_come == empty.space["weights"].to_come * 2 / 3
    assert now.space["runs"].here == 4096


def test_a_disk_that_is_too_small_is_warned_of(tmp_path: Path) -> None:
    found = forecast(plan_of(), [], tmp_path)
    values = {field: getattr(found, field) for field in Forecast.__dataclass_fields__}
    full = Forecast(**{**values, "free_bytes": 10**9, "space": {"weights": Space(0, 2 * 10**9)}})
    assert lines_with(described(full), "WARNING: 2.0 GB are to come and 1.0 GB are free")
    assert "WARNING" not in described(Forecast(**{**values, "free_bytes": 10**15}))


def rethinking(folder: Path, *words: str, program: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, and `program` after it."""
    code = f"import sys; from rethinking.cli import main; main(sys.argv[1:]); {program}"
    return subprocess.run([sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--preset", "huge"], "rethinking: params.yaml: preset: found 'huge', must be one of paper, digits, smoke\n"),
        (["--config", "models"], "rethinking: --config models: must be KEY=VALUE, for example models=mlp-1x512\n"),
    ],
)
def test_a_bad_selection_is_one_sentence(tmp_path: Path, words: list[str], sentence: str) -> None:
    (tmp_path / "params.yaml").write_text(PARAMS_FILE.read_text())
    for command in ("plan", "benchmark"):
        answer = rethinking(tmp_path, command, *words)
        assert (answer.returncode, answer.stderr) == (2, sentence)


def test_ten_thousand_cells_are_planned_in_seconds_and_without_torch(tmp_path: Path) -> None:
    content = yaml.safe_load(PARAMS_FILE.read_text(encoding="utf-8"))
    content["presets"]["smoke"]["seeds"] = list(range(330))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    plan = make_plan({"preset": "smoke", "studies": "randomisation"}, tmp_path / "params.yaml")
    assert len(plan.cells) > 10_000
    for cell in plan.cells[::2]:
        leave_run(tmp_path, plan.params, cell)
    write_measurements(measured(plan), tmp_path / "benchmarks" / "training.csv")

    started = time.process_time()
    text = described(forecast(plan, measured(plan), tmp_path))
    assert time.process_time() - started < 5  # one or two on a quiet machine
    assert "10,230  5,115  5,115" in lines_with(text, "all ")[0]
    words = ("plan", "--preset", "smoke", "--config", "studies=randomisation")
    answer = rethinking(tmp_path, *words, program="assert 'torch' not in sys.modules")
    assert answer.returncode == 0, answer.stderr
    assert "10,230  5,115  5,115" in answer.stdout


@pytest.mark.slow
def test_what_benchmark_records_plan_reads(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(PARAMS_FILE.read_text())
    words = ("--preset", "smoke", "--config", "studies=randomisation", "models=mlp-1x512", "regularizers=none")
    measuring = rethinking(tmp_path, "benchmark", *words)
    assert measuring.returncode == 0, measuring.stderr
    assert "ms a step" in measuring.stdout
    told = rethinking(tmp_path, "plan", *words).stdout
    assert "1 core, float32" in told
    assert "not measured" not in told
