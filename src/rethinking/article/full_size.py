"""What was found at full size, of Table 1, of Figure 1c and of the claims: it stands in the article of every scale."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rethinking.results.table import Column, Table

PRESET = "paper"
TABLES = {"full-size": "randomisation-table1", "full-size-sweep": "randomisation-test-error"}
"""The name of a table in the article, and that of the recorded table whose rows it has."""
CLAIMS = "claims.json"
Claims = Mapping[str, Sequence[Mapping[str, str]]]
"""As in `claims.json`: records by study."""
NOT_RUN = "not run"  # in a row of a table, as the study writes it


class FullSize(NamedTuple):
    """The rows that were run of one table."""

    markdown: str
    """A pipe table; where no row was run, it says so."""
    run: int
    rows: int
    """Of the recorded table, with those that were not run; 0 where there is none."""


def recorded_at_full_size(results: Path) -> list[str]:
    """Return the paths that are read here, as far as there are such files."""
    folder = results / PRESET
    paths = [folder / CLAIMS, *(folder / "tables" / f"{table}.md" for table in TABLES.values())]
    return [path.as_posix() for path in paths if path.is_file()]


def full_size_tables(results: Path) -> dict[str, FullSize]:
    """Return what was run of each of TABLES; `results` is the folder with a folder for each preset."""
    return {name: _run(results / PRESET / "tables" / f"{table}.md") for name, table in TABLES.items()}


def full_size_verdicts(results: Path, claims: Claims) -> dict[str, dict[str, str]]:
    """Return in words what was found at full size of each of these claims, by study and key."""
    path = results / PRESET / CLAIMS
    recorded: Claims = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found = {(study, record["key"]): record for study, records in recorded.items() for record in records}
    return {
        study: {record["key"]: _in_words(found.get((study, record["key"]))) for record in records}
        for study, records in claims.items()
    }


def _in_words(record: Mapping[str, str] | None) -> str:
    if record is None:
        return "not recorded at full size"
    evidence = f": {record['evidence']}" if record["evidence"] else ""
    return f"{record['judgement']} at full size{evidence}"


def _run(path: Path) -> FullSize:
    if not path.is_file():
        return FullSize(_saying("nothing is recorded at full size"), 0, 0)
    heading, rule, *rows = path.read_text(encoding="utf-8").splitlines()
    run = [row for row in rows if NOT_RUN not in row]
    text = "\n".join([heading, rule, *run]) + "\n" if run else _saying("no row has been run at full size")
    return FullSize(text, len(run), len(rows))


def _saying(text: str) -> str:
    return Table([Column("At full size")], [[text]]).markdown()
