"""Putting the rendered article online: a commit on the branch that GitHub Pages and its like serve.

Where Quarto is installed, it does that. Where it is not, for other remotes than `origin`, and the first time, Git does:
its plumbing makes the commit from the rendered folder and an index of its own, so that neither the working tree nor the
index nor the branch that is checked out is touched. (The first time, Quarto would ask a person, stash what is not
committed, and check out an empty branch.) Either way the site is published as it was rendered and completed, each time
as a commit on the one before: what a page said when someone cited it can be had again.
"""

import tempfile
from pathlib import Path

from rethinking.errors import UserError
from rethinking.publishing.git import git
from rethinking.publishing.quarto import BRANCH, REMOTE, publish_with_quarto

_NO_JEKYLL = ".nojekyll"
"""Has GitHub Pages serve all files as they are. Quarto writes a number into it."""


def publish(
    site: Path, results: Path, *, remote: str = REMOTE, quarto: Path | None = None, dry_run: bool = False
) -> str:
    """Push the folder `site`, rendered from `results`, to BRANCH of `remote`; return one sentence on what was done.

    `quarto` is its program, where there is one. Raises UserError where there is no such remote, where the results are
    not committed, where the article is not there or older than they are, and where what Quarto has pushed is not the
    site. `dry_run` says what would be pushed.
    """
    if remote not in git("remote").splitlines():
        raise UserError(f"there is no Git remote '{remote}' to publish to: add one with git remote add {remote} URL")
    _require_current(site, results)
    before, tree = _published(remote), _tree(site)
    content = _content(tree)
    if before and _content(before) == content:
        return f"Branch {BRANCH} of {remote} holds this article already: nothing was published."
    quarto = quarto if before and remote == REMOTE else None
    what = f"{site}, {len(content)} files, to branch {BRANCH} of {remote}{' with Quarto' if quarto else ''}"
    if dry_run:
        return f"Would publish {what}."
    if quarto:
        publish_with_quarto(quarto, site)
        if _content(_published(remote)) != content:
            raise UserError(f"{quarto} has pushed something else to branch {BRANCH} of {remote} than {site} holds")
    else:
        source = git("rev-parse", "--short", "HEAD")
        parents = ["-p", before] if before else []
        commit = git("commit-tree", tree, *parents, "-m", f"Article {site.name}, from results of {source}")
        git("push", "--quiet", remote, f"{commit}:refs/heads/{BRANCH}")
    return f"Published {what}."


def _published(remote: str) -> str:
    """Return the commit that the remote's branch is at, which is then here too; empty if there is no such branch."""
    commit = git("ls-remote", remote, f"refs/heads/{BRANCH}").split("\t")[0]
    if commit:
        git("fetch", "--quiet", "--no-tags", remote, f"refs/heads/{BRANCH}")
    return commit


def _content(tree: str) -> dict[str, str]:
    """Return the mode and the digest of each file of a tree or commit by its path, what is for Pages alone left out."""
    lines = git("ls-tree", "-r", "-z", tree).rstrip("\0").split("\0")
    files = {path: described for described, path in (line.split("\t", 1) for line in lines if line)}
    return {path: described for path, described in files.items() if path != _NO_JEKYLL}


def _require_current(site: Path, results: Path) -> None:
    """Refuse what a reader could not trace: results that no commit holds, or an article of other results."""
    made = [path for path in results.rglob("*") if path.is_file()]
    page = site / "index.html"
    render = f"make article PRESET={results.name}"
    if not made or not git("ls-files", "--", str(results)):
        raise UserError(f"{results} holds no results that are committed to Git: make and commit them first")
    if git("status", "--porcelain", "--", str(results)):
        raise UserError(f"{results} has changes that are not committed to Git: commit or restore them first")
    if not page.is_file():
        raise UserError(f"{page} is not here: render it with {render}")
    if max(path.stat().st_mtime_ns for path in made) > page.stat().st_mtime_ns:
        raise UserError(f"{page} is older than {results}: render it again with {render}")


def _tree(site: Path) -> str:
    """Write the rendered folder into Git's store as it is and return its tree, with _NO_JEKYLL in it."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        where = (f"--work-tree={site.resolve()}", "-c", "core.autocrlf=false", "-c", "core.safecrlf=false")
        # By force: that articles are ignored by Git is no reason to leave out parts of one.
        git(f"--git-dir={git('rev-parse', '--absolute-git-dir')}", *where, "add", "--all", "--force", ".",
            root=site, variables=index)  # fmt: skip
        empty = git("hash-object", "-w", "--stdin", given=b"")
        git("update-index", "--add", "--cacheinfo", f"100644,{empty},{_NO_JEKYLL}", variables=index)
        return git("write-tree", variables=index)
