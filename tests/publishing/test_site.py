"""What is published is the rendered site, once, and only where a reader can trace it."""

import os
import subprocess
from pathlib import Path

import pytest

from rethinking.errors import UserError
from rethinking.publishing.site import publish

RESULTS, SITE = Path("results/digits"), Path("articles/digits")


def git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with committed results, an article that Git ignores, and a bare repository as remote."""
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "A")
        monkeypatch.setenv(f"{name}_EMAIL", "a@example.org")
    git("init", "-q", "--bare", str(tmp_path / "remote.git"))
    project = tmp_path / "project"
    (project / RESULTS).mkdir(parents=True)
    monkeypatch.chdir(project)
    git("init", "-q")
    git("remote", "add", "origin", str(tmp_path / "remote.git"))
    Path(".gitignore").write_text("/articles/?*/\n*.pdf\n")
    (RESULTS / "cells.csv").write_text("a\n1\n")
    git("add", "-A")
    git("commit", "-qm", "Results")
    (SITE / "_generated").mkdir(parents=True)
    (SITE / "_generated/figure.svg").write_text("<svg/>\r\n")
    (SITE / "index.html").write_text("first\r\n")
    (SITE / "index.pdf").write_bytes(b"%PDF\x00")
    return tmp_path


def published(checkout: Path, folder: str) -> dict[str, bytes]:
    git("clone", "-q", "--branch", "gh-pages", str(checkout / "remote.git"), str(checkout / folder))
    return contents(checkout / folder)


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return {name: content for name, content in found.items() if not name.startswith(".git/")}


def commits(checkout: Path) -> int:
    return int(git("-C", str(checkout / "remote.git"), "rev-list", "--count", "gh-pages"))


def test_what_is_published_is_the_rendered_site(checkout: Path) -> None:
    before = git("status", "--porcelain"), git("rev-parse", "HEAD")
    publish(SITE, RESULTS)
    assert published(checkout, "clone") == {**contents(SITE), ".nojekyll": b""}
    assert (git("status", "--porcelain"), git("rev-parse", "HEAD")) == before


def test_what_has_not_changed_is_not_published_again(checkout: Path) -> None:
    publish(SITE, RESULTS)
    assert "nothing was published" in publish(SITE, RESULTS)
    assert commits(checkout) == 1


def test_history_is_kept_and_files_that_are_gone_go(checkout: Path) -> None:
    publish(SITE, RESULTS)
    (SITE / "index.html").write_text("second")
    (SITE / "index.pdf").unlink()
    publish(SITE, RESULTS)
    assert commits(checkout) == 2
    assert published(checkout, "clone") == {**contents(SITE), ".nojekyll": b""}


def test_another_clone_goes_on_from_what_is_published(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(SITE, RESULTS)
    git("clone", "-q", ".", str(checkout / "other"))
    monkeypatch.chdir(checkout / "other")
    git("remote", "set-url", "origin", str(checkout / "remote.git"))
    SITE.mkdir(parents=True)
    (SITE / "index.html").write_text("from elsewhere")
    publish(SITE, RESULTS)
    assert commits(checkout) == 2


def test_a_dry_run_publishes_nothing(checkout: Path) -> None:
    assert "Would publish" in publish(SITE, RESULTS, dry_run=True)
    assert git("ls-remote", "origin") == ""


def test_refusals_are_sentences(checkout: Path) -> None:
    with pytest.raises(UserError, match="no Git remote 'elsewhere'"):
        publish(SITE, RESULTS, remote="elsewhere")
    times = (SITE / "index.html").stat().st_mtime + 10
    os.utime(RESULTS / "cells.csv", (times, times))
    with pytest.raises(UserError, match="is older than"):
        publish(SITE, RESULTS)
    (RESULTS / "cells.csv").write_text("a\n2\n")
    with pytest.raises(UserError, match="not committed"):
        publish(SITE, RESULTS)
    git("checkout", "-q", "results")
    (SITE / "index.html").unlink()
    with pytest.raises(UserError, match="is not here"):
        publish(SITE, RESULTS)
    assert git("ls-remote", "origin") == ""
