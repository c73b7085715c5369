"""The losses that training minimises, against their definitions."""

from pathlib import Path

import pytest
import torch

from rethinking.cells import Cell
from rethinking.params_file import load_params
from rethinking.training.losses import summed_loss

RECIPE = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke").recipe(
    Cell("digits", "mlp-1x512", "true", "none", 0)
)


def test_cross_entropy_is_the_log_of_the_probability_at_the_label() -> None:
    outputs, labels = torch.randn(7, 10), torch.arange(7)
    expected = -outputs.softmax(dim=1)[range(7), labels].log().sum()
    torch.testing.assert_close(summed_loss(RECIPE, outputs, labels), expected)


def test_squared_loss_is_the_mean_over_classes_of_squared_differences_from_one_hot_labels() -> None:
    squared = RECIPE.model_copy(update={"loss": "squared"})
    labels = torch.tensor([3, 0])
    assert summed_loss(squared, torch.eye(10)[labels], labels) == 0
    assert summed_loss(squared, torch.zeros(2, 10), labels).item() == pytest.approx(2 * 0.1)
    assert summed_loss(squared, torch.full((1, 10), 0.5), labels[:1]).item() == pytest.approx(0.25)
