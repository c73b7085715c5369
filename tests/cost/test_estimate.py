"""Time and space follow from each cell's own recipe and from what was measured; what was not measured stays unknown."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_measurements import RECIPE, measurement

from rethinking.cells import Cell
from rethinking.cost.estimate import (
    DISK_BLOCK,
    RECORD_BYTES,
    cell_seconds,
    device_times,
    expected_seconds,
    needed_variants,
    network_bytes,
    on_disk,
    variant_bytes,
    wall_seconds,
    weights_bytes,
)
from rethinking.data.sources import fetch
from rethinking.data.variants import corrupt
from rethinking.params import ExecutionParams
from rethinking.params_file import load_params
from rethinking.recipe import Recipe

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"
PAPER, DIGITS, SMOKE = (load_params(PARAMS_FILE, name) for name in ("paper", "digits", "smoke"))
AUTO = PAPER.execution
CODE = {"mlp": "0123456789abcdef", "alexnet": "fedcba9876543210"}


@pytest.mark.parametrize(("period", "times"), [(1, 70), (10, 7), (60, 2), (100, 1)])
def test_an_epoch_on_cifar10_is_391_steps_and_10_000_evaluations_or_60_000(period: int, times: int) -> None:
    """The paper's Figure 1a has a point every 391 steps. The last epoch is evaluated on both sets in any case."""
    recipe = RECIPE.model_copy(update={"train_evaluation_period": period})
    evaluated = 70 * 10 + times * 50
    assert cell_seconds(recipe, measurement()) == pytest.approx(4.0 + 70 * 391 * 0.005 + evaluated * 0.03)


def test_fewer_training_examples_are_fewer_steps_and_evaluations() -> None:
    recipe = SMOKE.recipe(Cell("digits", "mlp-1x512", "true", "none", 0))
    assert cell_seconds(recipe, measurement(recipe)) == pytest.approx(4.0 + 2 * 4 * 0.005 + 3 * 0.128 * 0.03)


def test_cells_of_one_model_count_with_their_own_epochs() -> None:
    """Random labels under augmentation have 300 epochs in the paper's preset, true labels 70."""
    cells = [Cell("cifar10", "inception", corruption, "crop", 0) for corruption in ("true", "random-labels")]
    recipes = {cell: PAPER.recipe(cell) for cell in cells}
    (time,) = device_times(recipes, [measurement(recipes[cells[0]])], AUTO, {"inception": ""})
    short, long = (time.seconds[cell] - 4.0 for cell in cells)
    assert long / short == pytest.approx(300 / 70)


def recipes_of(*models: str) -> dict[Cell, Recipe]:
    return {cell: PAPER.recipe(cell) for cell in (Cell("cifar10", model, "true", "none", 0) for model in models)}


def test_a_workload_that_was_not_measured_gets_no_number() -> None:
    recipes = recipes_of("mlp-1x512", "alexnet")
    (time,) = device_times(recipes, [measurement()], AUTO, CODE)
    mlp, alexnet = recipes
    assert list(time.seconds) == [mlp]
    assert list(time.missing) == [alexnet]


def test_a_device_that_measured_none_of_the_cells_is_left_out() -> None:
    assert device_times(recipes_of("alexnet"), [measurement()], AUTO, CODE) == []


@pytest.mark.parametrize(
    ("execution", "names"),
    [
        ({}, ["CPU", "CPU", "GPU"]),
        ({"device": "cpu"}, ["CPU", "CPU"]),
        ({"device": "cuda"}, ["GPU"]),
        ({"precision": "float32"}, ["CPU"]),
        ({"device": "mps"}, []),
    ],
)
def test_only_devices_and_precisions_that_the_run_would_use_count(execution: dict[str, str], names: list[str]) -> None:
    rows = [
        measurement(device_name="CPU", precision="float32"),
        measurement(device_name="CPU"),
        measurement(device_name="GPU", device="cuda"),
        measurement(device_name="GPU", device="cuda", cells_at_once=4),
    ]
    wanted = ExecutionParams.model_validate({**AUTO.model_dump(), **execution})
    assert [time.device.device_name for time in device_times(recipes_of("mlp-1x512"), rows, wanted, CODE)] == names


@pytest.mark.parametrize(("code", "other"), [("0123456789abcdef", False), ("00", True)])
def test_a_measurement_of_other_training_code_is_marked(code: str, other: bool) -> None:
    (time,) = device_times(recipes_of("mlp-1x512"), [measurement(code=code)], AUTO, CODE)
    assert time.other_code is other


durations = st.lists(st.floats(0.1, 1e4), min_size=1, max_size=40)


@given(durations, st.integers(1, 8))
def test_cores_finish_no_sooner_than_work_allows_and_no_later_than_one_core(seconds: list[float], cores: int) -> None:
    took = wall_seconds(seconds, cores)
    assert took >= max(sum(seconds) / cores, max(seconds)) * (1 - 1e-9)
    assert took <= sum(seconds) * (1 + 1e-9)
    # Graham 1966: no order of starting is worse than this.
    assert took <= (sum(seconds) / cores + max(seconds)) * (1 + 1e-9)


def test_a_long_cell_that_starts_last_runs_alone_at_the_end() -> None:
    assert wall_seconds([1, 1, 4], 2) == 5
    assert wall_seconds([4, 1, 1], 2) == 4


@pytest.mark.parametrize("corruption", ["true", "random-labels", "shuffled-pixels", "gaussian"])
def test_a_variant_takes_the_space_that_its_shapes_say(tmp_path: Path, corruption: str) -> None:
    """Labels alone where images stay; random images of normal distribution in twice as many bytes as pixels."""
    fetch("digits", tmp_path, None)
    folder = tmp_path / "digits" / corruption
    if corruption != "true":
        corrupt(tmp_path, "digits", corruption, 0)
    arrays = [path.stat().st_size for path in folder.glob("*.npy")]
    records = (len(arrays) + 2) * on_disk(RECORD_BYTES)  # one of each array, the manifest, and its record
    assert variant_bytes("digits", corruption) == sum(map(on_disk, arrays)) + records
    assert (folder / "manifest.json").stat().st_size < RECORD_BYTES


def test_images_are_stored_once_for_all_corruptions_of_labels() -> None:
    images = 60_000 * 3 * 32 * 32
    assert variant_bytes("cifar10", "true") > images
    assert variant_bytes("cifar10", "random-labels") < images / 1000
    assert variant_bytes("cifar10", "gaussian") > 2 * images


def test_originals_are_needed_under_every_corruption() -> None:
    assert needed_variants([Cell("digits", "mlp-1x512", "gaussian", "none", 0)]) == {
        ("digits", "gaussian"),
        ("digits", "true"),
    }


def test_weights_take_the_same_on_every_device_and_are_unknown_where_none_was_measured() -> None:
    known = network_bytes([measurement(device_name="NVIDIA H200", device="cuda", precision="float32")])
    for update in ({}, {"random_crop": True}, {"batch_size": 64, "weight_decay": 0.1}):
        assert weights_bytes(RECIPE.model_copy(update=update), known) == on_disk(4_839_760)
    assert weights_bytes(RECIPE.model_copy(update={"dataset": "mnist"}), known) is None


@given(st.integers(0, 10**9))
def test_files_take_whole_blocks(size: int) -> None:
    assert on_disk(size) % DISK_BLOCK == 0
    assert size <= on_disk(size) < size + DISK_BLOCK


def test_estimates_have_no_hidden_constant_for_time() -> None:
    """Ten times the measured cost is ten times the estimate."""
    slow = measurement(seconds_per_step=0.05, seconds_per_1000_evaluated=0.3, startup_seconds=40)
    assert math.isclose(cell_seconds(RECIPE, slow), 10 * cell_seconds(RECIPE, measurement()))


def test_what_takes_longest_is_expected_to() -> None:
    """Few epochs of a large network may take longer than many of a small one."""
    large, small = (DIGITS.recipe(Cell("digits", model, "true", "none", 0)) for model in ("inception", "mlp-1x512"))
    assert large.epochs < small.epochs
    cells = {
        Cell("digits", "inception", "true", "none", 0): large,
        Cell("digits", "mlp-1x512", "true", "none", 0): small,
    }
    measured = [measurement(large, seconds_per_step=0.1), measurement(small, seconds_per_step=0.001)]
    first, second = expected_seconds(cells, measured).values()
    assert first == pytest.approx(cell_seconds(large, measured[0]))
    assert first > second


def test_a_workload_that_was_not_measured_counts_as_the_usual_one_of_its_data_set() -> None:
    _, alexnet = recipes_of("mlp-1x512", "alexnet")
    expected = expected_seconds(recipes_of("mlp-1x512", "alexnet"), [measurement()])
    assert expected[alexnet] == pytest.approx(PAPER.recipe(alexnet).epochs * 391 * measurement().seconds_per_step)
    assert expected_seconds(recipes_of("alexnet"), []) == {alexnet: 70 * 391}
