"""RMSProp as TensorFlow computes it, which trained Inception V3."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from rethinking.training.optimiser import Optimiser


@dataclass
class RMSProp(Optimiser):
    """Gradients over the root of their running mean square, with momentum.

    `torch.optim.RMSprop` adds epsilon to the root, begins the mean squares with 0 and multiplies by the learning rate
    after the momentum; here epsilon is below the root, they begin with 1, and the rate counts when it was. With an
    epsilon of 1, Inception V3's, that matters.
    """

    momentum: float
    decay: float
    epsilon: float
    squares: list[Tensor] = field(init=False)
    velocities: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.squares = [torch.ones_like(parameter) for parameter in self.parameters]
        self.velocities = [torch.zeros_like(parameter) for parameter in self.parameters]

    @torch.no_grad()
    def step(self) -> None:
        """Update in place: s = d s + (1 - d) g^2, v = m v + rate g / sqrt(s + epsilon), then w = w - v.

        The gradients g have weight decay in them.
        """
        gradients, parameters = self.gradients(), self.parameters
        for place, penalty in self.groups if self.weight_decay else []:
            gradients[place] = torch._foreach_add(gradients[place], parameters[place], alpha=penalty)
        torch._foreach_mul_(self.squares, self.decay)
        torch._foreach_addcmul_(self.squares, gradients, gradients, value=1 - self.decay)
        roots = torch._foreach_add(self.squares, self.epsilon)
        torch._foreach_sqrt_(roots)
        torch._foreach_mul_(self.velocities, self.momentum)
        torch._foreach_addcdiv_(self.velocities, gradients, roots, value=self.learning_rate)
        torch._foreach_sub_(self.parameters, self.velocities)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs to go on."""
        return {"squares": self.squares, "velocities": self.velocities}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the state of an interrupted run."""
        for name, mine in (("squares", self.squares), ("velocities", self.velocities)):
            for tensor, saved in zip(mine, state[name], strict=True):
                tensor.copy_(saved)
