"""What the parts of a cell's name mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethinking.cells import Cell, Selection
from rethinking.errors import UserError
from rethinking.names import (
    Regularizer,
    base_model,
    model_width,
    subset,
    subset_slice,
    weight_decay_name,
    whole_dataset,
)


@pytest.mark.parametrize(
    ("name", "whole", "part"),
    [
        ("digits", "digits", None),
        ("digits-first300", "digits", "first300"),
        ("cifar10-part2of5", "cifar10", "part2of5"),
        ("digits-first0", "digits-first0", None),  # an unknown data set, which is refused as such
        ("digits-part0of5", "digits-part0of5", None),
    ],
)
def test_a_data_sets_name_may_end_in_a_subset(name: str, whole: str, part: str | None) -> None:
    assert (whole_dataset(name), subset(name)) == (whole, part)


@given(examples=st.integers(1, 3000), parts=st.integers(1, 40))
def test_parts_are_disjoint_complete_and_almost_equal(examples: int, parts: int) -> None:
    if parts > examples:
        with pytest.raises(UserError, match="at most"):
            subset_slice(f"part1of{parts}", examples)
        return
    slices = [subset_slice(f"part{number}of{parts}", examples) for number in range(1, parts + 1)]
    places = [place for found in slices for place in range(found.start, found.stop)]
    assert places == list(range(examples))
    sizes = [found.stop - found.start for found in slices]
    assert max(sizes) - min(sizes) <= 1


def test_the_first_examples_are_nested_and_cannot_be_more_than_there_are() -> None:
    assert subset_slice("first10", 30) == slice(0, 10)
    assert subset_slice(None, 30) == slice(0, 30)
    with pytest.raises(UserError, match="only 30"):
        subset_slice("first31", 30)
    with pytest.raises(UserError, match="parts 1 to 5 of 5"):
        subset_slice("part6of5", 30)


@pytest.mark.parametrize(
    ("name", "base", "width"),
    [("cnn-k8", "cnn", 8), ("cnn", "cnn", None), ("mlp-1x512", "mlp-1x512", None), ("mlp-1x512-k64", "mlp-1x512", 64)],
)
def test_a_models_name_may_end_in_a_width(name: str, base: str, width: int | None) -> None:
    assert (base_model(name), model_width(name)) == (base, width)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("none", Regularizer()),
        ("crop+flip", Regularizer(crop=True, flip=True)),
        ("flip+rotate", Regularizer(flip=True, rotate=True)),
        ("wd", Regularizer(weight_decay="model's")),
        ("crop+wd0.001", Regularizer(crop=True, weight_decay=0.001)),
        ("wd5e-05", Regularizer(weight_decay=5e-5)),
        ("wd+dropout", Regularizer(weight_decay="model's", dropout=True)),
    ],
)
def test_regularizers_are_combined_of_parts(name: str, meaning: Regularizer) -> None:
    assert Regularizer.parse(name) == meaning


@pytest.mark.parametrize("name", ["", "l2", "wd+crop", "crop+crop", "none+wd", "wd-1", "wd1.2.3", "crop+", "wdx"])
def test_anything_else_is_no_regularizer(name: str) -> None:
    with pytest.raises(UserError, match="is no regularizer"):
        Regularizer.parse(name)


@given(st.floats(1e-8, 10))
def test_a_weight_decays_name_says_its_coefficient(coefficient: float) -> None:
    found = Regularizer.parse(weight_decay_name(coefficient)).weight_decay
    assert found == pytest.approx(coefficient, rel=1e-5)
    assert weight_decay_name(0.0) == "none"


def test_a_selection_of_a_model_or_data_set_keeps_its_widths_and_subsets() -> None:
    cell = Cell("digits-part1of5", "cnn-k8", "true", "none", 0)
    assert cell.variant == ("digits", "true")
    assert Selection(models=("cnn",), datasets=("digits",)).keeps(cell)
    assert Selection(models=("cnn-k8",), datasets=("digits-part1of5",)).keeps(cell)
    assert not Selection(models=("cnn-k4",)).keeps(cell)
    assert not Selection(datasets=("digits-part2of5",)).keeps(cell)
