"""What the article's sources read of a preset's results."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from rethinking.article.assemble import assemble, variables
from rethinking.article.full_size import full_size_verdicts
from rethinking.article.settings import execution_table, settings_table
from rethinking.article.verdict_counts import verdict_counts
from rethinking.article.verdicts import LONGEST, verdict_markdown
from rethinking.errors import UserError
from rethinking.experiments.records import ExperimentRecord
from rethinking.params_file import load_params
from rethinking.results.beside import AGREES, DIFFERS, NOT_RUN, OTHER_DATA
from rethinking.results.frame import Results
from rethinking.results.titles import model_title

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "paper")

CELLS = pd.DataFrame(
    {
        "dataset": "cifar10",
        "model": ["alexnet", "mlp-1x512", "mlp-1x512"],
        "corruption": ["true", "true", "random-labels"],
        "regularizer": "none",
        "seed": 0,
        "parameters": [1_387_786, 1_209_866, 1_209_866],
        "status": ["finished", "finished", "diverged"],
        "seconds": [90.0, 30.0, 60.0],
        "device": ["cuda", "cuda", "cpu"],
        "device_name": ["H200", "H200", "x86"],
        "precision": ["bfloat16", "bfloat16", "float32"],
    }
)
REGRESSION = ExperimentRecord(
    study="bias_variance",
    kind="regression",
    unit="all",
    preset="paper",
    digest="0" * 16,
    settings={},
    cells={},
    variants={},
    table="",
    networks=None,
    seconds=120.0,
    code="0" * 16,
    modules={},
    commit=None,
    uncommitted_changes=None,
    command="",
    provenance={"device": "cpu"},
)
RESULTS = Results(PARAMS, CELLS, pd.DataFrame(), [REGRESSION])

METRICS = {
    "randomisation": {
        "inception": {"test_accuracy_true": 0.8905, "time_to_overfit_true": 10.0, "train_accuracy_random": None}
    },
    "claims": {"holds": 1, "differs": 0, "not_run": 1},
}
CLAIMS = {
    "randomisation": [
        {"key": "fitted", "statement": "S.", "source": "T", "judgement": "holds", "evidence": "lowest 99.30 %"},
        {"key": "chance", "statement": "S.", "source": "T", "judgement": "not run", "evidence": ""},
    ]
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A preset's finished results."""
    folder = tmp_path / "results" / "paper"
    for path, text in (
        ("tables/randomisation-table1.md", "| a |\n| :--- |\n"),
        ("tables/randomisation-table1.csv", "a\n"),
        ("figures/randomisation-figure1a.svg", "<svg/>"),
        ("metrics.json", json.dumps(METRICS)),
        ("claims.json", json.dumps(CLAIMS)),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    return [value]


def test_every_variable_is_text_as_it_is_to_be_shown(source: Path, tmp_path: Path) -> None:
    """A reader of YAML must not turn 0.95 or 70 back into numbers, and write them its own way."""
    assemble(RESULTS, source, tmp_path / "report")
    content = yaml.safe_load((tmp_path / "report" / "_variables.yml").read_text(encoding="utf-8"))
    at_full_size = {
        **{"full_size": {"run": "0"}, "full_size_sweep": {"run": "0"}},
        "full_size_claims": full_size_verdicts(source.parent, CLAIMS),
    }
    expected = variables(RESULTS, METRICS, CLAIMS) | at_full_size | {"beside": verdict_counts(source)}
    assert content == expected
    assert all(isinstance(leaf, str) for leaf in leaves(content))


def test_variables_say_preset_settings_and_numbers() -> None:
    found = variables(RESULTS, METRICS, CLAIMS)
    assert found["preset"] == {
        "name": "paper",
        "dataset": "CIFAR-10",
        "images": "60,000 colour photographs of 32 by 32 pixels, in ten classes",
        "seeds": "1 seed",
        "cells": "3",
        "experiments": "1",
        "minutes": "5",
        "devices": "CPUs and GPUs",
        "diverged": "1",
    }
    settings = found["settings"]
    assert (settings["decay"], settings["momentum"], settings["crop"]) == ("0.95", "0.9", "28")
    assert (settings["overfit_loss"], settings["rotation"]) == ("0.05", "25")
    assert found["randomisation"]["inception"] == {
        "test_accuracy_true": "89.05 %",
        "time_to_overfit_true": "10",
        "train_accuracy_random": "not available",
    }
    assert found["claims"] == {"total": "2", "holds": "1", "differs": "0", "not_run": "1"}


def test_verdicts_are_counted_over_all_tables_but_those_of_claims(source: Path) -> None:
    for name, text in (
        ("randomisation-table1", f"Model,Verdict\nA,{AGREES}\nB,{DIFFERS}\nC,{OTHER_DATA}\nD,\n"),
        ("kernels-errors", f'"Verdict, within 2 %",Ours\n{AGREES},{AGREES}\n{NOT_RUN},not run\n'),
        ("kernels-claims", f"Claim,Verdict\nA,{NOT_RUN}\n"),
    ):
        (source / "tables" / f"{name}.csv").write_text(text, encoding="utf-8")
    assert verdict_counts(source) == {"total": "5", "agree": "2", "differ": "1", "other_data": "1", "not_run": "1"}


def test_the_papers_values_are_its_own() -> None:
    """By its Table 1, the text of its Section 5, and the coordinates of its Figures 1 and 2."""
    papers = variables(RESULTS, METRICS, CLAIMS)["papers"]
    assert papers["table1"]["alexnet"] == {"parameters": "1,387,786", "test_accuracy": "76.07 %"}
    assert papers["table3"]["mnist_gabor"] == {"error": "0.6 %", "norm": "390"}
    assert papers["table3"]["cifar10_convolutional"] == {"error": "17 %", "error_ridge": "15 %", "filters": "32,000"}
    assert papers["figure1a"] == {"steps_an_epoch": "391", "epochs": "69"}
    assert papers["figure1c"]["inception"]["test_accuracy"] == "87.15 %"
    assert papers["figure2a"]["weight_decay_alone"]["train_accuracy"] == "99.61 %"
    assert papers["figure2b"]["epochs"] == "51"
    assert papers["figure2b"]["inception_wo_bn"]["test_accuracy"] == "84.92 %"


def test_a_verdict_stands_with_its_evidence_and_leads_to_the_list_of_claims() -> None:
    verdicts = variables(RESULTS, METRICS, CLAIMS)["verdict"]["randomisation"]
    assert verdicts == {
        "fitted": "[[holds here](claims.qmd#claim-randomisation-fitted)]{#said-randomisation-fitted}: lowest 99.30 %",
        "chance": "[[not run here](claims.qmd#claim-randomisation-chance)]{#said-randomisation-chance}",
    }


@pytest.mark.parametrize(
    ("judgement", "length", "shown"),
    [("holds", LONGEST, True), ("holds", LONGEST + 1, False), ("differs", LONGEST + 1, True)],
)
def test_a_sentence_bears_short_evidence_and_always_how_a_claim_differs(
    judgement: str, length: int, shown: bool
) -> None:
    record = {"key": "fitted", "judgement": judgement, "evidence": "7" * length}
    assert (record["evidence"] in verdict_markdown("randomisation", record)) is shown


def test_each_claim_has_a_line_that_leads_back_to_its_sentence(source: Path, tmp_path: Path) -> None:
    assemble(RESULTS, source, tmp_path / "report")
    table = tmp_path / "report" / "_generated" / "tables" / "randomisation-claims.md"
    assert table.read_text(encoding="utf-8").replace("\u00a0", "~").splitlines()[2:] == [
        "| [S.]{#claim-randomisation-fitted} | T | [✓~holds](index.qmd#said-randomisation-fitted) | lowest 99.30 % |",
        "| [S.]{#claim-randomisation-chance} | T | [–~not~run](index.qmd#said-randomisation-chance) | – |",
    ]


def test_tables_and_figures_are_those_of_this_preset_alone(source: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    old = report / "_generated" / "figures" / "of-another-preset.svg"
    old.parent.mkdir(parents=True)
    old.write_text("<svg/>")
    (report / "index.qmd").write_text("prose")
    assemble(RESULTS, source, report)
    generated = {str(path.relative_to(report)) for path in report.rglob("*") if path.is_file()}
    assert generated == {
        "index.qmd",
        "_variables.yml",
        "_generated/tables/randomisation-table1.md",
        "_generated/tables/randomisation-claims.md",
        "_generated/tables/settings.md",
        "_generated/tables/full-size.md",
        "_generated/tables/full-size-sweep.md",
        "_generated/tables/execution.md",
        "_generated/figures/randomisation-figure1a.svg",
    }
    assert (report / "_generated/tables/randomisation-table1.md").read_text() == "| a |\n| :--- |\n"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("tables/randomisation-table1.md", "tables is empty or missing; run the preset first"),
        ("figures/randomisation-figure1a.svg", "figures is empty or missing; run the preset first"),
        ("metrics.json", r"metrics\.json is missing; run the preset first"),
        ("claims.json", r"claims\.json is missing; run the preset first"),
    ],
)
def test_missing_results_are_said(source: Path, tmp_path: Path, missing: str, said: str) -> None:
    (source / missing).unlink()
    with pytest.raises(UserError, match=said):
        assemble(RESULTS, source, tmp_path / "report")
    assert not (tmp_path / "report" / "_variables.yml").exists()


def test_damaged_results_are_said(source: Path, tmp_path: Path) -> None:
    (source / "claims.json").write_text("{")
    with pytest.raises(UserError, match=r"claims\.json is damaged \(.*\); delete it and run again"):
        assemble(RESULTS, source, tmp_path / "report")


def test_settings_table_has_the_models_with_the_papers_rates() -> None:
    table = settings_table(RESULTS)
    rates = {row[0]: row[4] for row in table.rows}
    papers = {"Inception": 0.1, "Inception w/o BatchNorm": 0.1, "AlexNet": 0.01, "MLP 3×512": 0.01, "MLP 1×512": 0.01}
    own = {model_title(name): model.initial_learning_rate for name, model in PARAMS.models.items()}
    assert rates == own | papers
    assert len(rates) == len(PARAMS.models)
    assert "| AlexNet | 1,387,786 | 1 | truncated normal | 0.01 | 0.004 | hidden linear |" in table.markdown()
    assert "| Inception | – | 1 |" in table.markdown()


def test_execution_table_counts_every_cell_once() -> None:
    assert execution_table(RESULTS).rows == [["cpu", "x86", "float32", 1, 1.0], ["cuda", "H200", "bfloat16", 2, 2.0]]
