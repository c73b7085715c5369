"""What has been run at full size of the paper's Table 1 and Figure 1c: it stands in the article of every scale."""

from pathlib import Path
from typing import NamedTuple

from rethinking.results.table import Column, Table

PRESET = "paper"
TABLES = {"full-size": "randomisation-table1", "full-size-sweep": "randomisation-test-error"}
"""The name of a table in the article, and that of the recorded table whose rows it has."""
NOT_RUN = "not run"  # in a row of a table, as the study writes it


class FullSize(NamedTuple):
    """The rows that were run of one table."""

    markdown: str
    """A pipe table; where no row was run, it says so."""
    run: int
    rows: int
    """Of the recorded table, with those that were not run; 0 where there is none."""


def full_size_tables(results: Path) -> dict[str, FullSize]:
    """Return what was run of each of TABLES; `results` is the folder with a folder for each preset."""
    return {name: _run(results / PRESET / "tables" / f"{table}.md") for name, table in TABLES.items()}


def _run(path: Path) -> FullSize:
    if not path.is_file():
        return FullSize(_saying("nothing is recorded at full size"), 0, 0)
    heading, rule, *rows = path.read_text(encoding="utf-8").splitlines()
    run = [row for row in rows if NOT_RUN not in row]
    text = "\n".join([heading, rule, *run]) + "\n" if run else _saying("no row has been run at full size")
    return FullSize(text, len(run), len(rows))


def _saying(text: str) -> str:
    return Table([Column("At full size")], [[text]]).markdown()
