"""The workflow's record says of each figure and table what the article says."""

from pathlib import Path

import pytest

from rethinking.article.settings import settings
from rethinking.params_file import load_params
from rethinking.publishing.captions import captions
from rethinking.results.lineage import Kind
from rethinking.studies.registry import STUDIES

SOURCE = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def found() -> dict[tuple[Kind, str], str]:
    return captions(SOURCE / "report", settings(load_params(SOURCE / "params.yaml", "digits")))


def test_every_figure_and_table_has_its_caption(found: dict[tuple[Kind, str], str]) -> None:
    figures = {("figure", f"{study.name}-{name}") for study in STUDIES.values() for name in study.figures}
    tables = {("table", f"{study.name}-{name}") for study in STUDIES.values() for name in (*study.tables, "claims")}
    assert figures | tables <= set(found)


def test_captions_are_plain_text(found: dict[tuple[Kind, str], str]) -> None:
    marked = [text for text in found.values() if any(mark in text for mark in ("{", "}", "@", "](", "\\", "*", "$"))]
    assert marked == []


def test_what_only_the_article_knows_is_left_out_and_settings_are_said(tmp_path: Path) -> None:
    (tmp_path / "index.qmd").write_text(
        "![Loss of @han2015 ({{< var preset.name >}}) by @eq-loss up to {{< var settings.epochs >}} epochs,"
        ' [51]{.given} there.](_generated/figures/x-y.svg){#fig-y fig-alt="A curve."}\n'
    )
    (text,) = captions(tmp_path, {"epochs": "70"}).values()
    assert text == "Loss of Han 2015 by an equation of the article up to 70 epochs, 51 there."


def test_studies_have_titles(found: dict[tuple[Kind, str], str]) -> None:
    """They begin the captions of their claims, and head their results in the record."""
    titles = {found["table", f"{name}-claims"].partition(": claims, ")[0] for name in STUDIES}
    assert len(titles) == len(STUDIES)
    assert max(map(len, titles)) < 40
