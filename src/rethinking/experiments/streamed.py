"""Experiments on data that no memory holds: read from a folder of this machine while they run, by several processes."""

import os
from dataclasses import dataclass
from pathlib import Path

from rethinking.cells import Cell
from rethinking.experiments.experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class StreamedExperiment(Experiment):
    """One whose data lie outside the project. What stands here beside an experiment's own has no say in its digest."""

    stands_for: Cell
    """Its data set, model, corruption, regularizer and seed, as a cell would have them: what narrows a run to it."""
    folder: Path | None
    """Where its data lie on this machine; None where nobody has said."""
    readers: int | None
    """Processes that read data for each that trains; None for what the device suggests."""

    def readers_for(self, device: str, threads: int) -> int:
        """Return the processes that read for one that trains on a device of this type with so many threads.

        A GPU leaves the cores to them, and on a CPU a process that reads takes a core from one that trains.
        """
        if self.readers is not None:
            return self.readers
        return min(threads, os.cpu_count() or 1) if device != "cpu" else 0
