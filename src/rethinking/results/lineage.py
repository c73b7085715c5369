"""Which runs a table or figure is made of, and what made it: a JSON file beside it."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from rethinking import provenance
from rethinking.cells import Cell
from rethinking.errors import UserError
from rethinking.experiments.records import ExperimentRecord
from rethinking.files import write_text
from rethinking.results.frame import IDENTITY, PROVENANCE

Kind = Literal["table", "figure"]


class UsedRun(BaseModel):
    """A run as it was when a table or figure was made of it; None for what was not recorded."""

    model_config = ConfigDict(frozen=True)

    cell: str
    seed: int
    recipe_digest: str | None = None
    variant: str | None = None
    """The checksum of the data."""
    code: str | None = None
    commit: str | None = None
    uncommitted_changes: bool | None = None
    device: str | None = None
    device_name: str | None = None
    precision: str | None = None
    threads: int | None = None
    """Of each process."""
    processes: int | None = None
    """That trained it together."""
    command: str
    """Trains just this cell again."""


class UsedExperiment(BaseModel):
    """An experiment as it was when a table or figure was made of its results."""

    model_config = ConfigDict(frozen=True)

    name: str
    digest: str
    """Of its settings and of what it started from."""
    table: str
    """SHA-256 of its results."""
    code: str
    commit: str | None
    uncommitted_changes: bool | None
    device: str | None
    device_name: str | None
    command: str
    """Carries just this out again."""


class Lineage(BaseModel):
    """Where a table or figure comes from."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    study: str
    name: str
    preset: str
    module: str
    function: str
    code: str
    """Fingerprint of everything that `module` imports, and of what writes results down."""
    commit: str | None
    uncommitted_changes: bool | None
    command: str
    """Makes just this again."""
    settings: str
    """Digest of the settings that it may read beside the runs."""
    published: str
    """Digest of the papers' values that it may show."""
    files: dict[str, str]
    """SHA-256 of each file that was made, by name."""
    experiments: list[UsedExperiment] = []
    """Whose results it shows."""
    runs: list[UsedRun]
    """In the order of cells.csv: those shown, and those whose networks an experiment read."""


def used_runs(cells: pd.DataFrame, preset: str) -> list[UsedRun]:
    """Return the runs that lines of cells.csv stand for."""
    found = []
    for line in cells.to_dict("records"):
        cell = Cell(**{name: line[name] for name in IDENTITY})
        known = {name: _known(line.get(name)) for name in ("recipe_digest", *PROVENANCE)}
        command = provenance.train_command(cell, preset, int(known["threads"] or 1), int(known["processes"] or 1))
        found.append(UsedRun(cell=str(cell), seed=cell.seed, command=command, **known))
    return found


def used_experiments(records: Iterable[ExperimentRecord]) -> list[UsedExperiment]:
    """Return what a table or figure says of the experiments that it is made of."""
    return [
        UsedExperiment(
            name=f"{record.study}/{record.kind}/{record.unit}",
            device=record.provenance.get("device"),
            device_name=record.provenance.get("device_name"),
            **record.model_dump(include={"digest", "table", "code", "commit", "uncommitted_changes", "command"}),
        )
        for record in records
    ]


def write_lineage(path: Path, lineage: Lineage) -> None:
    """Write it as JSON, whole or not at all: one line a run, so that a difference shows which run it is."""
    content = lineage.model_dump()
    lists = [f'  "{key}": [{_listed(content.pop(key))}]' for key in ("experiments", "runs")]
    head = json.dumps(content, indent=2).removesuffix("\n}")
    write_text(path, ",\n".join([head, *lists]) + "\n}\n")


def read_lineage(path: Path) -> Lineage:
    """Read it. Raises UserError if it is missing or damaged."""
    try:
        return Lineage.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path} is missing, which says what the files beside it are made of; make them again"
        ) from None
    except (ValidationError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged ({str(error).splitlines()[0]}); make it again") from None


def settings_digest(settings: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that change with any of the settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _listed(items: list[dict[str, Any]]) -> str:
    lines = [f"\n    {json.dumps(item)}" for item in items]
    return ",".join(lines) + "\n  " if lines else ""


def _known(value: Any) -> Any:
    return None if value is None or (isinstance(value, float) and math.isnan(value)) else value
