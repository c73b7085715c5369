"""What a cell is called, and where its run lies."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethinking.cells import RUN_PATTERN, WEIGHTS_PATTERN, Cell, Selection, union
from rethinking.errors import UserError

names = st.from_regex(r"[a-z0-9][a-z0-9.+-]*", fullmatch=True)
cells = st.builds(Cell, names, names, names, names, st.integers(min_value=0, max_value=2**31 - 1))

TRUE = Cell("digits", "mlp-1x512", "true", "none", 0)
RANDOM = Cell("digits", "mlp-1x512", "random-labels", "none", 0)
CROPPED = Cell("cifar10", "inception", "true", "crop+wd", 3)


@pytest.mark.parametrize(
    ("cell", "preset", "folder"),
    [
        (TRUE, "digits", "runs/digits/digits/mlp-1x512/true/none/seed-0"),
        (CROPPED, "paper", "runs/paper/cifar10/inception/true/crop+wd/seed-3"),
        (
            Cell("mnist", "inception-nobn", "labels-p30", "flip+rotate", 12),
            "smoke",
            "runs/smoke/mnist/inception-nobn/labels-p30/flip+rotate/seed-12",
        ),
    ],
    ids=str,
)
def test_folder_of_a_run_is_a_contract(cell: Cell, preset: str, folder: str) -> None:
    """Runs are found by their path alone: with any other mapping every finished run is trained again."""
    assert str(cell.run_folder(preset)) == folder
    assert str(cell.weights_path(preset)) == f"{folder.replace('runs/', 'weights/', 1)}/weights.safetensors"


@given(cells)
def test_a_cell_is_read_back_from_its_name(cell: Cell) -> None:
    assert Cell.parse(str(cell)) == cell


@given(cells, names)
def test_workflow_patterns_are_the_places_of_a_run(cell: Cell, preset: str) -> None:
    assert RUN_PATTERN.format(preset=preset, **asdict(cell)) == str(cell.run_folder(preset))
    assert WEIGHTS_PATTERN.format(preset=preset, **asdict(cell)) == str(cell.weights_path(preset))


@given(st.lists(cells, max_size=20))
def test_different_cells_never_share_a_folder(several: list[Cell]) -> None:
    places = {place for cell in several for place in (cell.run_folder("digits"), cell.weights_path("digits").parent)}
    assert len(places) == 2 * len(set(several))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "digits/mlp-1x512/true/none",
        "digits/mlp-1x512/true/none/seed-0/more",
        "digits/mlp-1x512/true/none/0",
        "digits/mlp-1x512/true/none/seed-",
        "digits/mlp-1x512/true/none/seed--1",
        "digits/mlp-1x512/true/none/seed-00",
        "digits/mlp-1x512/true/none/seed-١",
        "digits/mlp-1x512/true/none/seed-1.0",
        "digits//true/none/seed-0",
        "runs/digits/digits/mlp-1x512/true/none/seed-0",
    ],
)
def test_name_of_no_cell_is_refused_with_the_form(name: str) -> None:
    with pytest.raises(UserError, match=f"'{name}' does not name a cell; the form is dataset/model/"):
        Cell.parse(name)


def test_union_keeps_the_order_of_first_appearance_without_duplicates() -> None:
    assert union([RANDOM, TRUE], [CROPPED, RANDOM], iter([TRUE])) == [RANDOM, TRUE, CROPPED]


def test_nothing_selected_selects_everything() -> None:
    assert all(Selection().keeps(cell) for cell in (TRUE, RANDOM, CROPPED))


@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        (Selection(datasets=("cifar10",)), [CROPPED]),
        (Selection(models=("mlp-1x512", "inception")), [TRUE, RANDOM, CROPPED]),
        (Selection(corruptions=("true",)), [TRUE, CROPPED]),
        (Selection(regularizers=("crop",)), []),
        (Selection(seeds=(3, 4)), [CROPPED]),
        (Selection(corruptions=("true",), seeds=(0,)), [TRUE]),
        (Selection(models=()), []),
    ],
    ids=str,
)
def test_a_selected_cell_matches_every_axis_that_is_named(selection: Selection, kept: list[Cell]) -> None:
    assert [cell for cell in (TRUE, RANDOM, CROPPED) if selection.keeps(cell)] == kept
