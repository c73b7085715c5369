"""Which renderer is used, and that a site is whole or the one from before."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from rethinking.article.render import find_quarto, render
from rethinking.errors import UserError

FIXTURE = Path(__file__).parent / "fixture"


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report, beside it an old site, and a PATH without Quarto."""
    folder = tmp_path / "report"
    shutil.copytree(FIXTURE, folder)
    site_of(folder).mkdir(parents=True)
    (site_of(folder) / "old.html").write_text("old", encoding="utf-8")
    monkeypatch.setenv("PATH", os.fspath(tmp_path / "bin"))
    return folder


def site_of(report: Path) -> Path:
    return report.parent / "articles" / "digits"


def put_quarto(folder: Path, script: str) -> Path:
    """Write a `quarto` whose argument $2 is the project that it is to render."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "quarto"
    program.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_without_quarto_a_preview_replaces_the_old_site(report: Path) -> None:
    before = names(report)
    page = render(report, site_of(report))
    assert page == site_of(report) / "index.html"
    assert "Preview rendered with pandoc" in page.read_text(encoding="utf-8")
    assert {"index.html", "index.pdf"} <= names(site_of(report))
    assert "old.html" not in names(site_of(report))
    assert names(report) == before
    assert names(site_of(report).parent) == {"digits"}, "nothing is left beside the site"


def test_a_first_render_needs_no_old_site(report: Path) -> None:
    shutil.rmtree(site_of(report).parent)
    assert render(report, site_of(report)).is_file()


def test_quarto_on_path_is_used(report: Path, tmp_path: Path) -> None:
    put_quarto(
        tmp_path / "bin",
        '[ "$1" = render ] && cd "$2" && mkdir _site && echo real >_site/index.html && touch _site/index.pdf',
    )
    assert render(report, site_of(report)).read_text(encoding="utf-8") == "real\n"
    assert names(site_of(report)) == {"index.html", "index.pdf"}


def test_quarto_inside_its_python_package_is_used(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "packages" / "quarto_cli"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(os.fspath(package.parent))
    monkeypatch.delitem(sys.modules, "quarto_cli", raising=False)
    assert find_quarto() is None, "the package without the program that it failed to download"
    assert find_quarto() == put_quarto(package / "bin", "exit 0") or find_quarto() == package / "bin" / "quarto"


def test_a_failing_quarto_leaves_the_old_site(report: Path, tmp_path: Path) -> None:
    put_quarto(
        tmp_path / "bin",
        'mkdir "$2/_site"; echo half >"$2/_site/index.html"; echo "ERROR: in $2/index.qmd"; exit 1',
    )
    before = names(report)
    with pytest.raises(UserError) as caught:
        render(report, site_of(report))
    assert f"ERROR: in {report}/index.qmd" in str(caught.value), "the copy's name means nothing to a person"
    assert "exit status 1" in str(caught.value)
    assert names(site_of(report)) == {"old.html"}
    assert names(report) == before


def test_a_quarto_that_leaves_out_the_pdf_is_an_error(report: Path, tmp_path: Path) -> None:
    put_quarto(tmp_path / "bin", 'mkdir "$2/_site"; touch "$2/_site/index.html"')
    with pytest.raises(UserError, match=r"without _site/index\.pdf"):
        render(report, site_of(report))
    assert names(site_of(report)) == {"old.html"}


@pytest.mark.parametrize("with_quarto", [False, True])
def test_an_undefined_reference_stops_either_renderer(report: Path, tmp_path: Path, with_quarto: bool) -> None:
    if with_quarto:
        put_quarto(tmp_path / "bin", "exit 0")
    section = report / "sections" / "_results.qmd"
    section.write_text("## Results {#sec-results}\n\nSee @fig-none.\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        render(report, site_of(report))
    # What the introduction refers to is gone as well; the first of them in the text is named.
    assert str(caught.value).startswith(os.fspath(report / "sections"))
    assert names(site_of(report)) == {"old.html"}


def test_a_folder_without_a_project_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"_quarto\.yml is missing"):
        render(tmp_path, tmp_path / "site")
