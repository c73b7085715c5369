"""Runs on disk as if they had been trained, and experiments as if they had been carried out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rethinking.cells import Cell
from rethinking.experiments.experiment import Experiment
from rethinking.experiments.identity import experiment_code, experiment_roots, recipes_of
from rethinking.experiments.records import ExperimentRecord, Row, table_text, write_record, write_table
from rethinking.files import checksum
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


def record_experiment(
    root: Path, params: Params, experiment: Experiment, rows: Sequence[Row], **changes: Any
) -> ExperimentRecord:
    """Leave the results of an experiment below `root`; `changes` are to its record."""
    recipes, table = recipes_of(params, experiment), root / experiment.table_path(params.preset)
    write_table(table, table_text(rows))
    weights = {str(cell): root / cell.weights_path(params.preset) for cell in experiment.cells}
    found = ExperimentRecord(
        study=experiment.study,
        kind=experiment.kind,
        unit=experiment.unit,
        preset=params.preset,
        digest=experiment.digest(recipes),
        settings=dict(experiment.settings),
        cells={name: checksum(path) if path.is_file() else "feed" * 16 for name, path in weights.items()},
        variants={"/".join(variant): "beef" * 16 for variant in experiment.all_variants()},
        table=checksum(table),
        networks=None,
        seconds=1.5,
        code=experiment_code(experiment, recipes),
        modules=modules(*experiment_roots(experiment, recipes)),
        commit="0123456789abcdef0123456789abcdef01234567",
        uncommitted_changes=False,
        command=f"rethinking experiment {str(experiment).replace('/', ' ')} --preset {params.preset}",
        provenance={"device": "cpu", "device_name": "a processor", "precision": "float32", "threads": 1},
    ).model_copy(update=changes)
    write_record(root / experiment.record_path(params.preset), found)
    return found
