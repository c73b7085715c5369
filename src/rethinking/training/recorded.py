"""Gradient steps that a device has recorded and repeats by itself."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from rethinking.data.images import DeviceImages
from rethinking.recipe import Recipe
from rethinking.training.cuda_graph import CudaGraph
from rethinking.training.devices import Execution
from rethinking.training.optimiser import Optimiser
from rethinking.training.progress import EpochInProgress
from rethinking.training.steps import Steps

WARMING_UP = 3
"""Steps before the recording: in the first, libraries choose kernels and take memory, which no recording may hold."""


class Recorder(Protocol):
    """Has a device record work, and repeat it as a whole."""

    def under_way(self) -> AbstractContextManager[object]:
        """Return the context in which work is done, recorded and repeated."""

    def record(self, work: Callable[[], None], draws: torch.Generator) -> Callable[[], None]:
        """Return what repeats `work`, on the tensors that it reads and writes now, and with further draws of `draws`.

        Recording leaves all tensors as they are.
        """


@dataclass
class RecordedSteps(Steps):
    """The same operations on the same numbers: the step of a whole batch is recorded once and then repeated.

    A step of these networks is hundreds of operations of some microseconds each; an interpreter takes longer to hand
    them to a GPU, one by one, than the GPU takes for them. What a recording reads and writes stays where it was: index
    and rate are brought there before each repetition, the sums and draws of an epoch before its first one.
    """

    recorder: Recorder
    _taken: int = field(default=0, init=False)
    _repeat: Callable[[], None] | None = field(default=None, init=False)
    _index: Tensor = field(init=False)
    _sums: tuple[Tensor, Tensor] = field(init=False)
    _draws: torch.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.optimiser.rate_on_device = torch.full((), self.optimiser.learning_rate, device=self.execution.device)

    def under_way(self) -> AbstractContextManager[object]:
        """Return the context in which steps are taken."""
        return self.recorder.under_way()

    def take(self, epoch: EpochInProgress, index: Tensor, rate: float) -> None:
        """Take a step as `Steps.take` does: the last, smaller batch of an epoch as it comes."""
        assert self.optimiser.rate_on_device is not None
        if rate != self.optimiser.learning_rate:
            self.optimiser.rate_on_device.fill_(rate)
        self.optimiser.learning_rate = rate
        self._taken += 1
        if self._taken <= WARMING_UP or len(index) < self.recipe.batch_size:
            self.compute(epoch, index)
        else:
            self._repetition(epoch, index)()

    def _repetition(self, epoch: EpochInProgress, index: Tensor) -> Callable[[], None]:
        """Return what repeats the recording, on this batch and for this epoch; record first if that is to be done."""
        if self._repeat is None:
            self._index, self._sums, self._draws = index.clone(), (epoch.loss_sum, epoch.correct), epoch.augmentation
            self._repeat = self.recorder.record(lambda: self.compute(epoch, self._index), self._draws)
            return self._repeat
        self._index.copy_(index)
        if epoch.augmentation is not self._draws:
            self._draws.set_state(epoch.augmentation.get_state())
            for mine, of_epoch in zip(self._sums, (epoch.loss_sum, epoch.correct), strict=True):
                mine.copy_(of_epoch)
            epoch.augmentation, (epoch.loss_sum, epoch.correct) = self._draws, self._sums
        return self._repeat


def steps_of(
    network: nn.Module, optimiser: Optimiser, recipe: Recipe, execution: Execution, split: DeviceImages
) -> Steps:
    """Return a run's steps: recorded where a GPU trains a network by itself, unless the settings want it otherwise."""
    if execution.records:
        recorder = CudaGraph(execution.device)
        return RecordedSteps(network, optimiser, recipe, execution, split, recorder)
    return Steps(network, optimiser, recipe, execution, split)
