"""The paper's Table 1 at full size, as far as it has been run: it stands in the article of every scale."""

from pathlib import Path

from rethinking.results.table import Column, Table

NAME = "full-size"  # of the table in the article
PRESET, TABLE = "paper", "randomisation-table1"
NOT_RUN = "not run"  # in a row of the table, as the study writes it


def full_size_table(results: Path) -> tuple[str, int, int]:
    """Return the rows that were run, as a pipe table, how many these are, and how many rows Table 1 has.

    `results` is the folder with a folder for each preset. Where there is none for full size, or no row has been run, a
    line says so, and the number of rows is 0.
    """
    path = results / PRESET / "tables" / f"{TABLE}.md"
    if not path.is_file():
        return Table([Column("Table 1")], [["nothing is recorded at full size"]]).markdown(), 0, 0
    heading, rule, *rows = path.read_text(encoding="utf-8").splitlines()
    run = [row for row in rows if NOT_RUN not in row]
    if not run:
        return Table([Column("Table 1")], [["no row has been run at full size"]]).markdown(), 0, len(rows)
    return "\n".join([heading, rule, *run]) + "\n", len(run), len(rows)
