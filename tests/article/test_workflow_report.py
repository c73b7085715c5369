"""The workflow's record beside the article: complete, readable without network, and without influence on what runs."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from browser import chromium, page

from project import Project
from rethinking.studies.registry import STUDIES

pytestmark = pytest.mark.slow

SITE = Path("articles/smoke")


@pytest.fixture(scope="module")
def finished(smoke_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose smoke preset has run to its end, with the workflow's record."""
    project = smoke_run.copy_of_all(tmp_path_factory.mktemp("report") / "project")
    report(project)
    return project


def report(project: Project) -> None:
    answer = project.command("rethinking", "report", "--preset", "smoke")
    assert answer.returncode == 0, answer.stderr


def held(project: Project, name: str) -> Any:
    """Return what the record holds in its script of that name."""
    text = (project.root / SITE / "record.html").read_text(encoding="utf-8")
    found = re.search(rf'<script id="{name}">\s*var \w+ = (.*);$', text, flags=re.MULTILINE)
    assert found is not None
    return json.loads(found[1])


def outputs() -> set[str]:
    figures = {f"figures/{study.name}-{name}.svg" for study in STUDIES.values() for name in study.figures}
    tables = {f"tables/{study.name}-{name}.csv" for study in STUDIES.values() for name in study.tables}
    return {f"results/smoke/{name}" for name in figures | tables | {"claims.json", "cells.csv"}} | {"params.yaml"}


def test_marking_outputs_for_it_makes_nothing_run(finished: Project) -> None:
    assert finished.to_do("--config", "preset=smoke") == {}


def test_it_holds_every_figure_and_table_the_claims_the_runs_and_the_settings(finished: Project) -> None:
    results = held(finished, "results")
    assert set(results) == outputs()
    assert [name for name, each in results.items() if not each["caption"]] == []
    drawn = [each for name, each in results.items() if name.startswith(("results/smoke/fig", "results/smoke/tab"))]
    assert all(each["labels"]["Caption"] for each in drawn)
    assert len(held(finished, "categories")) == len(STUDIES) + 3
    for claim in json.loads((finished.root / "results/smoke/claims.json").read_text())["randomisation"]:
        assert claim["statement"].split(":")[0] in results["results/smoke/claims.json"]["caption"]
    assert "corruption_seed" in results["params.yaml"]["caption"]


def test_it_has_the_rules_and_how_long_their_jobs_took(finished: Project) -> None:
    rules = {"fetch", "corrupt_labels", "train", "experiment", "collect", "table", "figure", "summary", "article"}
    assert rules <= set(held(finished, "rules"))
    taken = held(finished, "runtimes")["data"]["values"]
    assert rules <= {each["rule"] for each in taken}
    assert all(each["runtime"] >= 0 for each in taken)


def test_a_browser_shows_it_without_network_and_without_an_error(finished: Project) -> None:
    with (
        chromium() as browser,
        # Tailwind and Vega, which Snakemake packs into it, warn of their own use.
        page(browser, (finished.root / SITE / "record.html").as_uri(), levels=("error",)) as opened,
    ):
        for text in ("Statistics", "Randomisation tests", "Figures"):
            opened.get_by_text(text, exact=True).first.click()
        opened.locator("nav tbody a").first.click()
        opened.wait_for_function("[...document.images].some(image => image.naturalWidth > 300)")


def test_the_page_on_reproducing_leads_to_it_once(finished: Project) -> None:
    report(finished)
    assert (finished.root / SITE / "reproduce.html").read_text(encoding="utf-8").count('href="record.html"') == 1


def test_results_that_came_with_git_have_one_too(finished: Project, tmp_path: Path) -> None:
    """Without runs, data and what Snakemake knows of them: what it has is complete, and times are missing."""
    clone = finished.copy_of_all(tmp_path / "clone")
    for name in ("runs", "weights", "data", ".snakemake"):
        shutil.rmtree(clone.root / name)
    report(clone)
    assert set(held(clone, "results")) == outputs()
    assert held(clone, "runtimes")["data"]["values"] == []


def test_there_is_none_without_an_article(finished: Project) -> None:
    answer = finished.command("rethinking", "report", "--preset", "digits")
    assert answer.returncode == 2
    assert answer.stderr == (
        "rethinking: articles/digits holds no article that the record could lie beside: make article PRESET=digits\n"
    )
