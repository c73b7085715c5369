"""Runs on disk as if they had been trained."""

from pathlib import Path
from typing import Any

from rethinking.cells import Cell
from rethinking.fingerprint import fingerprint, modules
from rethinking.params import Params
from rethinking.provenance import train_command, training_roots
from rethinking.records import Epoch, Metrics, write_history, write_metrics


def history(*online_losses: float) -> list[Epoch]:
    """One epoch a loss, of four steps each."""
    return [
        Epoch(i + 1, 4 * (i + 1), 0.1, loss, 0.5, loss + 1, 0.5, 2.0, 0.25, 1.0) for i, loss in enumerate(online_losses)
    ]


def record(root: Path, params: Params, cell: Cell, *online_losses: float, **changes: Any) -> Metrics:
    """Leave the run of a cell below `root`; `changes` are to its metrics, `provenance` to that."""
    epochs = history(*online_losses)
    recipe = params.recipe(cell)
    roots = training_roots(str(recipe.model["architecture"]))
    provenance = {
        "command": train_command(cell, params.preset),
        "code": fingerprint(*roots),
        "modules": modules(*roots),
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "uncommitted_changes": False,
        "variant": "feed",
        "device": "cpu",
        "device_name": "a processor",
        "precision": "float32",
        "threads": 1,
    }
    metrics = Metrics(
        cell=str(cell),
        preset=params.preset,
        status="diverged" if epochs[-1].diverged else "finished",
        epochs=len(epochs),
        parameters=30730,
        train_examples=128,
        train_accuracy=1 / 3,
        train_loss=None if epochs[-1].diverged else 0.5,
        test_accuracy=0.25,
        test_loss=2.0,
        best_test_accuracy=0.25,
        best_test_epoch=1,
        online_loss=None if epochs[-1].diverged else online_losses[-1],
        online_accuracy=0.5,
        seconds=2.0,
        recipe=recipe.model_dump(),
        recipe_digest=recipe.digest(),
        provenance=provenance | changes.pop("provenance", {}),
    ).model_copy(update=changes)
    folder = root / cell.run_folder(params.preset)
    write_history(folder / "history.csv", epochs)
    write_metrics(folder / "metrics.json", metrics)
    return metrics
