"""What a preset's results come to, on disk."""

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rethinking.params_file import load_params
from rethinking.records import Epoch, Metrics
from rethinking.results.claims import MARKS
from rethinking.results.frame import IDENTITY, PROVENANCE, Results
from rethinking.results.lineage import read_lineage
from rethinking.results.summary import write_summary
from rethinking.studies.registry import STUDIES

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke")
STUDY = STUDIES["randomisation"]
ALL_CLAIMS = [claim for study in STUDIES.values() for claim in study.claims()]
# The columns of what is collected, which any study may read.
NUMBERS = [*(name for name in Metrics.model_fields if name not in ("cell", "preset", "recipe", "provenance"))]
COLUMNS = [*IDENTITY, "label_corruption", *NUMBERS, "time_to_overfit", *PROVENANCE]
HISTORY = [*IDENTITY, *Epoch._fields]


def results(*models: str, **numbers: Any) -> Results:
    """Runs with true labels and nothing else."""
    usual: dict[str, Any] = {name: 0.995 for name in NUMBERS if "accuracy" in name}
    usual |= {"status": "finished", "parameters": 1000, "epochs": 2, "time_to_overfit": 2.0, "label_corruption": 0.0}
    lines = [
        {
            "dataset": "digits",
            "model": model,
            "corruption": "true",
            "regularizer": "none",
            "seed": 0,
            **usual,
            **numbers,
        }
        for model in models
    ]
    return Results(PARAMS, pd.DataFrame(lines, columns=COLUMNS), pd.DataFrame(columns=HISTORY))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_summary(results("inception", "alexnet", train_accuracy=0.5), list(STUDIES.values()), tmp_path)
    return tmp_path


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_claims_are_written_with_their_verdicts(written: Path) -> None:
    records = {record["key"]: record for record in read(written / "claims.json")["randomisation"]}
    assert list(records) == [claim.key for claim in STUDY.claims()]
    fitted = records["true-labels-fitted"]
    assert fitted["judgement"] == "differs"
    assert fitted["evidence"] == "2 of 2 do not: Inception 50.000 %, AlexNet 50.000 %"
    assert records["random-labels-fitted"]["judgement"] == "not run"


def test_headline_numbers_are_numbers_or_null(written: Path) -> None:
    metrics = read(written / "metrics.json")
    assert metrics["randomisation"]["inception"]["train_accuracy_true"] == 0.5
    assert metrics["randomisation"]["inception"]["time_to_overfit_true"] == 2
    assert metrics["randomisation"]["mlp-1x512"]["train_accuracy_true"] is None


def test_every_claim_is_counted_once(written: Path) -> None:
    counts = read(written / "metrics.json")["claims"]
    found = read(written / "claims.json")
    assert list(found) == list(STUDIES)
    judgements = [record["judgement"] for records in found.values() for record in records]
    assert set(counts) == {"holds", "differs", "not_run"}
    assert sum(counts.values()) == len(ALL_CLAIMS)
    assert counts["differs"] == judgements.count("differs") > 0
    assert counts["not_run"] == judgements.count("not run") > 0


def test_the_claims_table_says_what_the_paper_and_the_results_say(written: Path) -> None:
    folder = written / "tables"
    rows = list(csv.DictReader((folder / "randomisation-claims.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["Claim"] for row in rows] == [claim.statement for claim in STUDY.claims()]
    assert {row["Verdict"] for row in rows} <= set(MARKS.values())
    assert rows[0]["Verdict"] == "✗ differs"
    markdown = (folder / "randomisation-claims.md").read_text(encoding="utf-8").splitlines()
    assert len(markdown) == 2 + len(rows)
    assert "– not run | – |" in markdown[3]


def test_the_claims_table_says_which_runs_it_is_made_of(written: Path) -> None:
    lineage = read_lineage(written / "tables" / "randomisation-claims.json")
    assert [run.cell for run in lineage.runs] == [
        f"digits/{name}/true/none/seed-0" for name in ("inception", "alexnet")
    ]
    assert lineage.module == "rethinking.studies.randomisation.claims"
    assert lineage.command == "rethinking table randomisation claims --preset smoke"


def test_every_plot_of_every_study_is_written_under_a_name_of_its_own(written: Path) -> None:
    names = [name for study in STUDIES.values() for name in study.plots]
    assert sorted(path.name for path in (written / "plots").iterdir()) == sorted(f"{name}.csv" for name in names)
    assert len(set(names)) == len(names)


def test_a_place_without_a_number_is_no_zero(written: Path) -> None:
    """The smoothing of DVC's own template adds up what it reads, and an empty text is 0 in JavaScript."""
    header, first, *_ = (written / "plots" / "figure1c.csv").read_text(encoding="utf-8").splitlines()
    assert dict(zip(header.split(","), first.split(","), strict=True)) == {
        "label_corruption": "0",
        "inception": "0.005",
        "alexnet": "0.005",
        "mlp_1x512": "NaN",
    }


def test_without_any_result_every_claim_is_not_run(tmp_path: Path) -> None:
    write_summary(results(), list(STUDIES.values()), tmp_path)
    assert read(tmp_path / "metrics.json")["claims"] == {"holds": 0, "differs": 0, "not_run": len(ALL_CLAIMS)}
