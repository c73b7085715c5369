"""Gradient steps and their schedule, against the arithmetic written out."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from rethinking.cells import Cell
from rethinking.models import build
from rethinking.params_file import load_params
from rethinking.recipe import Recipe
from rethinking.training.devices import Execution
from rethinking.training.optimiser import Optimiser, learning_rate, optimiser_of
from rethinking.training.steps import step

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "paper")
CPU = Execution(torch.device("cpu"), torch.float32)


def recipe(model: str = "mlp-1x512", regularizer: str = "none", **changes: object) -> Recipe:
    return PARAMS.recipe(Cell("cifar10", model, "true", regularizer, 0)).model_copy(update=changes)


def decayed(model: str, regularizer: str) -> tuple[set[str], float]:
    """Return the names of the parameters whose weights decay, and the coefficient."""
    resolved = recipe(model, regularizer)
    network = build(resolved, (3, 28, 28), 10)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    optimiser = optimiser_of(network, resolved)
    assert sorted(names[id(p)] for p in optimiser.parameters) == sorted(names.values())
    chosen = optimiser.decayed if optimiser.weight_decay else []
    return {names[id(p)] for p in chosen}, optimiser.weight_decay


@pytest.mark.parametrize(
    ("epoch", "rate"), [(0, 0.1), (10, 0.0599), (36, 0.0158), (69, 0.0029)], ids=lambda value: str(value)
)
def test_inceptions_learning_rate_decays_by_a_twentieth_an_epoch(epoch: int, rate: float) -> None:
    assert learning_rate(recipe("inception"), epoch, 0) == pytest.approx(rate, abs=5e-5)


@pytest.mark.parametrize(("epoch", "rate"), [(31, 0.00204), (48, 0.00085), (56, 0.00057)])
def test_the_other_models_begin_at_a_tenth_of_it(epoch: int, rate: float) -> None:
    assert learning_rate(recipe("alexnet"), epoch, 0) == pytest.approx(rate, abs=5e-6)


def test_all_epochs_together_move_no_further_than_twenty_at_the_initial_rate() -> None:
    assert sum(learning_rate(recipe("inception"), epoch, 0) for epoch in range(5000)) == pytest.approx(20 * 0.1)


def test_a_step_schedule_falls_after_every_period_of_epochs() -> None:
    resolved = recipe(
        initial_learning_rate=0.1, learning_rate_schedule="step", learning_rate_decay=0.1, learning_rate_period=200
    )
    rates = [learning_rate(resolved, epoch, 0) for epoch in (0, 199, 200, 399, 400)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001])


def test_an_inverse_root_schedule_goes_by_gradient_steps() -> None:
    """Nakkiran et al. 2019, appendix B: rate / sqrt(1 + floor(t / 512))."""
    resolved = recipe(initial_learning_rate=0.1, learning_rate_schedule="inverse-sqrt", learning_rate_period=512)
    rates = [learning_rate(resolved, 9, step) for step in (0, 511, 512, 3 * 512)]
    assert rates == pytest.approx([0.1, 0.1, 0.1 / 2**0.5, 0.05])


def test_weights_decay_only_under_weight_decay() -> None:
    for regularizer in ("none", "crop", "dropout", "flip+rotate"):
        assert decayed("inception", regularizer) == (set(), 0.0)


@pytest.mark.parametrize("model", ["inception", "inception-nobn", "mlp-1x512", "mlp-3x512"])
def test_every_weight_decays_and_no_bias(model: str) -> None:
    network = build(recipe(model), (3, 28, 28), 10)
    weights = {name for name, _ in network.named_parameters() if name.endswith("weight")}
    assert decayed(model, "wd") == (weights, 0.0005)


def test_alexnets_convolutions_and_last_layer_do_not_decay() -> None:
    """As in TensorFlow's tutorial, whose coefficient it is."""
    network = build(recipe("alexnet"), (3, 28, 28), 10)
    linear = [f"{name}.weight" for name, layer in network.named_modules() if isinstance(layer, nn.Linear)]
    assert len(linear) == 3
    assert decayed("alexnet", "wd") == (set(linear[:2]), 0.004)


@pytest.mark.parametrize("decay", [0.0, 0.25])
@pytest.mark.parametrize("layers", ["all", "hidden-linear"])
def test_three_steps_are_those_of_momentum_written_out(decay: float, layers: str) -> None:
    """v <- 0.9 v + (g + decay w); w <- w - rate v, with decay for weights alone; on a quadratic-free network."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 4))
    resolved = recipe(weight_decay=decay, weight_decay_layers=layers, initial_learning_rate=0.1, momentum=0.9)
    optimiser = optimiser_of(network, resolved)
    images, labels = torch.randn(3, 5, 1, 4, 4), torch.randint(4, (3, 5))

    weights = {name: p.detach().clone().requires_grad_() for name, p in network.named_parameters()}
    velocity = {name: torch.zeros_like(p) for name, p in weights.items()}
    for batch, target in zip(images, labels, strict=True):
        loss = nn.functional.cross_entropy(torch.func.functional_call(network, weights, (batch,)), target)
        found, logits = step(network, optimiser, resolved, CPU, batch, target, len(batch))
        torch.testing.assert_close(found, loss.detach())
        assert logits.shape == (5, 4)
        gradients = dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))
        for name in weights:
            decays = name.endswith("weight") and (layers == "all" or name.startswith("3."))
            pull: Tensor = gradients[name] + (decay * weights[name].detach() if decays else 0.0)
            velocity[name] = 0.9 * velocity[name] + pull
            weights[name] = (weights[name].detach() - 0.1 * velocity[name]).requires_grad_()

    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter, weights[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adam"])
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_steps_are_those_of_torchs_own_optimiser(decay: float, name: str) -> None:
    """Ten steps, as of its fused kernels bit for bit, as of its plain arithmetic up to rounding."""
    networks = []
    for _ in range(3):
        torch.manual_seed(0)
        layers = nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)
        networks.append(nn.Sequential(*layers).to(memory_format=torch.channels_last))
    resolved = recipe(weight_decay=decay, initial_learning_rate=0.1, momentum=0.9, optimiser=name)
    optimisers: list[Optimiser | torch.optim.Optimizer] = [optimiser_of(networks[0], resolved)]
    for network, way in zip(networks[1:], ("fused", "foreach"), strict=True):
        weights = [p for name, p in network.named_parameters() if name.endswith("weight")]
        biases = [p for name, p in network.named_parameters() if name.endswith("bias")]
        groups: list[dict[str, Any]] = [{"params": weights, "weight_decay": decay}, {"params": biases}]
        optimisers.append(
            torch.optim.SGD(groups, lr=0.1, momentum=0.9, **{way: True})
            if name == "sgd"
            else torch.optim.Adam(groups, lr=0.1, **{way: True})  # type: ignore[arg-type]
        )
    for _ in range(10):
        images, labels = torch.randn(8, 2, 4, 4), torch.randint(3, (8,))
        for optimiser, network in zip(optimisers, networks, strict=True):
            optimiser.zero_grad()
            torch.autograd.backward(nn.functional.cross_entropy(network(images), labels))
            optimiser.step()
    ours, fused, plain = (list(network.parameters()) for network in networks)
    torch.testing.assert_close(ours, fused, rtol=0, atol=0)
    torch.testing.assert_close(ours, plain, rtol=1e-5, atol=1e-6)


def test_adam_goes_on_from_its_state() -> None:
    """Three steps, saved and loaded, and two more are five steps."""
    ends = []
    for stop in (None, 3):
        torch.manual_seed(0)
        network = nn.Linear(4, 3)
        optimiser = optimiser_of(network, recipe(optimiser="adam"))
        for number in range(5):
            if number == stop:
                state = {key: copy.deepcopy(value) for key, value in optimiser.state_dict().items()}
                optimiser = optimiser_of(network, recipe(optimiser="adam"))
                optimiser.load_state_dict(state)
            optimiser.zero_grad()
            torch.autograd.backward(network(torch.ones(2, 4)).square().sum())
            optimiser.step()
        ends.append(network.weight.detach().clone())
    assert torch.equal(*ends)


def test_masked_weights_decay_as_the_weights_that_they_are() -> None:
    network = build(recipe("mlp-1x512", "wd"), (3, 28, 28), 10)
    last = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
    prune.l1_unstructured(last, "weight", amount=0.5)  # type: ignore[no-untyped-call]
    decayed = optimiser_of(network, recipe("mlp-1x512", "wd")).decayed
    assert any(parameter is last.weight_orig for parameter in decayed)


def test_a_parameter_outside_the_loss_is_a_defect_that_shows() -> None:
    network = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match="no gradient"):
        optimiser_of(network, recipe()).step()


def test_training_does_not_load_torchs_compiler() -> None:
    """It takes as long to import as torch itself: several times what a small cell trains."""
    code = """
import sys, torch
from rethinking.training import devices, optimiser, run, steps
network = torch.nn.Linear(2, 2)
from rethinking.params_file import load_params
from rethinking.cells import Cell
recipe = load_params(preset="smoke").recipe(Cell("digits", "mlp-1x512", "true", "none", 0))
sgd = optimiser.SGD(list(network.parameters()), [], 0.1, 0.1, 0.9)
execution = devices.Execution(torch.device("cpu"), torch.float32)
steps.step(network, sgd, recipe, execution, torch.ones(1, 2), torch.zeros(1, dtype=torch.int64), 1)
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).resolve().parents[2])
