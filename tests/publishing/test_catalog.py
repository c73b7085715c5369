"""The project is laid out as the Snakemake workflow catalog asks of a standardized workflow."""

import re
from pathlib import Path

import pytest
import yaml
from snakemake.api import resolve_snakefile

from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.studies.registry import STUDIES

SOURCE = Path(__file__).resolve().parents[2]
CONFIGURATION = SOURCE / "config/README.md"


def test_snakemake_finds_the_workflow_where_the_catalog_looks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SOURCE)
    assert resolve_snakefile(None) == Path("workflow/Snakefile")
    assert list((SOURCE / "workflow/rules").glob("*.smk"))


def test_the_catalogs_file_says_how_the_workflow_is_used() -> None:
    usage = yaml.safe_load((SOURCE / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    preset = usage["mandatory-flags"]["flags"].removeprefix("--config preset=")
    assert load_params(SOURCE / "params.yaml", preset).preset == preset


def test_the_readme_has_the_words_by_which_the_catalog_finds_workflows() -> None:
    readme = (SOURCE / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme
    assert "workflow" in readme


def test_every_entry_of_the_params_is_documented() -> None:
    tables = CONFIGURATION.read_text(encoding="utf-8").split("| entry of `studies`")
    entries, studies = (set(re.findall(r"^\| `(\w+)`", table, flags=re.MULTILINE)) for table in tables)
    assert entries == {*Params.model_fields, "presets"}
    assert studies == set(STUDIES)
