"""One client's cell, from request to answer: which worker trains it, and what becomes of it when something ends."""

import selectors
import signal
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from rethinking.trainer import messages
from rethinking.trainer.messages import VARIABLE, Answer, Request, receive, send
from rethinking.trainer.pool import Kind, Pool, Worker

_REUSABLE = (0, 2)
"""Statuses after which a worker is in order: the cell is trained, or a person has to put something right first. After
anything else, an interruption too, its state is not relied upon."""

_INTERRUPTED = 128 + signal.SIGTERM
"""What a worker says that has stopped because it was asked to."""


class OneCell:
    """A cell that a client waits for."""

    def __init__(self, client: socket.socket, request: Request, outputs: Sequence[int]) -> None:
        """`outputs` are the client's standard output and error."""
        self._client = client
        self._request = request
        self._outputs = outputs
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._interruption = 0
        """The signal that stands for it; 0 as long as there is none."""
        self._deadline: float | None = None
        self._killed = False

    def train(self, pool: Pool) -> Answer:
        """Have the cell trained, on the device that has the fewest."""
        with pool.device() as device:
            # The command that the worker runs is to look for no broker again.
            environment = {name: value for name, value in self._request.environment.items() if name != VARIABLE}
            if device is not None:
                environment["CUDA_VISIBLE_DEVICES"] = device
            return self._train(pool, self._request._replace(environment=environment))

    def _train(self, pool: Pool, request: Request) -> Answer:
        """Have the cell trained by an idle worker, or by a new one."""
        while True:
            try:
                worker = pool.take(Kind.of(request)) or Worker.start(request, self._outputs)
            except OSError as error:
                return Answer(1, f"no training process could be started: {error}")
            self._set_worker(worker)
            message = self._converse(worker, request)
            self._set_worker(None)
            if message is None:
                return self._obituary(worker.exit_status())
            status = message.get("status")
            if status in _REUSABLE and not self._interruption:
                pool.put(worker)
            else:
                worker.end()
            answer = self._answer(status)
            if answer is not None:
                return answer

    def _answer(self, status: int | None) -> Answer | None:
        """Return the answer after what a worker has said; None if another one is needed, which has loaded new code."""
        if self._interruption and status in (None, _INTERRUPTED):
            return Answer(128 + self._interruption)
        return None if status is None else Answer(status)

    def interrupt(self, number: int = signal.SIGTERM) -> None:
        """Have the training stop after its current step, because the client got this signal or somebody ends.

        May be called from any thread.
        """
        with self._lock:
            self._interruption = number
            if self._deadline is None:
                self._deadline = time.monotonic() + messages.GRACE_SECONDS
            if self._worker is not None:
                # Not SIGINT: what it raises in code that runs before training, imports for example, may be swallowed.
                self._worker.process.terminate()

    def _set_worker(self, worker: Worker | None) -> None:
        with self._lock:
            self._worker = worker
            if worker is not None and self._interruption:
                worker.process.terminate()

    def _converse(self, worker: Worker, request: Request) -> dict[str, Any] | None:
        """Return the worker's answer, None if it ended without one. Interrupt it when the client is interrupted."""
        with selectors.DefaultSelector() as selector:
            selector.register(worker.connection, selectors.EVENT_READ)
            selector.register(self._client, selectors.EVENT_READ)
            with suppress(OSError):  # of a worker that has just ended, which the selector tells as well
                send(worker.connection, request._asdict(), self._outputs)
            while True:
                ready = [key.fileobj for key, _ in selector.select(self._seconds_left())]
                if worker.connection in ready:
                    return receive(worker.connection)
                if self._client in ready:
                    message = receive(self._client)
                    if message is None:  # the client has ended
                        selector.unregister(self._client)
                    self.interrupt(signal.SIGTERM if message is None else message["signal"])
                elif self._seconds_left() == 0:
                    self._killed = True
                    worker.kill()

    def _obituary(self, status: int) -> Answer:
        """Say how a worker ended that gave no answer; `status` as `subprocess` gives it."""
        if self._interruption and self._killed:
            late = f"did not end within {messages.GRACE_SECONDS:.0f} s of being asked to, and was killed"
            return Answer(128 + self._interruption, f"the training process {late}")
        if self._interruption and -status == signal.SIGTERM:
            return Answer(128 + self._interruption)  # it had nothing to save yet
        if status >= 0:
            return Answer(1, f"the training process ended with status {status} before the training did")
        hint = "; this is what running out of memory looks like" if -status == signal.SIGKILL else ""
        return Answer(1, f"the training process was killed by signal {-status}{hint}")

    def _seconds_left(self) -> float | None:
        """Return how long the worker may still take; None while nobody wants it to end, or once it is being killed."""
        return None if self._deadline is None or self._killed else max(0.0, self._deadline - time.monotonic())
