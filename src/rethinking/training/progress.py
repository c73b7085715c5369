"""How far a run has come, to the step: what it needs, besides network and optimiser, to go on from there."""

import time
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from rethinking.recipe import Recipe
from rethinking.records import Epoch
from rethinking.training.devices import Execution


@dataclass
class EpochInProgress:
    """An epoch that has begun. In several processes, each has one of its own; only sums and dropout's masks differ."""

    number: int
    """Counted from 0."""
    order: Tensor
    """(n,) int64, on the device: the examples, as they are visited."""
    augmentation: torch.Generator
    """Draws each batch's augmentation."""
    loss_sum: Tensor
    """Of the examples that this process has seen, before each step. Sums stay on the device: reading one back at every
    step would make the device wait for the interpreter."""
    correct: Tensor
    """int64: how many of them were classified as labelled."""
    steps: int = 0
    """Steps that have been taken."""
    started: float = field(default_factory=time.perf_counter)
    """When it would have begun without the interruptions."""

    @property
    def seconds(self) -> float:
        """Wall time that it has taken so far."""
        return time.perf_counter() - self.started

    @classmethod
    def begin(cls, recipe: Recipe, execution: Execution, examples: int, number: int) -> "EpochInProgress":
        """Return an epoch before its first step. Also seeds torch's global generator, which dropout draws from."""
        order_draws = execution.generator(recipe.derived_seed("batch order", number))
        # The processes of a run must not drop the same places of their parts.
        execution.seed(recipe.derived_seed("dropout", number) + execution.processes.rank)
        return cls(
            number,
            order=torch.randperm(examples, generator=order_draws, device=execution.device),
            augmentation=execution.generator(recipe.derived_seed("augmentation", number)),
            loss_sum=torch.zeros((), device=execution.device),
            correct=torch.zeros((), dtype=torch.int64, device=execution.device),
        )

    def state(self, execution: Execution) -> dict[str, Any]:
        """Return what `restored` needs, the same in all processes, which must all call it."""
        own = {"loss_sum": self.loss_sum.cpu(), "correct": self.correct.cpu(), "random": execution.random_state()}
        return {
            "number": self.number,
            "order": self.order.cpu(),
            "augmentation": self.augmentation.get_state(),
            "steps": self.steps,
            "seconds": self.seconds,
            "device": execution.device.type,
            "processes": execution.processes.gathered(own),
        }

    @classmethod
    def restored(cls, state: dict[str, Any], recipe: Recipe, execution: Execution) -> "EpochInProgress":
        """Return the epoch as it was when `state` was taken.

        What is left of it is exactly what would have been, if device and number of processes are the same. Every
        example is visited once in any case. On a device of another kind, generators begin anew for this epoch; so does
        dropout's in a process that there was none of.
        """
        epoch = cls.begin(recipe, execution, len(state["order"]), state["number"])
        # Not drawn again: another model of GPU may draw another order from the same seed.
        epoch.order.copy_(state["order"])
        epoch.steps = state["steps"]
        epoch.started -= state["seconds"]
        parts, processes = state["processes"], execution.processes
        if len(parts) == processes.size:
            epoch.loss_sum.copy_(parts[processes.rank]["loss_sum"])
            epoch.correct.copy_(parts[processes.rank]["correct"])
        elif processes.leads:
            epoch.loss_sum.copy_(sum(part["loss_sum"] for part in parts))
            epoch.correct.copy_(sum(part["correct"] for part in parts))
        if state["device"] == execution.device.type:
            epoch.augmentation.set_state(state["augmentation"])
            if processes.rank < len(parts):
                execution.set_random_state(parts[processes.rank]["random"])
        return epoch


@dataclass
class Progress:
    """The epochs that are finished, and the one that has begun after them, if any."""

    history: list[Epoch] = field(default_factory=list)
    epoch: EpochInProgress | None = None

    def finished(self, recipe: Recipe) -> bool:
        """Whether nothing is left to do: all epochs are trained, or the loss has left the finite numbers."""
        return len(self.history) >= recipe.epochs or (bool(self.history) and self.history[-1].diverged)

    def state(self, execution: Execution) -> dict[str, Any]:
        """Return what `restored` needs, the same in all processes, which must all call it."""
        return {
            "history": [epoch._asdict() for epoch in self.history],
            "epoch": self.epoch and self.epoch.state(execution),
        }

    @classmethod
    def restored(cls, state: dict[str, Any], recipe: Recipe, execution: Execution) -> "Progress":
        """Return the progress as it was when `state` was taken; see `EpochInProgress.restored`."""
        epoch = state["epoch"] and EpochInProgress.restored(state["epoch"], recipe, execution)
        return cls([Epoch(**epoch) for epoch in state["history"]], epoch)
