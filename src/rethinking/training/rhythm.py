"""When a training writes a checkpoint, and when it stops."""

import os
import time
from collections.abc import Callable

from rethinking.errors import UserError
from rethinking.training.distributed import Processes
from rethinking.training.interruption import Interrupted, Interruption

CHECKPOINT_VARIABLE = "RETHINKING_CHECKPOINT_SECONDS"
"""Environment variable that sets another time between checkpoints; 0 for a checkpoint after every step."""

_STOP = 128
"""Added to the number of the signal that asks to stop: more than whether it is time to save, which is 0 or 1."""


class Rhythm:
    """Has a checkpoint written whenever some time has passed, and before a training stops because it was asked to."""

    def __init__(self, processes: Processes, interruption: Interruption, seconds: float) -> None:
        """`seconds` of wall time lie between checkpoints, unless the environment says otherwise.

        Raises UserError if it says what is no number.
        """
        self._processes, self._interruption = processes, interruption
        self._seconds = _from_environment(seconds)
        self._saved = time.monotonic()

    def after_step(self, save: Callable[[], None], place: Callable[[], tuple[int, int]]) -> None:
        """Call `save` if it is time to; all processes call this equally often, and save or stop together.

        Raises Interrupted after that if the training is to stop; `place` then tells finished epochs and steps after
        them.
        """
        signal_number = self._interruption.signal_number
        wanted = time.monotonic() - self._saved >= self._seconds if signal_number is None else _STOP + signal_number
        # All processes of a run must save, or stop, after the same step: the one that wants most has its way.
        agreed = self._processes.largest(wanted)
        if agreed:
            save()
            self._saved = time.monotonic()
        if agreed > _STOP:
            self._processes.largest(0)  # torchrun ends the others as soon as one has ended
            raise Interrupted(*place(), agreed - _STOP)


def _from_environment(default: float) -> float:
    text = os.environ.get(CHECKPOINT_VARIABLE)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{CHECKPOINT_VARIABLE}={text}: must be a number of seconds, for example 30") from None
