"""Asking a run to stop after its current step, so that the next start goes on exactly there.

Free of torch, which takes seconds to import.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
"""What Slurm sends before it preempts a job or its time is over, and what Ctrl-C sends."""


class Interrupted(Exception):
    """A run has stopped because it was asked to; its checkpoint holds all that it has done."""

    def __init__(self, epochs: int, steps: int, signal_number: int) -> None:
        self.epochs = epochs
        """Epochs that are finished."""
        self.steps = steps
        """Steps taken in the epoch after those; all of them if only its evaluation is left."""
        self.exit_status = 128 + signal_number
        """What a shell reports of a process that this signal has ended: 143 for SIGTERM, 130 for SIGINT."""
        super().__init__(epochs, steps, signal_number)

    def __str__(self) -> str:
        """Say where the run stands, with epochs counted from 1."""
        place = f"step {self.steps} of epoch {self.epochs + 1}" if self.steps else f"epoch {self.epochs}"
        return f"interrupted after {place}"


class Interruption:
    """Whether a run has been asked to stop. Looking costs nothing, so a run looks after every step.

    Signals ask within `on_signals`; another thread, or whatever else decides it, calls `request`.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        """The signal that asked, or that a request stands for; None as long as nobody has asked."""

    @property
    def requested(self) -> bool:
        """Whether the run is to stop."""
        return self.signal_number is not None

    def request(self, signal_number: int = signal.SIGTERM) -> None:
        """Ask the run to stop, as if by this signal. May be called from any thread."""
        self.signal_number = int(signal_number)

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT ask within the block, instead of ending the process, and put their handlers back.

        A signal that the process ignores, as Ctrl-C is for a shell's background jobs, stays ignored. Only the main
        thread may handle signals: in others the block changes nothing.
        """
        before = {}
        if threading.current_thread() is threading.main_thread():
            before = {number: signal.getsignal(number) for number in SIGNALS}
            before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
        try:
            for number in before:
                signal.signal(number, self._handle)
            yield
        finally:
            for number, handler in before.items():
                # None is a handler that C code has installed, which Python cannot put back.
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _handle(self, signal_number: int, frame: FrameType | None) -> None:
        self.request(signal_number)
