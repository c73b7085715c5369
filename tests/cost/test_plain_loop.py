"""What training is compared with in speed gives the same: both loops on the same batches, from the same weights."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from rethinking.cells import Cell
from rethinking.cost import plain_loop
from rethinking.cost.work import random_examples
from rethinking.data.images import DeviceImages
from rethinking.models import build
from rethinking.params_file import load_params
from rethinking.recipe import Recipe
from rethinking.training.devices import Execution
from rethinking.training.evaluate import evaluate
from rethinking.training.loop import one_epoch
from rethinking.training.optimiser import optimiser_of
from rethinking.training.progress import EpochInProgress
from rethinking.training.steps import Steps

PAPER = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "paper")
CPU = torch.device("cpu")
EXAMPLES = 40
"""Two batches and a smaller one."""


def recipe(model: str, regularizer: str = "none", dataset: str = "cifar10") -> Recipe:
    """At every model's initial rate, but for Inception's, at which rounding grows tenfold with each step here."""
    changes = {"batch_size": 16, "initial_learning_rate": 0.01}
    return PAPER.recipe(Cell(dataset, model, "true", regularizer, 0)).model_copy(update=changes)


def both(resolved: Recipe, precision: torch.dtype = torch.float32) -> tuple[list[nn.Module], list[list[float]]]:
    """Train an epoch by each loop; return the networks, and each one's losses and accuracies: online and evaluated."""
    torch.manual_seed(0)
    images, labels = random_examples(resolved, EXAMPLES)
    ours = build(resolved, (images.shape[1], resolved.crop_size, resolved.crop_size), 10)
    plain = copy.deepcopy(ours)
    ours = ours.to(memory_format=torch.channels_last)
    execution = Execution(CPU, precision)
    begun = EpochInProgress.begin(resolved, execution, EXAMPLES, 0)
    split = DeviceImages(images, labels, resolved, augment=False)
    ours.train()
    online = one_epoch(Steps(ours, optimiser_of(ours, resolved), resolved, execution, split), begun)
    loader = plain_loop.batches(images, labels, resolved, train=True, order=begun.order.tolist())
    theirs = plain_loop.train_epoch(plain, plain_loop.optimiser(plain, resolved), loader, CPU)
    evaluation = plain_loop.batches(images, labels, resolved, train=False)
    return [ours, plain], [
        [*online, *evaluate(ours, split)],
        [*theirs, *plain_loop.evaluate(plain, evaluation, CPU)],
    ]


@pytest.mark.parametrize(
    ("model", "regularizer", "dataset", "tolerance"),
    [
        ("mlp-1x512", "none", "cifar10", 1e-6),
        ("mlp-3x512", "wd", "mnist", 1e-6),
        ("alexnet", "none", "cifar10", 1e-5),
        ("inception", "none", "cifar10", 2e-3),
        ("inception-nobn", "wd", "cifar10", 5e-3),
        ("inception", "none", "mnist", 2e-3),
    ],
)
def test_in_float32_both_loops_give_the_same_up_to_rounding(
    model: str, regularizer: str, dataset: str, tolerance: float
) -> None:
    """After three steps; convolutions add up in another order, and Inception has fourteen layers of them."""
    resolved = recipe(model, regularizer, dataset)
    networks, (ours, theirs) = both(resolved)
    assert ours == pytest.approx(theirs, rel=1e-3)
    assert apart(*networks) < tolerance
    _, others = both(resolved.model_copy(update={"initial_learning_rate": 0.012}))[0]
    assert apart(networks[0], others) > 2 * tolerance, "the comparison sees another learning rate"


@pytest.mark.parametrize("model", ["mlp-1x512", "alexnet", "inception"])
def test_in_bfloat16_they_do_so_to_its_digits(model: str) -> None:
    networks, ((loss, *_), (theirs, *_)) = both(recipe(model), torch.bfloat16)
    assert loss == pytest.approx(theirs, rel=2e-3)
    assert apart(*networks) < 2e-2


@pytest.mark.parametrize("regularizer", ["crop", "flip+rotate"])
def test_the_plain_loop_augments_each_image_anew(regularizer: str) -> None:
    resolved = recipe("mlp-1x512", regularizer)
    images, labels = random_examples(resolved, 4)
    loader = plain_loop.batches(images, labels, resolved, train=True, order=[0, 0, 0, 0])
    (batch, _) = next(iter(loader))
    assert batch.shape == (4, 3, 28, 28)
    assert not torch.equal(batch[0], batch[1])
    (evaluated, _) = next(iter(plain_loop.batches(images, labels, resolved, train=False)))
    assert largest(evaluated - DeviceImages(images, labels, resolved, augment=False).stored) < 1e-5


def apart(one: nn.Module, other: nn.Module) -> float:
    """Return the largest difference of two weights, in units of the largest of their tensor, or of 0.01 if it is less.

    Biases before batch normalisation have no effect, and are moved by nothing but rounding.
    """
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(largest(mine - plain) / max(largest(plain), 0.01) for mine, plain in pairs)


def largest(values: Tensor) -> float:
    return float(values.detach().abs().max())
