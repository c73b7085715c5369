"""Gradient steps, one after the other."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rethinking.data.images import DeviceImages
from rethinking.recipe import Recipe
from rethinking.training.devices import Execution
from rethinking.training.losses import summed_loss
from rethinking.training.optimiser import Optimiser
from rethinking.training.progress import EpochInProgress


@dataclass
class Steps:
    """Takes a run's gradient steps."""

    network: nn.Module
    optimiser: Optimiser
    recipe: Recipe
    execution: Execution
    split: DeviceImages

    def under_way(self) -> AbstractContextManager[object]:
        """Return the context in which steps are taken."""
        return nullcontext()

    def take(self, epoch: EpochInProgress, index: Tensor, rate: float) -> None:
        """Take the step on the batch of the examples at `index`, (m,) int64, at a learning rate.

        Of a batch, each process has a part. What its part gives before the step is added to the sums of `epoch`.
        """
        self.optimiser.learning_rate = rate
        self.compute(epoch, index)

    def compute(self, epoch: EpochInProgress, index: Tensor) -> None:
        """Do what a step does on the device, where all of its numbers stay."""
        part = self.execution.processes.part(len(index))
        images, labels = self.split.batch(index[part.place], epoch.augmentation, part)
        loss, logits = step(self.network, self.optimiser, self.recipe, self.execution, images, labels, len(index))
        epoch.loss_sum += loss * len(index)
        epoch.correct += (logits.argmax(dim=1) == labels).sum()


def step(
    network: nn.Module,
    optimiser: Optimiser,
    recipe: Recipe,
    execution: Execution,
    images: Tensor,
    labels: Tensor,
    examples: int,
) -> tuple[Tensor, Tensor]:
    """Take one gradient step on a batch of so many examples, of which `images` are this process's part.

    Returns the part's share of the batch's mean loss before the step, which is all of it for a process alone, and the
    part's logits; both are detached.
    """
    with execution.autocast:
        logits = network(images)
    loss = summed_loss(recipe, logits.float(), labels) / examples
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    execution.processes.add_up(*optimiser.gradients())
    optimiser.step()
    return loss.detach(), logits.detach()
