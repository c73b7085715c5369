"""Tables at full size: the rows that were run, and no others."""

from pathlib import Path

import pytest

from rethinking.article.full_size import full_size_tables

HEADING = "| Model | Test, ours |\n| :--- | ---: |\n"
RUN, NOT_RUN = "| MLP 1×512 | 50.71 |\n", "| Inception | not run |\n"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (RUN + NOT_RUN, (HEADING + RUN, 1, 2)),
        (RUN, (HEADING + RUN, 1, 1)),
        (NOT_RUN + NOT_RUN, ("| At full size |\n| :--- |\n| no row has been run at full size |\n", 0, 2)),
        (None, ("| At full size |\n| :--- |\n| nothing is recorded at full size |\n", 0, 0)),
    ],
)
def test_the_rows_that_were_run(rows: str | None, expected: tuple[str, int, int], tmp_path: Path) -> None:
    if rows is not None:
        (tmp_path / "paper" / "tables").mkdir(parents=True)
        (tmp_path / "paper" / "tables" / "randomisation-table1.md").write_text(HEADING + rows, encoding="utf-8")
    assert full_size_tables(tmp_path)["full-size"] == expected


@pytest.mark.parametrize(("name", "rows"), [("full-size", 19), ("full-size-sweep", 33)])
def test_what_git_has_recorded_is_shown(name: str, rows: int) -> None:
    found = full_size_tables(Path(__file__).resolve().parents[2] / "results")[name]
    assert 0 < found.run <= found.rows == rows
    assert len(found.markdown.splitlines()) == 2 + found.run
    assert "not run" not in found.markdown
