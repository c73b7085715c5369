"""Optimisers and schedules: stochastic gradient descent with momentum (Zhang et al. 2017, appendix A), and Adam."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from rethinking.recipe import Recipe


def learning_rate(recipe: Recipe, epoch: int, step: int) -> float:
    """Return the learning rate of a gradient step of an epoch, both counted from 0, steps over all epochs.

    - exponential: initial rate * decay ** epoch (Zhang et al. 2017);
    - step: multiplied by the decay after every `learning_rate_period` epochs (Yang et al. 2020);
    - inverse-sqrt: initial rate / sqrt(1 + floor(step / period)), the period in gradient steps (Nakkiran et al. 2019).
    """
    period = recipe.learning_rate_period
    match recipe.learning_rate_schedule:
        case "exponential":
            factor = recipe.learning_rate_decay**epoch
        case "step":
            factor = recipe.learning_rate_decay ** (epoch // period)
        case "inverse-sqrt":
            factor = 1 / math.sqrt(1 + step // period)
    return recipe.initial_learning_rate * factor


@dataclass
class Optimiser(ABC):
    """Updates parameters from the gradients of the last backward pass."""

    decayed: list[nn.Parameter]
    """Parameters under weight decay."""
    free: list[nn.Parameter]
    weight_decay: float
    """Multiplies the weights in the gradient: a penalty of weight_decay/2 * |w|^2."""
    learning_rate: float
    rate_on_device: Tensor | None = field(default=None, init=False)
    """The learning rate, float32, where steps are recorded and read it on the device. Who sets one sets the other."""

    def __post_init__(self) -> None:
        count = len(self.decayed)
        parts = [(slice(count), self.weight_decay), (slice(count, None), 0.0)]
        whole = [(slice(None), 0.0)]
        self.groups = [part for part in (parts if self.weight_decay else whole) if self.parameters[part[0]]]
        """Parameters that one call updates: where they are among all, and their weight decay."""

    @property
    def rate(self) -> float | Tensor:
        """The learning rate as the kernels take it."""
        return self.learning_rate if self.rate_on_device is None else self.rate_on_device

    @property
    def parameters(self) -> list[Tensor]:
        """All parameters, those under weight decay first."""
        return [*self.decayed, *self.free]

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        for parameter in self.parameters:
            parameter.grad = None

    def gradients(self) -> list[Tensor]:
        """Return the gradients of the last backward pass, in the order of the parameters."""
        gradients = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        if len(gradients) < len(self.parameters):
            raise RuntimeError("a parameter has no gradient: every parameter must be part of the loss")
        return gradients

    @abstractmethod
    def step(self) -> None:
        """Update the parameters in place."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs to go on."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the state of an interrupted run."""


@dataclass
class SGD(Optimiser):
    """`torch.optim.SGD` with momentum, the same numbers without the three seconds that it needs to start.

    Any optimiser of torch's imports its compiler, which takes as long as importing torch, and many times as long as a
    step: a small cell would spend most of its time there. What they call in the end is called here: kernels that read
    and write each number once. A perceptron's step in bfloat16 takes half as long with them.
    """

    momentum: float
    velocities: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.velocities = [torch.zeros_like(parameter) for parameter in self.parameters] if self.momentum else []

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters in place: v = momentum * v + g + weight_decay * w, then w = w - learning_rate * v."""
        parameters, gradients = self.parameters, self.gradients()
        for place, penalty in self.groups:
            torch._fused_sgd_(
                parameters[place],
                gradients[place],
                self.velocities[place],
                weight_decay=penalty,
                momentum=self.momentum,
                lr=self.rate,
                dampening=0.0,
                nesterov=False,
                maximize=False,
                is_first_step=False,
            )

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs to go on."""
        return {"velocities": self.velocities}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the state of an interrupted run."""
        for mine, saved in zip(self.velocities, state["velocities"], strict=True):
            mine.copy_(saved)


@dataclass
class Adam(Optimiser):
    """`torch.optim.Adam` with its usual constants, the same numbers without the seconds that it needs to start."""

    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    steps: Tensor = field(init=False)
    """How many have been taken; the kernels read it on the device."""
    means: list[Tensor] = field(init=False)
    squares: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.steps = torch.zeros((), device=self.parameters[0].device)
        self.means = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in self.parameters]

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters in place (Kingma & Ba 2015); weight decay is part of the gradient, as in torch's."""
        parameters, gradients = self.parameters, self.gradients()
        self.steps += 1
        for place, penalty in self.groups:
            torch._fused_adam_(
                parameters[place],
                gradients[place],
                self.means[place],
                self.squares[place],
                [],
                [self.steps] * len(parameters[place]),
                lr=self.rate,
                beta1=self.betas[0],
                beta2=self.betas[1],
                weight_decay=penalty,
                eps=self.epsilon,
                amsgrad=False,
                maximize=False,
            )

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs to go on."""
        return {"steps": self.steps, "means": self.means, "squares": self.squares}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the state of an interrupted run."""
        mine, saved = ([at["steps"], *at["means"], *at["squares"]] for at in (self.state_dict(), state))
        for tensor, value in zip(mine, saved, strict=True):
            tensor.copy_(value)


def optimiser_of(network: nn.Module, recipe: Recipe) -> Optimiser:
    """Return the recipe's optimiser, decaying the weights (never the biases) of the layers that the recipe names.

    "hidden-linear" spares convolutions and the last layer, as TensorFlow's CIFAR-10 tutorial does. Weights that
    `torch.nn.utils.prune` masks count as the weights that they are.
    """
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    hidden = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][:-1]
    for layer in network.modules():
        chosen = recipe.weight_decay_layers == "all" or layer in hidden
        for name, parameter in layer.named_parameters(recurse=False):
            (decayed if chosen and name in ("weight", "weight_orig") else free).append(parameter)
    rate = learning_rate(recipe, 0, 0)
    if recipe.optimiser == "adam":
        return Adam(decayed, free, recipe.weight_decay, rate)
    return SGD(decayed, free, recipe.weight_decay, rate, recipe.momentum)
