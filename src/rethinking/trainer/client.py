"""A command as seen from its caller: it hands itself over, waits, and ends as the worker's run of it has ended."""

import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from rethinking.trainer.messages import Answer, Request, connect, receive, send


def run_elsewhere(arguments: list[str]) -> int | None:
    """Have the broker's workers run `rethinking <arguments>`, and return its exit status.

    Returns None where the caller has to do it by itself: no broker answers, or the caller is one of several processes
    that train a cell together. What the command prints goes to this process's standard output and error, and SIGINT
    and SIGTERM interrupt it.
    """
    if "WORLD_SIZE" in os.environ:
        return None
    connection = connect()
    if connection is None:
        return None
    with connection:
        try:
            request = Request(arguments, str(Path.cwd()), sys.executable, dict(os.environ))
            send(connection, request._asdict(), descriptors=(1, 2))
        except OSError:
            return None
        received = _wait(connection)
    answer = Answer(1, "Snakemake has ended, and with it this job") if received is None else Answer(**received)
    if answer.problem:
        print(f"rethinking: {answer.problem}", file=sys.stderr)
    return answer.status


def _wait(connection: socket.socket) -> dict[str, Any] | None:
    """Return the broker's answer, None if it has ended, and tell it meanwhile of signals that this process gets.

    A signal before this ends the process, which the broker notices. What the process ignores stays ignored.
    """
    # A handler runs between two instructions of Python: not if its signal comes right before the wait for the answer.
    # What Python writes to this pair as soon as a signal comes ends the wait in any case.
    signals, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    with signals, wakeup, selectors.DefaultSelector() as selector:
        signal.set_wakeup_fd(wakeup.fileno())
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: None)
        selector.register(connection, selectors.EVENT_READ)
        selector.register(signals, selectors.EVENT_READ)
        while connection not in (ready := [key.fileobj for key, _ in selector.select()]):
            if signals in ready:
                with suppress(OSError):  # of a broker that has just ended
                    send(connection, {"signal": signals.recv(1)[0]})
        signal.set_wakeup_fd(-1)
        return receive(connection)
