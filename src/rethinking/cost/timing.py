"""Clocks and medians: how long work takes on a device.

On a CPU, seconds are those that the core worked for the process, as other programs on the machine do not add to them.
"""

import resource
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rethinking.training.devices import Execution

TIMED_SECONDS = 3.0
"""Wall time over which work is timed at least."""
TIMED_STRETCHES = 5
"""Stretches that are timed at least: their median counts."""
STRETCH_SECONDS = 0.3
"""How long a stretch of training steps takes, about: reading the loss at its end makes a GPU wait, once for many."""


def alternately(*works: Callable[[], object], execution: "Execution") -> list[list[float]]:
    """Return the seconds that each of `works` takes, time after time: one after the other, so that all have the same
    disturbances."""
    taken: list[list[float]] = [[] for _ in works]
    started = time.perf_counter()
    while len(taken[0]) < TIMED_STRETCHES or time.perf_counter() - started < TIMED_SECONDS * len(works):
        for seconds, work in zip(taken, works, strict=True):
            seconds.append(timed(work, execution))
    return taken


def median(work: Callable[[], object], execution: "Execution") -> tuple[float, float]:
    """Return the median of the seconds that `work` takes, and CPU seconds a second meanwhile."""
    started = time.perf_counter(), time.process_time()
    (taken,) = alternately(work, execution=execution)
    return statistics.median(taken), (time.process_time() - started[1]) / (time.perf_counter() - started[0])


def timed(work: Callable[[], object], execution: "Execution") -> float:
    """Return the seconds that `work` takes: of the CPU where it trains on one, else of the wall."""
    started = clock(execution)
    work()
    return clock(execution) - started


def clock(execution: "Execution") -> float:
    """Read the clock: CPU seconds of this process and of the children that have ended, or those of the wall."""
    if execution.device.type != "cpu":
        return time.perf_counter()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
