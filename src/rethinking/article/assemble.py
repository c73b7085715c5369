"""Put a preset's results where the article's sources read them: tables, figures and `_variables.yml`."""

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from rethinking.article.verdicts import claims_markdown, verdict_markdown
from rethinking.cells import Cell
from rethinking.errors import UserError
from rethinking.files import write_text
from rethinking.params import Params
from rethinking.results.claims import MARKS
from rethinking.results.frame import Results
from rethinking.results.table import Cell as TableCell
from rethinking.results.table import Column, Table

DATASET_TITLES = {"cifar10": "CIFAR-10", "mnist": "MNIST", "digits": "digits"}


def assemble(results: Results, source: Path, report: Path) -> None:
    """Fill `report/_generated` and `report/_variables.yml` from the finished results in `source`.

    Raises UserError if there is no table or figure there.
    """
    # Everything that may be missing is read before anything is replaced.
    metrics, claims = _read_json(source / "metrics.json"), _read_json(source / "claims.json")
    content = variables(results, metrics, claims)
    found = {
        kind: sorted((source / kind).glob(pattern)) for kind, pattern in (("tables", "*.md"), ("figures", "*.svg"))
    }
    for kind, paths in found.items():
        if not paths:
            raise UserError(f"{source / kind} is empty or missing; run the preset first")
    generated = report / "_generated"
    shutil.rmtree(generated, ignore_errors=True)
    for kind, paths in found.items():
        (generated / kind).mkdir(parents=True)
        for path in paths:
            shutil.copyfile(path, generated / kind / path.name)
    for name, records in claims.items():
        write_text(generated / "tables" / f"{name}-claims.md", claims_markdown(name, records))
    write_text(generated / "tables" / "settings.md", settings_table(results).markdown())
    write_text(generated / "tables" / "execution.md", execution_table(results).markdown())
    text = yaml.safe_dump(content, allow_unicode=True, default_style="'", sort_keys=True)
    write_text(report / "_variables.yml", text)


def variables(results: Results, metrics: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
    """Return what prose may name: every value is text as it is to be shown."""
    params, cells = results.params, results.cells
    study = params.studies.randomisation
    return {
        "preset": {
            "name": params.preset,
            "dataset": DATASET_TITLES[study.dataset],
            "seeds": str(len(params.seeds)),
            "cells": str(len(cells)),
            "experiments": str(len(results.experiments)),
            "minutes": f"{(cells['seconds'].sum() + sum(each.seconds for each in results.experiments)) / 60:.0f}",
            "devices": ", ".join(sorted(cells["device"].astype(str).unique())),
            "diverged": str(int((cells["status"] == "diverged").sum())),
        },
        "settings": {
            "epochs": str(params.training.epochs),
            "batch_size": str(params.training.batch_size),
            "decay": f"{params.training.learning_rate_decay:g}",
            "momentum": f"{params.training.momentum:g}",
            "train_evaluation_period": str(params.training.train_evaluation_period),
            "overfit_loss": f"{params.results.overfit_loss:g}",
            "rotation": f"{params.augmentation.rotation_degrees:g}",
            "accuracy_lost": f"{100 * params.studies.implications.accuracy_lost:g}",
            "crop": str(params.datasets[study.dataset].crop_size),
            "weight_decay": f"{params.models['inception'].weight_decay:g}",
            **open_settings(params),
        },
        "verdict": {
            name: {record["key"]: verdict_markdown(name, record) for record in records}
            for name, records in claims.items()
        },
        **{name: _shown(values) for name, values in metrics.items()},
        "claims": claim_counts(claims),
    }


def open_settings(params: Params) -> dict[str, Any]:
    """Return settings that the paper does not state, of the models that stand for theirs."""
    names = {"inception": "inception", "alexnet": "alexnet", "mlp": "mlp-1x512"}
    models = {kind: params.models[name] for kind, name in names.items()}
    dataset = params.studies.randomisation.dataset
    augmented = params.recipe(Cell(dataset, "inception", "random-labels", "crop", 0))
    return {
        "initialisation": {kind: model.initialisation for kind, model in models.items()},
        "weight_decays": {kind: f"{model.weight_decay:g}" for kind, model in models.items()},
        "epochs_augmented": str(augmented.epochs),
        "decay_augmented": f"{augmented.learning_rate_decay:g}",
    }


def claim_counts(claims: dict[str, Any]) -> dict[str, str]:
    """Return how many claims there are, and how many have each judgement."""
    judgements = [record["judgement"] for records in claims.values() for record in records]
    counts = {name.replace(" ", "_"): str(judgements.count(name)) for name in MARKS}
    return {"total": str(len(judgements)), **counts}


def settings_table(results: Results) -> Table:
    """Return every model's size on the study's data set and its settings, as it is trained without exceptions."""
    params, dataset = results.params, results.params.studies.randomisation.dataset
    columns = [
        Column("Model"),
        Column("Parameters", "count"),
        Column("Width", "number"),
        Column("Initialisation"),
        Column("Learning rate", "number"),
        Column("Weight decay", "number"),
        Column("on"),
    ]
    sizes = {name: results.of(dataset=dataset, model=name)["parameters"] for name in params.models}
    rows: list[list[TableCell]] = [
        [
            name,
            None if sizes[name].empty else int(sizes[name].iloc[0]),
            float(model.width),
            model.initialisation,
            model.initial_learning_rate,
            model.weight_decay,
            model.weight_decay_layers,
        ]
        for name, model in params.models.items()
    ]
    return Table(columns, rows)


def execution_table(results: Results) -> Table:
    """Return how many cells ran on which device in which precision, and how long they took."""
    groups = results.cells.groupby(["device", "device_name", "precision"], dropna=False)
    columns = [
        Column("Device"),
        Column("Name"),
        Column("Precision of training"),
        Column("Cells", "count"),
        Column("Minutes", "number"),
    ]
    rows: list[list[TableCell]] = [
        [*(str(part) for part in key), len(found), float(found["seconds"].sum()) / 60] for key, found in groups
    ]
    return Table(columns, rows)


def _shown(value: Any, key: str = "") -> Any:
    """Format a headline number by what its name says it is; nested mappings keep their shape."""
    if isinstance(value, dict):
        return {name: _shown(inner, name) for name, inner in value.items()}
    if value is None:
        return "not available"
    if "accuracy" in key or "error" in key:
        return f"{100 * value:.2f} %"
    return f"{value:g}"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing; run the preset first") from None
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); delete it and run again") from None
    return content
