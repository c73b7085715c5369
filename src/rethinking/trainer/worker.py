"""A process that trains cells, started by the broker: `python -m rethinking.trainer.worker <descriptor>`.

The descriptor is one end of a pair of sockets, the broker's the other. For each request the process runs the same
command as a process that had been started for it, with that one's environment and outputs, and stays as it was: with
torch loaded, the GPU opened, and no memory of the cell.
"""

import ctypes
import gc
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import rethinking
from rethinking.trainer.messages import GRACE_SECONDS, Request, close, receive_with_descriptors, send

Received = tuple[dict[str, Any], list[int]]


def main() -> None:
    """Serve requests until the broker closes the connection or sends SIGTERM."""
    # Whatever Snakemake does with it: except in training, which handles it, there is nothing to save.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    loaded = _sources()
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    requests: SimpleQueue[Received] = SimpleQueue()
    threading.Thread(target=_listen, args=(connection, requests), name="broker", daemon=True).start()
    while True:
        content, outputs = requests.get()
        if _sources() == loaded:
            send(connection, {"status": _run(Request(**content), outputs)})
            _tidy_up()
        else:
            close(outputs)
            send(connection, {"outdated": True})


def _sources() -> dict[str, tuple[int, int]]:
    """Return what tells whether a module of this package has been changed, added or removed.

    Of each its size, and when its content or its place was last changed, a time that no program can set back.
    """
    root = Path(rethinking.__file__).parent
    stats = ((str(path), path.stat()) for path in root.rglob("*.py"))
    return {path: (stat.st_ctime_ns, stat.st_size) for path, stat in stats}


def _listen(connection: socket.socket, requests: "SimpleQueue[Received]") -> None:
    """Hand on requests, and end this process when the broker has ended, in whatever way: training is interrupted."""
    while (received := receive_with_descriptors(connection, 2)) is not None:
        requests.put(received)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)


def _run(request: Request, outputs: Sequence[int]) -> int:
    """Run a command as a process of its own would, and return the exit status."""
    _adopt(request.environment)
    with _standard_output_and_error(outputs), warnings.catch_warnings():
        try:
            # Not at the top: all that has a part in training is loaded after `main` has looked at the sources.
            from rethinking.cli import main as command

            command(request.arguments)
            sys.stdout.flush()
            return 0
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
            return 1


def _adopt(environment: Mapping[str, str]) -> None:
    """Make `environment` this process's own."""
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    # Few differ, if any: while libraries have threads, the environment is better left alone.
    os.environ.update({name: value for name, value in environment.items() if os.environ.get(name) != value})
    tempfile.tempdir = None  # remembers TMPDIR


@contextmanager
def _standard_output_and_error(descriptors: Sequence[int]) -> Iterator[None]:
    """Let everything in this process, C libraries too, print to `descriptors`, and then to nowhere."""
    for place, descriptor in enumerate(descriptors, start=1):
        os.dup2(descriptor, place)
    close(descriptors)
    try:
        yield
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        ctypes.CDLL(None).fflush(None)
        # Whoever reads what the client printed waits for all copies of its outputs to be closed.
        with open(os.devnull, "wb") as nowhere:
            for place in (1, 2):
                os.dup2(nowhere.fileno(), place)


def _tidy_up() -> None:
    """Free what a job has left: its tensors, and the GPU memory that torch keeps for further ones."""
    gc.collect()
    # What is left is what was loaded. Not looked through again, it saves each job a tenth of a second here, and more
    # while small networks train.
    gc.freeze()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
