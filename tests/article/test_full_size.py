"""Tables at full size: the rows that were run, and no others."""

import json
from pathlib import Path

import pytest

from rethinking.article.full_size import full_size_tables, full_size_verdicts

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


def test_what_was_found_of_claims_is_said_in_words(tmp_path: Path) -> None:
    claims = {"kernels": [{"key": "norms"}, {"key": "errors"}, {"key": "new"}]}
    found = full_size_verdicts(tmp_path, claims)["kernels"]
    assert set(found.values()) == {"not recorded at full size"}
    (tmp_path / "paper").mkdir()
    recorded = [
        {"key": "norms", "judgement": "differs", "evidence": "145 and 220"},
        {"key": "errors", "judgement": "not run", "evidence": ""},
    ]
    (tmp_path / "paper" / "claims.json").write_text(json.dumps({"kernels": recorded}), encoding="utf-8")
    assert full_size_verdicts(tmp_path, claims) == {
        "kernels": {
            "norms": "differs at full size: 145 and 220",
            "errors": "not run at full size",
            "new": "not recorded at full size",
        }
    }
