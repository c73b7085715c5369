"""The workers: how they are started and ended, which of them are idle, and which GPU the next cell gets."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from rethinking.trainer.messages import GRACE_SECONDS, Request

# What Python, torch and the libraries below it read once, when they are loaded: GPUs, number and placement of threads,
# choice of instructions, where libraries lie. All other variables follow each request.
_READ_ON_LOADING = (
    *("PYTHON", "LD_", "DYLD_", "MALLOC_", "GLIBC_"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "VECLIB_", "DNNL_", "ONEDNN_"),
    *("ATEN_", "C10_", "TORCH", "PYTORCH_", "TRITON_"),
    *("CUDA_", "CUBLAS", "CUDNN_", "NCCL_", "NVIDIA_"),
)


class Kind(NamedTuple):
    """What tells workers apart: a cell needs one that is as a process would be that is started for the cell."""

    interpreter: str
    folder: str
    variables: frozenset[tuple[str, str]]
    """Those of the environment that are read on loading."""

    @classmethod
    def of(cls, request: Request) -> "Kind":
        """Return the kind of worker that `request` needs."""
        read = (item for item in request.environment.items() if item[0].startswith(_READ_ON_LOADING))
        return cls(request.interpreter, request.folder, frozenset(read))


@dataclass(eq=False)
class Worker:
    """A process that trains one cell at a time, and the connection with it."""

    kind: Kind
    process: subprocess.Popen[bytes]
    connection: socket.socket
    idle_since: float = field(default=0.0, init=False)

    @classmethod
    def start(cls, request: Request, outputs: Sequence[int]) -> "Worker":
        """Start a process for `request`. What it prints before it serves goes to `outputs`: standard output and error.

        Raises OSError if that fails.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = subprocess.Popen(
                    # -P: the folder that it runs in is no place for modules, as for the command `rethinking`.
                    [request.interpreter, "-P", "-m", "rethinking.trainer.worker", str(theirs.fileno())],
                    cwd=request.folder,
                    env=request.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=outputs[0],
                    stderr=outputs[1],
                    pass_fds=[theirs.fileno()],
                    # Ctrl-C in a terminal reaches the client, which passes it on: once, and to no idle worker.
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        return cls(Kind.of(request), process, ours)

    def kill(self) -> None:
        """Kill the process and whatever it has started, unless it has been waited for."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a process that has ended
                os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """End a process that has nothing to save."""
        self.connection.close()
        self.kill()
        self.process.wait()

    def exit_status(self) -> int:
        """Wait for a process that is about to end, and return its status as `subprocess` does."""
        self.connection.close()
        try:
            return self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.wait()


class Pool:
    """Idle workers, and the number of cells in training on each device."""

    def __init__(self, devices: Sequence[str]) -> None:
        """`devices` are values of CUDA_VISIBLE_DEVICES, one for each GPU; none where cells are trained on the CPU."""
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._training: dict[str | None, int] = dict.fromkeys(devices or (None,), 0)

    @contextmanager
    def device(self) -> Iterator[str | None]:
        """Yield the device with the fewest cells in training, the first of those, and count one more while it lasts."""
        with self._lock:
            device = min(self._training, key=lambda name: self._training[name])
            self._training[device] += 1
        try:
            yield device
        finally:
            with self._lock:
                self._training[device] -= 1

    def take(self, kind: Kind) -> Worker | None:
        """Return an idle worker of this kind, the one that was last at work; None where there is none."""
        with self._lock:
            while (found := next((worker for worker in reversed(self._idle) if worker.kind == kind), None)) is not None:
                self._idle.remove(found)
                if found.process.poll() is None:
                    return found
                found.end()
        return None

    def put(self, worker: Worker) -> None:
        """Take back a worker that can train further cells."""
        worker.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(worker)

    def end_idle(self, seconds: float) -> None:
        """End the workers that have been idle for so long."""
        with self._lock:
            now = time.monotonic()
            ended = [worker for worker in self._idle if now - worker.idle_since >= seconds]
            self._idle = [worker for worker in self._idle if worker not in ended]
        for worker in ended:
            worker.end()
