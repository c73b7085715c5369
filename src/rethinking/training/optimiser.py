"""Stochastic gradient descent with momentum, and its schedule (Zhang et al. 2017, appendix A)."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from rethinking.recipe import Recipe


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """Return the learning rate of an epoch, counted from 0: initial rate times decay ** epoch."""
    return recipe.initial_learning_rate * recipe.learning_rate_decay**epoch


@dataclass
class SGD:
    """`torch.optim.SGD` with momentum, the same numbers without the three seconds that it needs to start.

    Any optimiser of torch's imports its compiler, which takes as long as importing torch, and many times as long as a
    step: a small cell would spend most of its time there.
    """

    decayed: list[nn.Parameter]
    """Parameters under weight decay."""
    free: list[nn.Parameter]
    weight_decay: float
    """Multiplies the weights in the gradient: a penalty of weight_decay/2 * |w|^2."""
    momentum: float
    learning_rate: float
    velocities: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.velocities = [torch.zeros_like(parameter) for parameter in self.parameters]

    @property
    def parameters(self) -> list[Tensor]:
        """All parameters, in the order of the velocities."""
        return [*self.decayed, *self.free]

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        for parameter in self.parameters:
            parameter.grad = None

    def gradients(self) -> list[Tensor]:
        """Return the gradients of the last backward pass, in the order of the parameters."""
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        if len(gradients) < len(self.velocities):
            raise RuntimeError("a parameter has no gradient: every parameter must be part of the loss")
        return gradients

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters in place: v = momentum * v + g + weight_decay * w, then w = w - learning_rate * v."""
        parameters, gradients = self.parameters, self.gradients()
        if self.weight_decay:
            count = len(self.decayed)
            decayed = torch._foreach_add(gradients[:count], parameters[:count], alpha=self.weight_decay)
            gradients = [*decayed, *gradients[count:]]
        torch._foreach_mul_(self.velocities, self.momentum)
        torch._foreach_add_(self.velocities, gradients)
        torch._foreach_add_(parameters, self.velocities, alpha=-self.learning_rate)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs to go on."""
        return {"velocities": self.velocities}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the state of an interrupted run."""
        for mine, saved in zip(self.velocities, state["velocities"], strict=True):
            mine.copy_(saved)


def sgd(network: nn.Module, recipe: Recipe) -> SGD:
    """Return the recipe's optimiser, decaying the weights (never the biases) of the layers that the recipe names.

    "hidden-linear" spares convolutions and the last layer, as TensorFlow's CIFAR-10 tutorial does.
    """
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    hidden = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][:-1]
    for layer in network.modules():
        chosen = recipe.weight_decay_layers == "all" or layer in hidden
        for name, parameter in layer.named_parameters(recurse=False):
            (decayed if chosen and name == "weight" else free).append(parameter)
    return SGD(decayed, free, recipe.weight_decay, recipe.momentum, learning_rate(recipe, 0))
