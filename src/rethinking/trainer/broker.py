"""The broker: brings cells to workers. It lives in Snakemake's process, as a thread that waits for clients.

How many cells are in training at once is Snakemake's decision; the broker starts as many workers as that takes.
"""

import atexit
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rethinking.trainer import messages
from rethinking.trainer.messages import Request, send
from rethinking.trainer.one_cell import OneCell
from rethinking.trainer.pool import Pool

IDLE_SECONDS = 600.0
"""After so long without a cell a worker ends, and gives its memory back."""


def start_broker(devices: Sequence[str] = ()) -> None:
    """Let this process be a broker for the jobs that it starts, which find it by the environment.

    `devices` are values of CUDA_VISIBLE_DEVICES, one for each GPU; none where cells are trained on the CPU. Nothing
    happens where the environment names a broker that answers, or switches all of this off.
    """
    if os.environ.get(messages.VARIABLE) == messages.OFF:
        return
    if (connection := messages.connect()) is not None:
        connection.close()
        return
    listener = _listener()
    if listener is not None:
        broker = Broker(devices)
        atexit.register(broker.interrupt)
        os.environ[messages.VARIABLE] = listener.getsockname()
        threading.Thread(target=broker.serve, args=(listener,), name="trainer", daemon=True).start()


def _listener() -> socket.socket | None:
    """Return a socket in a folder of our own that is removed at exit; None where no folder can hold one."""
    # The path of a socket may have 103 bytes on macOS; and not every file system holds sockets.
    for parent in (tempfile.gettempdir(), "/tmp"):
        listener = socket.socket(socket.AF_UNIX)
        try:
            folder = Path(tempfile.mkdtemp(prefix="rethinking-", dir=parent))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            listener.bind(str(folder / "trainer"))
            listener.listen()
            return listener
        except OSError:
            listener.close()
    return None


class Broker:
    """Serves any number of clients at once, each in a thread."""

    def __init__(self, devices: Sequence[str]) -> None:
        self._pool = Pool(devices)
        self._under_way: set[OneCell] = set()
        self._changed = threading.Condition()
        """Of what is under way."""

    def serve(self, listener: socket.socket) -> None:
        """Wait for clients as long as this process lives."""
        listener.settimeout(min(IDLE_SECONDS, 30.0))
        while True:
            with suppress(TimeoutError):
                client, _ = listener.accept()
                threading.Thread(target=self._attend, args=(client,), name="trainer's client", daemon=True).start()
            self._pool.end_idle(IDLE_SECONDS)

    def interrupt(self) -> None:
        """Interrupt all that is under way and wait until it has saved its state and its clients know.

        Slurm kills what is left of a job as soon as the job's own process has ended. If this is never called, or takes
        too long: workers end when the broker's process has.
        """
        with self._changed:
            for cell in self._under_way:
                cell.interrupt()
            self._changed.wait_for(lambda: not self._under_way, messages.GRACE_SECONDS)

    def _attend(self, client: socket.socket) -> None:
        """Have a client's cell trained and say how it went. A client that is gone is not told."""
        with client, suppress(OSError):
            send(client, {"allocation": messages.allocation()})
            received = messages.receive_with_descriptors(client, 2)
            if received is None:
                return  # it only asked whether there is a broker
            content, outputs = received
            cell = OneCell(client, Request(**content), outputs)
            with self._known(cell):
                try:
                    answer = cell.train(self._pool)
                finally:
                    messages.close(outputs)
                send(client, answer._asdict())

    @contextmanager
    def _known(self, cell: OneCell) -> Iterator[None]:
        with self._changed:
            self._under_way.add(cell)
        try:
            yield
        finally:
            with self._changed:
                self._under_way.remove(cell)
                self._changed.notify_all()
