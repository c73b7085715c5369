"""What speed is measured of, and what is said of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from rethinking.cells import Cell
from rethinking.cost import timing
from rethinking.cost.estimate import available_cores
from rethinking.cost.floor import floor_of
from rethinking.cost.lines import read, write
from rethinking.cost.measurements import Workload
from rethinking.cost.speed import ALONE, SPEED, Speed, representatives, table
from rethinking.cost.throughput import compare
from rethinking.params_file import load_params
from rethinking.plan import make_plan

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"
SMOKE = load_params(PARAMS_FILE, "smoke")
CELL = Cell("digits", "mlp-1x512", "true", "none", 0)


def speed(**changes: object) -> Speed:
    values: dict[str, object] = {
        **{"device_name": "NVIDIA H100", "device": "cuda", "precision": "bfloat16", "threads": 4},
        **{"dataset": "cifar10", "crop_size": 28, "model": "mlp depth=1 width=512", "batch_size": 128},
        **{"augmentation": "none", "weight_decay": False, "dropout": False, "cells_at_once": ALONE},
        **{"images_per_second": 28349.1, "plain_images_per_second": 6257.4, "ratio": 4.72},
        **{"flops_per_image": 4_847_616, "arithmetic_share": 0.174},
        **{"cells_per_hour": 27.8, "plain_cells_per_hour": 5.6, "startup_seconds": 3.0, "warm_startup_seconds": 0.41},
        **{"peak_memory_bytes": 951_000_000, "date": "2026-11-26", "torch": "2.11.0", "code": "0123456789abcdef"},
    }
    return Speed.model_validate(values | changes)


def test_one_cell_stands_for_each_model_the_widest_and_plainest() -> None:
    chosen = representatives(SMOKE, make_plan({"preset": "smoke"}, PARAMS_FILE).cells)
    models = [cell.model for cell in chosen]
    assert len(set(models)) == len(models)
    assert {"inception", "inception-nobn", "alexnet", "mlp-3x512", "mlp-1x512"} <= set(models)
    assert all(cell.regularizer == "none" for cell in chosen)
    widths = [8, 512, 2]
    cells = [Cell("digits", f"cnn-k{width}", "true", "wd", 0) for width in widths]
    assert [cell.model for cell in representatives(SMOKE, cells)] == ["cnn-k512"]


def test_both_loops_are_timed_on_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each image takes some time in either; a loop that was not called would take none."""
    for name, value in (("TIMED_SECONDS", 0.2), ("STRETCH_SECONDS", 0.02)):
        monkeypatch.setattr(timing, name, value)
    found = compare(SMOKE, CELL, 1)
    for seconds in (found.ours, found.plain, found.ours_evaluated, found.plain_evaluated):
        assert 1e-8 < seconds < 1e-2
    assert found.ratio == pytest.approx(found.plain / found.ours, rel=0.5)
    assert found.peak_memory_bytes > 1e8, "torch alone takes more"
    # 49 inputs (7 x 7 pixels), 8 units, 10 classes: forward and backward, but no gradient by the images.
    units = SMOKE.model("mlp-1x512").width
    assert found.flops == 2 * units * (2 * 49 + 3 * 10)
    assert found.flops_per_second > 1e9
    assert found.device == {
        "device": "cpu", "device_name": found.device["device_name"], "precision": "float32", "threads": 1
    }  # fmt: skip


def test_the_table_has_a_line_for_each_number_of_cells_at_once() -> None:
    together = speed(
        **dict.fromkeys(("plain_images_per_second", "ratio", "plain_cells_per_hour", "startup_seconds")),
        cells_at_once=2, images_per_second=57_901.0, gain=1.93, arithmetic_share=0.168, cells_per_hour=156.8,
        peak_memory_bytes=None,
    )  # fmt: skip
    head, alone, two = table([speed(), together]).splitlines()
    assert head.split()[:4] == ["at", "once", "images/s", "plain"]
    assert alone.split()[-10:] == ["1", "28,349", "6,257", "4.72", "17.4%", "27.8", "5.6", "3.0", "0.41", "951"]
    assert two.split()[-6:] == ["2", "57,901", "1.93", "16.8%", "157", "0.41"]


def test_the_floor_of_a_grid_is_that_of_its_steps() -> None:
    """Of two networks on a GPU: one is fastest with four cells at once; a third was not measured."""
    paper = load_params(PARAMS_FILE, "paper")
    cells = [Cell("cifar10", model, "true", "none", 0) for model in ("mlp-1x512", "mlp-3x512", "alexnet")]
    recipes = {cell: paper.recipe(cell) for cell in cells}
    first, second = (Workload.of(recipes[cell])._asdict() for cell in cells[:2])
    speeds = [
        speed(**first, images_per_second=1e6, flops_per_image=5_000_000, arithmetic_share=0.1),
        speed(**first, images_per_second=2e6, gain=2.0, arithmetic_share=0.2, cells_at_once=4),
        speed(**second, images_per_second=5e5, flops_per_image=8_000_000, arithmetic_share=0.2),
    ]
    found = floor_of(recipes, speeds)
    assert found is not None
    images = 70 * 50_000
    assert (found.cells, found.unit) == (2, "GPU")
    assert found.operations == pytest.approx(images * 13e6)
    assert found.seconds == pytest.approx(images / 2e6 + images / 5e5)
    assert found.floor_seconds == pytest.approx(images / 1e6 * 0.1 + images / 5e5 * 0.2)
    assert floor_of(recipes, []) is None
    assert "2 cells, 0.0455 PFLOP" in str(found)


def test_on_a_cpu_the_floor_is_of_one_core() -> None:
    cell = Cell("cifar10", "mlp-1x512", "true", "none", 0)
    recipe = load_params(PARAMS_FILE, "paper").recipe(cell)
    alone = {**Workload.of(recipe)._asdict(), "device": "cpu", "images_per_second": 1e4, "arithmetic_share": 0.5}
    found = floor_of({cell: recipe}, [speed(**alone), speed(**alone | {"images_per_second": 2e4}, cells_at_once=2)])
    assert found is not None
    assert found.unit == "core"
    assert found.seconds == pytest.approx(70 * 50_000 / 1e4)
    assert found.floor_seconds == pytest.approx(found.seconds / 2)


def test_lines_come_back_from_the_file_with_what_is_not_known(tmp_path: Path) -> None:
    lines = [speed(), speed(cells_at_once=2, ratio=None, startup_seconds=None, peak_memory_bytes=None)]
    write(Speed, lines, tmp_path / "speed.csv")
    again = read(Speed, tmp_path / "speed.csv")
    assert [line.key for line in again] == [line.key for line in lines]
    assert again[0].images_per_second == pytest.approx(28349.1, rel=1e-3)
    assert (again[1].ratio, again[1].startup_seconds, again[1].peak_memory_bytes) == (None, None, None)


@pytest.mark.slow
def test_the_command_measures_prints_and_records(tmp_path: Path) -> None:
    """With real processes: of one network, alone and on two cores at once where there are two."""
    (tmp_path / "params.yaml").write_text(PARAMS_FILE.read_text())
    words = ["--preset", "smoke", "--config", "studies=randomisation", "models=mlp-1x512", "regularizers=none"]
    code = "import sys; from rethinking.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "speed", *words]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stderr
    lines = read(Speed, tmp_path / SPEED)
    counts = [line.cells_at_once for line in lines]
    assert counts == [2**power for power in range(len(counts))]
    assert counts[-1] <= available_cores() < 2 * counts[-1]
    alone = lines[0]
    assert alone.ratio is not None
    assert alone.ratio > 1, "no DataLoader and no Python for each image"
    assert alone.startup_seconds is not None
    assert alone.warm_startup_seconds is not None
    assert alone.warm_startup_seconds < alone.startup_seconds / 2, "torch is loaded already"
    head, *printed = [line for line in answer.stdout.splitlines() if line.startswith((" ", "digits"))][
        -len(lines) - 1 :
    ]
    assert head.split() == table(lines).splitlines()[0].split()
    assert len(printed) == len(lines), "a line for each measurement"
    assert "of the arithmetic is used" in answer.stdout
