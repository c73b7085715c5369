"""Which one of the processes that torchrun has started this is. Free of torch, which takes seconds to import."""

import os
from typing import NamedTuple


class Launch(NamedTuple):
    """A process among those that train one network together."""

    rank: int
    """From 0; the process of rank 0 leads: it alone writes files and prints epochs."""
    size: int
    """Number of processes."""
    local_rank: int
    """Rank among the processes of this machine: the number of its GPU."""

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and prints."""
        return self.rank == 0


def launch() -> Launch:
    """Return what torchrun's environment variables say, or a process alone where they are not set."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    if not all(name in os.environ for name in names):
        return Launch(0, 1, 0)
    return Launch(*(int(os.environ[name]) for name in names))
