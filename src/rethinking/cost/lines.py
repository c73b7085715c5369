"""Files of measurements: CSV with one line a measurement, which a newer one of the same key replaces."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from rethinking.errors import UserError
from rethinking.files import write_text


class Line(Protocol):
    """A measurement: a pydantic model of flat values."""

    @property
    def key(self) -> Any:
        """What a newer measurement has in common with the one that it replaces; keys have an order."""


L = TypeVar("L", bound=Line)
M = TypeVar("M", bound=BaseModel)


def read(kind: type[M], path: Path) -> list[M]:
    """Return the recorded measurements, none where there is no such file. Raises UserError if it is damaged."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}); restore it, as with `git checkout {path}`") from None
    found = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        try:
            # What is empty is not known: None where that is allowed.
            found.append(kind.model_validate({key: value for key, value in row.items() if key and value}))
        except ValidationError as error:
            first = error.errors()[0]
            column = ".".join(map(str, first["loc"]))
            raise UserError(
                f"{path}, line {number}: {column}: {first['msg']}; delete the line and measure again"
            ) from None
    return found


def merged(old: Iterable[L], new: Iterable[L]) -> list[L]:
    """Return all measurements, of those with the same key the newest, in a fixed order: git then shows what is new."""
    newest = {measurement.key: measurement for measurement in (*old, *new)}
    return [newest[key] for key in sorted(newest)]


def write(kind: type[M], measurements: Iterable[M], path: Path) -> None:
    """Write one line a measurement, whole or not at all. Numbers keep four significant digits, None is left empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(kind.model_fields), lineterminator="\n")
    writer.writeheader()
    for measurement in measurements:
        writer.writerow({key: _as_text(value) for key, value in measurement.model_dump().items()})
    write_text(path, text.getvalue())


def _as_text(value: str | float | bool | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)
