"""Table 1 at full size: the rows that were run, and no others."""

from pathlib import Path

import pytest

from rethinking.article.full_size import full_size_table

HEADING = "| Model | Test, ours |\n| :--- | ---: |\n"
RUN, NOT_RUN = "| MLP 1×512 | 50.71 |\n", "| Inception | not run |\n"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (RUN + NOT_RUN, (HEADING + RUN, 1, 2)),
        (RUN, (HEADING + RUN, 1, 1)),
        (NOT_RUN + NOT_RUN, ("| Table 1 |\n| :--- |\n| no row has been run at full size |\n", 0, 2)),
        (None, ("| Table 1 |\n| :--- |\n| nothing is recorded at full size |\n", 0, 0)),
    ],
)
def test_the_rows_that_were_run(rows: str | None, expected: tuple[str, int, int], tmp_path: Path) -> None:
    if rows is not None:
        (tmp_path / "paper" / "tables").mkdir(parents=True)
        (tmp_path / "paper" / "tables" / "randomisation-table1.md").write_text(HEADING + rows, encoding="utf-8")
    assert full_size_table(tmp_path) == expected


def test_what_git_has_recorded_is_shown() -> None:
    shown, run, rows = full_size_table(Path(__file__).resolve().parents[2] / "results")
    assert 0 < run <= rows == 19
    assert len(shown.splitlines()) == 2 + run
    assert "not run" not in shown
