"""What an experiment leaves: a table of results, one tidy line each, and the record of how they came about."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from rethinking.errors import UserError
from rethinking.files import write_json, write_text

Row = Mapping[str, str | int | float | bool | None]


class ExperimentRecord(BaseModel):
    """How an experiment's results came about."""

    model_config = ConfigDict(frozen=True)

    study: str
    kind: str
    unit: str
    preset: str
    digest: str
    """Of its settings and of what it started from."""
    settings: dict[str, Any]
    cells: dict[str, str]
    """The trained networks that it read, each with its weights' checksum."""
    variants: dict[str, str]
    """The data that it read, each with its checksum."""
    table: str
    """SHA-256 of the results."""
    networks: str | None
    """SHA-256 of the networks that it left."""
    seconds: float
    """Wall time."""
    code: str
    modules: dict[str, str]
    commit: str | None
    uncommitted_changes: bool | None
    command: str
    provenance: dict[str, Any]
    """Device, precision, threads, versions of packages, start and end."""


def table_text(rows: Sequence[Row]) -> str:
    """Return rows as CSV; numbers keep ten significant digits, None is an empty place. All rows have equal keys."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: f"{value:.10g}" if isinstance(value, float) else value for key, value in row.items()})
    return text.getvalue()


def write_table(path: Path, text: str) -> None:
    """Write the results, whole or not at all."""
    write_text(path, text)


def write_record(path: Path, record: ExperimentRecord) -> None:
    """Write the record, whole or not at all."""
    write_json(path, record.model_dump())


def read_record(path: Path) -> ExperimentRecord:
    """Read a record. Raises UserError if it is missing or damaged."""
    try:
        return ExperimentRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing; run the experiment first") from None
    except (ValidationError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged ({str(error).splitlines()[0]}); delete it and run again") from None
