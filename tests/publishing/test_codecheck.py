"""Results made here agree with the recorded ones, or what differs is named."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from rethinking.cli import main
from rethinking.publishing.codecheck import Tolerance
from rethinking.publishing.manifest import MANIFEST, manifest

SOURCE = Path(__file__).resolve().parents[2]
RESULTS = Path("results/digits")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Git checkout that has recorded the digits preset's results; the current folder."""
    shutil.copytree(SOURCE / RESULTS, tmp_path / RESULTS)
    shutil.copy(SOURCE / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "Results"]):
        subprocess.run(["git", *words], check=True)
    return tmp_path


def codecheck(*words: str) -> int:
    try:
        main(["codecheck", "--preset", "digits", *words])
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def change(name: str, column: str, value: object) -> None:
    frame = pd.read_csv(RESULTS / name, dtype=str, keep_default_na=False)
    frame.loc[3, column] = str(value)
    frame.to_csv(RESULTS / name, index=False)


def test_equal_results_agree(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert codecheck() == 0
    agree, _, files = capsys.readouterr().out.splitlines()[-1].split(maxsplit=3)[:3]
    assert agree == files


def test_a_changed_number_fails_and_is_named(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = pd.read_csv(RESULTS / "cells.csv", dtype=str)
    line = cells.loc[3]
    change("cells.csv", "test_accuracy", 0.123)
    assert codecheck() == 1
    cell = "/".join(str(line[name]) for name in ("dataset", "model", "corruption", "regularizer", "seed"))
    assert f"cells.csv: {cell}, test_accuracy: recorded {line.test_accuracy}, here 0.123" in capsys.readouterr().out


def test_times_commits_and_machines_are_aside(checkout: Path) -> None:
    for column, value in {"seconds": 99999, "commit": "0" * 40, "device_name": "another", "threads": 64}.items():
        change("cells.csv", column, value)
    points = RESULTS / "figures/expressivity-scaling.csv"
    points.write_text(points.read_text().replace("seconds,0.00", "seconds,0.01"))
    metrics = json.loads((RESULTS / "metrics.json").read_text())
    metrics["expressivity"]["seconds"] = 99999
    (RESULTS / "metrics.json").write_text(json.dumps(metrics))
    assert codecheck() == 0


def test_memory_and_times_in_tables_and_in_evidence_are_aside(checkout: Path) -> None:
    for name, column in {
        "tables/kernels-cost.csv": "Memory, GB",
        "tables/quantisation-latency.csv": "int8, ms",
        "experiments/expressivity/scaling/digits.csv": "bytes",
    }.items():
        change(name, column, 99999)
    claims = (RESULTS / "claims.json").read_text()
    changed = re.sub(r"time [\d.]+, memory [\d.]+ times", "time 77, memory 88.5 times", claims)
    assert changed != claims
    (RESULTS / "claims.json").write_text(changed)
    assert codecheck() == 0


def test_a_number_may_differ_within_the_tolerance(checkout: Path) -> None:
    recorded = float(pd.read_csv(RESULTS / "cells.csv").test_accuracy[3])
    change("cells.csv", "test_accuracy", recorded - 0.01)
    assert codecheck("--absolute", "0.02") == 0
    assert codecheck("--absolute", "0.005") == 1


def test_a_verdict_that_turns_is_named_whatever_the_tolerance(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claims = json.loads((RESULTS / "claims.json").read_text())
    claims["randomisation"][0]["judgement"] = "fails"
    (RESULTS / "claims.json").write_text(json.dumps(claims))
    assert codecheck("--relative", "10", "--absolute", "1000") == 1
    said = capsys.readouterr().out
    assert "randomisation.true-labels-fitted.judgement: recorded holds, here fails" in said
    total = sum(map(len, claims.values()))
    assert f"{total - 1} of {total} claims have the verdict that is recorded." in said


def test_a_number_in_evidence_is_compared(checkout: Path) -> None:
    claims = (RESULTS / "claims.json").read_text()
    assert "99.79 %" in claims
    (RESULTS / "claims.json").write_text(claims.replace("99.79 %", "98.79 %"))
    assert codecheck() == 1
    assert codecheck("--relative", "0.02") == 0


def test_a_percentage_is_held_to_the_tolerance_of_the_fraction_that_it_is(checkout: Path) -> None:
    claims = (RESULTS / "claims.json").read_text()
    (RESULTS / "claims.json").write_text(claims.replace("99.79 %", "98.79 %"))
    assert codecheck("--absolute", "0.02") == 0
    assert codecheck("--absolute", "0.005") == 1


def test_sizes_of_files_are_compared(checkout: Path) -> None:
    """They are called bytes as well, and are the outcome of the study on quantisation."""
    change("experiments/quantisation/weights/mlp-1x512.csv", "bytes", 99999)
    assert codecheck() == 1


def test_a_missing_file_and_a_missing_line_are_named(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (RESULTS / "tables/bounds-norms.csv").unlink()
    cells = pd.read_csv(RESULTS / "cells.csv", dtype=str, keep_default_na=False)
    cells.drop(index=3).to_csv(RESULTS / "cells.csv", index=False)
    assert codecheck() == 1
    said = capsys.readouterr().out
    assert "tables/bounds-norms.csv: recorded, but not here" in said
    assert str(cells["model"][3]) in said


def test_what_git_does_not_know_cannot_be_compared(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(RESULTS, "results/smoke")
    with pytest.raises(SystemExit, match="2"):
        main(["codecheck", "--preset", "smoke"])
    assert "results/smoke is not recorded in Git at HEAD" in capsys.readouterr().err


def test_no_number_is_equal_to_nothing() -> None:
    assert not Tolerance().allows(1.0, float("nan"))
    assert Tolerance().allows(0.0, 0.0)


def test_the_manifest_names_what_the_workflow_makes() -> None:
    written = (SOURCE / MANIFEST).read_text(encoding="utf-8")
    assert written == manifest("digits", SOURCE / "CITATION.cff"), "renew it: rethinking manifest > codecheck.yml"
    files = [line.removeprefix("- file: ") for line in written.splitlines() if line.startswith("- file: ")]
    assert [file for file in files if not (SOURCE / file).is_file()] == []
