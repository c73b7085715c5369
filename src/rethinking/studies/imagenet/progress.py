"""How far a training on ImageNet has come, to the step, and its checkpoints."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rethinking.experiments.records import Row
from rethinking.studies.imagenet.seeds import derived_seed
from rethinking.training import checkpoint
from rethinking.training.devices import Execution
from rethinking.training.interruption import Interruption
from rethinking.training.optimiser import Optimiser
from rethinking.training.rhythm import Rhythm

CHECKPOINT_SECONDS = 300.0
"""Wall time between checkpoints: 290 MB each, for Inception V3. The environment variable of cells sets another."""

LOSS, TOP1, TOP5, SEEN, UNREADABLE = range(5)
"""Places of an epoch's sums."""


@dataclass
class Progress:
    """The evaluations so far, and the epoch that is under way."""

    rows: list[Row] = field(default_factory=list)
    epoch: int = 0
    """Counted from 0."""
    steps: int = 0
    """Taken in it."""
    sums: Tensor = field(default_factory=lambda: torch.zeros(5))
    """(5,) float32, on the device: of the epoch's examples that this process has seen."""
    started: float = field(default_factory=time.perf_counter)
    """When the training would have begun without interruptions."""

    @property
    def seconds(self) -> float:
        """Wall time that the training has taken."""
        return time.perf_counter() - self.started


@dataclass
class Keeper:
    """Brings a training to where its checkpoint left it, and checkpoints it on the way."""

    folder: Path
    identity: str
    execution: Execution
    network: nn.Module
    optimiser: Optimiser
    seed: int
    interruption: Interruption
    progress: Progress = field(default_factory=Progress)
    rhythm: Rhythm = field(init=False)

    def __post_init__(self) -> None:
        processes = self.execution.processes
        state = processes.of_leader(checkpoint.load(self.folder, self.identity) if processes.leads else None)
        self.begin_epoch(0)
        if state:
            self._restore(state)
        self.rhythm = Rhythm(processes, self.interruption, CHECKPOINT_SECONDS)

    def begin_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch, and seed the generator that dropout draws from: other masks each process."""
        self.progress.epoch, self.progress.steps = epoch, 0
        self.progress.sums = torch.zeros(5, device=self.execution.device)
        torch.manual_seed(derived_seed(self.seed, "dropout", epoch, self.execution.processes.rank))

    def after_step(self) -> None:
        """Write a checkpoint if it is time to. Raises Interrupted after writing one if the training is to stop."""
        self.rhythm.after_step(self.save, lambda: (self.progress.epoch, self.progress.steps))

    def save(self) -> None:
        """Write a checkpoint."""
        progress, processes = self.progress, self.execution.processes
        own = {"sums": progress.sums.cpu(), "random": self.execution.random_state()}
        state = {
            "rows": [dict(row) for row in progress.rows],
            "epoch": progress.epoch,
            "steps": progress.steps,
            "seconds": progress.seconds,
            "device": self.execution.device.type,
            "processes": processes.gathered(own),
        }
        if processes.leads:
            state |= {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}
            checkpoint.save(self.folder, self.identity, state)

    def _restore(self, state: dict[str, Any]) -> None:
        """Take over a state: what is left is exactly what would have been, on as many processes and the same device.

        On others every image is still shown once an epoch, and only dropout draws anew until the next one.
        """
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.begin_epoch(state["epoch"])
        progress, processes, parts = self.progress, self.execution.processes, state["processes"]
        progress.rows, progress.steps = list(state["rows"]), state["steps"]
        progress.started -= state["seconds"]
        if len(parts) == processes.size:
            progress.sums.copy_(parts[processes.rank]["sums"])
            if state["device"] == self.execution.device.type:
                self.execution.set_random_state(parts[processes.rank]["random"])
        elif processes.leads:
            progress.sums.copy_(torch.stack([part["sums"] for part in parts]).sum(dim=0))
