"""Where a half-finished run stands, so that it can go on after an interruption as if there had been none."""

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import torch

from rethinking.files import atomic_path, discard_parts

FILE_NAME = "checkpoint.pt"
FORMAT = b"rethinking checkpoint 2"
"""Begins the first line of the file, which goes on with the SHA-256 of all that follows: a state as torch saves it.
Torch does not notice by itself when tensors have been damaged. The number counts changes of the state's structure."""


def save(folder: Path, identity: str, state: dict[str, Any]) -> None:
    """Write the state of the run that `identity` names, whole or not at all.

    It may hold tensors, numbers, strings, lists and dictionaries. Raises UserError if it cannot be written.
    """
    content = io.BytesIO()  # torch reports a full disk as an error of its own, not as the OSError that it is
    torch.save({"identity": identity, **state}, content)
    with atomic_path(folder / FILE_NAME) as temporary, open(temporary, "wb") as file:
        file.write(_first_line(content.getbuffer()))
        file.write(content.getbuffer())


def load(folder: Path, identity: str) -> dict[str, Any] | None:
    """Return the state of an interrupted run, its tensors on the CPU, or None if there is none that can be used.

    A checkpoint of another identity (recipe, data or code have changed since), of an older format, and one that is
    damaged, are not used: the run starts from the beginning. Removes what killed processes left of checkpoints.
    """
    discard_parts(folder / FILE_NAME)
    try:
        first, _, content = (folder / FILE_NAME).read_bytes().partition(b"\n")
        if first + b"\n" != _first_line(content):
            return None
        state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    # What another version of torch cannot read of a checkpoint that is whole.
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError):
        return None
    return state if state["identity"] == identity else None


def discard(folder: Path) -> None:
    """Remove the checkpoint of a run that is finished, and what killed processes left of others."""
    (folder / FILE_NAME).unlink(missing_ok=True)
    discard_parts(folder / FILE_NAME)


def _first_line(content: bytes | memoryview) -> bytes:
    return FORMAT + b" " + hashlib.sha256(content).hexdigest().encode() + b"\n"
