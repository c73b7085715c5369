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


# Stands in for Quarto, which is nowhere to be had without network: notes how it was called, and does with Git what
# `quarto publish gh-pages` of Quarto 1.7 does where the branch is there, as its source (src/publish/gh-pages) has it.
QUARTO = """#!/bin/sh -eu
echo "$@" > "$NOTED"
cat "$3/_quarto.yml" >> "$NOTED"
cd "$3"
git fetch -q origin gh-pages
git worktree add -q -B gh-pages new FETCH_HEAD
(
  cd new
  git rm -rq .
  cp -R ../_site/. .
  echo 1a2b3c > .nojekyll
  git add -Af .
  git commit -q --allow-empty -m "Built site for gh-pages"
  git push -q --force origin HEAD:gh-pages
)
git worktree remove new
"""


@pytest.fixture
def quarto(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOTED", str(checkout / "noted"))
    return program(checkout / "quarto", QUARTO)


def program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_quarto_publishes_where_it_is_installed_and_the_branch_is_there(checkout: Path, quarto: Path) -> None:
    assert "with Quarto" not in publish(SITE, RESULTS, quarto=quarto), "it would ask, and change the working tree"
    assert not (checkout / "noted").exists()
    before = git("status", "--porcelain"), git("rev-parse", "HEAD")
    (SITE / "index.html").write_text("second\r\n")
    assert "Would publish" in publish(SITE, RESULTS, quarto=quarto, dry_run=True)
    assert "with Quarto" in publish(SITE, RESULTS, quarto=quarto)
    (called, *project) = (checkout / "noted").read_text().splitlines()
    command, provider, folder, *options = called.split()
    assert (command, provider, options) == ("publish", "gh-pages", ["--no-render", "--no-prompt", "--no-browser"])
    assert project == ["project:", "  type: website", "  output-dir: _site"]
    assert published(checkout, "clone") == {**contents(SITE), ".nojekyll": b"1a2b3c\n"}
    assert commits(checkout) == 2
    assert (git("status", "--porcelain"), git("rev-parse", "HEAD")) == before
    assert not Path(folder).exists()
    assert "nothing was published" in publish(SITE, RESULTS, quarto=quarto)


def test_other_remotes_than_the_one_that_quarto_knows_are_gits(checkout: Path, quarto: Path) -> None:
    git("remote", "rename", "origin", "elsewhere")
    for text in ("first", "second"):
        (SITE / "index.html").write_text(text)
        assert "with Quarto" not in publish(SITE, RESULTS, remote="elsewhere", quarto=quarto)
    assert not (checkout / "noted").exists()


def test_what_quarto_refuses_or_changes_is_said(checkout: Path, quarto: Path) -> None:
    publish(SITE, RESULTS)
    (SITE / "index.html").write_text("second")
    failing = program(checkout / "failing", "#!/bin/sh\necho 'ERROR: Unable to publish to GitHub Pages'\nexit 1\n")
    with pytest.raises(UserError, match=r"could not publish articles/digits.*\n.*Unable to publish to GitHub Pages"):
        publish(SITE, RESULTS, quarto=failing)
    changing = program(checkout / "changing", QUARTO.replace("git add", "echo rendered > index.html\n  git add"))
    with pytest.raises(UserError, match="pushed something else"):
        publish(SITE, RESULTS, quarto=changing)


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
