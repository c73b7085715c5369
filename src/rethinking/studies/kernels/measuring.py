"""What an experiment takes: seconds by what they are spent on, memory, and whether there is enough of it."""

import contextlib
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from rethinking.errors import UserError
from rethinking.studies.kernels.gram import TILE, Gram

GIGABYTE = 1e9


class Stopwatch:
    """Seconds by name. A part that is timed within another one counts for itself and not for the other."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = defaultdict(float)
        self._running: list[str] = []
        self._since = 0.0

    @contextlib.contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Count the seconds of the block for `name`."""
        self._switch()
        self._running.append(name)
        try:
            yield
        finally:
            self._switch()
            self._running.pop()

    def timed(self, gram: Gram) -> Gram:
        """Return the same Gram matrix, whose tiles are counted for "gram"."""
        return _TimedGram(gram, self)

    def _switch(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)  # what was asked for is done only now
        now = time.perf_counter()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
        self._since = now


class _TimedGram:
    def __init__(self, gram: Gram, watch: Stopwatch) -> None:
        self.gram, self.watch = gram, watch
        self.places = gram.places

    def tile(self, row: int, column: int) -> Tensor:
        with self.watch.time("gram"):
            return self.gram.tile(row, column)


def forget_peak_memory(device: torch.device) -> None:
    """Let the peak of memory begin anew, where the system can: on a GPU, and on Linux."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with contextlib.suppress(OSError):  # then it is that of the whole process
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory(device: torch.device) -> float:
    """Return the most memory that was in use, in bytes: the GPU's, or all that the process had, libraries included."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return 1024.0 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)


def available_memory(device: torch.device) -> float | None:
    """Return the bytes that are free for this process, None where the system does not say.

    On Linux this is what could be had without swapping, or what a container or a scheduler leaves, if that is less.
    """
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        free = 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None
    return min([free, *_left_by_control_groups()])


def _left_by_control_groups() -> Iterator[float]:
    try:
        names = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        own = next(line.removeprefix("0::") for line in names if line.startswith("0::"))
    except (OSError, StopIteration):
        return
    root = Path("/sys/fs/cgroup")
    folder = root / own.lstrip("/")
    for group in (folder, *folder.parents):
        if group != root and root not in group.parents:
            return
        try:
            limit, used, parts = ((group / f"memory.{name}").read_text() for name in ("max", "current", "stat"))
        except OSError:
            continue
        cached = dict(line.split() for line in parts.splitlines()).get("inactive_file", "0")
        if limit.strip() != "max":
            yield float(limit) - float(used) + float(cached)


def triangle_bytes(examples: int, size: int = TILE) -> float:
    """Return the bytes of a lower triangle of float32 tiles."""
    rows = -(-examples // size)
    return 4.0 * min(examples, size) ** 2 * rows * (rows + 1) / 2


def require_memory(needed: float, device: torch.device, what: str, remedy: str) -> None:
    """Raise UserError if `needed` bytes are not free on the device: before the work, not in the middle of it."""
    there = available_memory(device)
    if there is not None and needed > there:
        raise UserError(
            f"{what} needs {needed / GIGABYTE:.1f} GB of memory and {there / GIGABYTE:.1f} GB are free on this "
            f"{'GPU' if device.type == 'cuda' else 'machine'}; {remedy}"
        )
