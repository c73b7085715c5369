"""What client, broker and worker say to each other: JSON objects over Unix sockets, each preceded by its length.

A connection between client and broker:

    broker: {"allocation": ...}     whom it works for, see `allocation`
    client: a `Request`             with the descriptors of its standard output and error
    client: {"signal": 15}          each time that somebody wants it to end
    broker: an `Answer`

A connection between broker and worker carries any number of requests, each answered by {"status": ...} or by
{"outdated": true}: the code has changed since the worker loaded it, and nothing has been trained.
"""

import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

VARIABLE = "RETHINKING_TRAINER"
"""Holds the path of the broker's socket. Jobs inherit it from Snakemake."""

OFF = "off"
"""As the variable's value: every cell is trained by the process that was started for it."""

GRACE_SECONDS = 60.0
"""How long a worker that is asked to end may take for the step that it is in and for a checkpoint."""

_LENGTH = struct.Struct("!I")


class Request(NamedTuple):
    """A command, and what a process that is started for it would find."""

    arguments: list[str]
    folder: str
    interpreter: str
    environment: dict[str, str]


class Answer(NamedTuple):
    """How a cell's training has ended."""

    status: int
    """As an exit status."""
    problem: str | None = None
    """One sentence where the worker could not say itself what happened."""


def allocation() -> str | None:
    """Return the Slurm job that this process is part of, or None.

    A broker serves the processes of its own job alone. The variable travels with jobs that are submitted, and may name
    a broker of the submitting machine: what it trained would escape the limits of the job.
    """
    return os.environ.get("SLURM_JOB_ID")


def connect() -> socket.socket | None:
    """Return a connection with the broker that the environment names, or None where none answers."""
    path = os.environ.get(VARIABLE, OFF)
    if path == OFF:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
        if receive(connection) == {"allocation": allocation()}:
            return connection
    except OSError:
        pass
    connection.close()
    return None


def send(connection: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message and copies of open files. Raises OSError if nobody is there to read it."""
    content = json.dumps(message).encode()
    length = _LENGTH.pack(len(content))
    if descriptors:
        # Alone with the length: a few bytes go at once, while a long message may be cut where a buffer is full.
        socket.send_fds(connection, [length], descriptors)
    else:
        content = length + content
    connection.sendall(content)


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """Return the next message, or None if the other side has closed the connection."""
    received = receive_with_descriptors(connection, 0)
    return received and received[0]


def receive_with_descriptors(connection: socket.socket, count: int) -> tuple[dict[str, Any], list[int]] | None:
    """Return the next message and up to `count` open files that came with it, which the caller closes."""
    descriptors: list[int] = []
    try:
        length, descriptors, _, _ = socket.recv_fds(connection, _LENGTH.size, count)
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        length += _read(connection, _LENGTH.size - len(length)) if length else b""
        if length:
            return json.loads(_read(connection, *_LENGTH.unpack(length))), descriptors
    except (EOFError, ConnectionResetError):
        close(descriptors)
    return None


def close(descriptors: Sequence[int]) -> None:
    """Close open files."""
    for descriptor in descriptors:
        os.close(descriptor)


def _read(connection: socket.socket, size: int) -> bytes:
    """Return exactly `size` bytes. Raises EOFError if there are fewer."""
    content = bytearray()
    while len(content) < size:
        part = connection.recv(size - len(content))
        if not part:
            raise EOFError
        content += part
    return bytes(content)
