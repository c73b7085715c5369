"""What makes two training runs the same one."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rethinking.recipe import Recipe, SeedPurpose

RECIPE = Recipe(
    dataset="digits",
    corruption="true",
    corruption_seed=20170226,
    crop_size=7,
    train_examples=None,
    model={"architecture": "mlp", "depth": 1, "width": 512, "initialisation": "truncated-normal"},
    random_crop=False,
    weight_decay=0.0,
    weight_decay_layers="all",
    dropout=0.0,
    flip=False,
    rotation_degrees=0.0,
    epochs=100,
    batch_size=32,
    initial_learning_rate=0.1,
    learning_rate_decay=0.985,
    momentum=0.9,
    seed=0,
)

OTHER: dict[str, Any] = {
    "dataset": "mnist",
    "corruption": "random-labels",
    "corruption_seed": 1,
    "crop_size": 8,
    "train_examples": 128,
    "model": {**RECIPE.model, "width": 511},
    "random_crop": True,
    "weight_decay": 5e-4,
    "weight_decay_layers": "fully-connected",
    "dropout": 0.5,
    "flip": True,
    "rotation_degrees": 25.0,
    "epochs": 101,
    "batch_size": 33,
    "initial_learning_rate": 0.100001,
    "learning_rate_decay": 0.95,
    "momentum": 0.0,
    "seed": 1,
    "train_subset": "part2of5",
    "loss": "squared",
    "optimiser": "adam",
    "learning_rate_schedule": "step",
    "learning_rate_period": 2,
    "train_evaluation_period": 10,
}


@pytest.mark.parametrize("field", Recipe.model_fields)
def test_every_setting_is_part_of_the_digest(field: str) -> None:
    changed = RECIPE.model_copy(update={field: OTHER[field]})
    assert changed.digest() != RECIPE.digest()
    assert changed.differences(RECIPE.model_dump()) == [f"{field} {getattr(RECIPE, field)} -> {OTHER[field]}"]


@pytest.mark.parametrize("option", RECIPE.model)
def test_every_option_of_the_model_is_part_of_the_digest(option: str) -> None:
    model = {**RECIPE.model, option: "other"}
    assert RECIPE.model_copy(update={"model": model}).digest() != RECIPE.digest()


def test_digest_is_a_contract() -> None:
    """Records name their recipe by it: another digest of the same settings would orphan every recorded run."""
    assert RECIPE.digest() == "b378bb13a41af075"


def test_digest_survives_being_recorded() -> None:
    stored = json.loads(json.dumps(RECIPE.model_dump()))
    assert Recipe(**stored).digest() == RECIPE.digest()
    assert RECIPE.differences(stored) == []


def test_order_of_the_models_options_does_not_matter() -> None:
    backwards = dict(reversed(RECIPE.model.items()))
    assert RECIPE.model_copy(update={"model": backwards}).digest() == RECIPE.digest()


def test_a_setting_that_only_the_record_knows_is_named() -> None:
    assert RECIPE.differences({**RECIPE.model_dump(), "warm_up": 5}) == ["warm_up 5 -> None"]


def test_a_recipe_holds_nothing_but_its_settings() -> None:
    with pytest.raises(ValidationError, match="device"):
        Recipe.model_validate({**RECIPE.model_dump(), "device": "cpu"})


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=5, unique=True))
def test_no_two_purposes_epochs_or_cells_share_a_seed(seeds: list[int]) -> None:
    derived = {
        RECIPE.model_copy(update={"seed": seed}).derived_seed(purpose, epoch)
        for seed in seeds
        for purpose in get_args(SeedPurpose)
        for epoch in range(5)
    }
    assert len(derived) == len(seeds) * 4 * 5
    assert all(0 <= seed < 2**63 for seed in derived)


def test_derived_seeds_are_a_contract() -> None:
    """A run resumed after an update goes on with the batches that an uninterrupted one would have seen."""
    assert RECIPE.derived_seed("batch order", 3) == 6857006115159860458


def test_corruptions_and_settings_share_the_seeds_of_training() -> None:
    """So that cells of one seed begin with the same weights and see batches in the same order."""
    changed = RECIPE.model_copy(update={"corruption": "random-labels", "epochs": 1})
    assert changed.derived_seed("initialisation") == RECIPE.derived_seed("initialisation")
