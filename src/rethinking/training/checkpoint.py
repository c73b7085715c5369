"""Where a half-finished run stands, so that it can go on after an interruption as if there had been none."""

import io
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rethinking.files import atomic_path
from rethinking.records import Epoch
from rethinking.training.optimiser import SGD

FILE_NAME = "checkpoint.pt"


def save(folder: Path, identity: str, network: nn.Module, optimiser: SGD, history: list[Epoch]) -> None:
    """Write the state after `len(history)` epochs, whole or not at all."""
    state = {
        "identity": identity,
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "history": [epoch._asdict() for epoch in history],
    }
    content = io.BytesIO()  # torch reports a full disk as an error of its own, not as the OSError that it is
    torch.save(state, content)
    with atomic_path(folder / FILE_NAME) as temporary:
        temporary.write_bytes(content.getbuffer())


def restore(folder: Path, identity: str, network: nn.Module, optimiser: SGD) -> list[Epoch]:
    """Load the state of an interrupted run into `network` and `optimiser`; return its epochs so far.

    A checkpoint of another identity (recipe, data or code have changed since), or one that cannot be read, is not
    used: the run starts from the beginning.
    """
    try:
        state: dict[str, Any] = torch.load(folder / FILE_NAME, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError):
        return []
    if state.get("identity") != identity:
        return []
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    return [Epoch(**epoch) for epoch in state["history"]]


def discard(folder: Path) -> None:
    """Remove the checkpoint of a run that is finished."""
    (folder / FILE_NAME).unlink(missing_ok=True)
