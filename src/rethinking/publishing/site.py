"""Putting the rendered article online: a commit on the branch that GitHub Pages and its like serve.

Git's plumbing makes the commit from the rendered folder and an index of its own, so that neither the working tree nor
the index nor the branch that is checked out is touched. Whether Quarto or the preview rendered the site, it is
published in the same way. Each publication is a commit on the one before: what a page said when someone cited it can
be had again, and nothing is ever pushed by force.
"""

import tempfile
from pathlib import Path

from rethinking.errors import UserError
from rethinking.publishing.git import git

BRANCH = "gh-pages"


def publish(site: Path, results: Path, *, remote: str = "origin", branch: str = BRANCH, dry_run: bool = False) -> str:
    """Push the folder `site`, rendered from `results`, to `branch` of `remote`; return one sentence on what was done.

    Raises UserError where there is no such remote, where the results are not committed, and where the article is not
    there or older than they are. `dry_run` says what would be pushed.
    """
    if remote not in git("remote").splitlines():
        raise UserError(f"there is no Git remote '{remote}' to publish to: add one with git remote add {remote} URL")
    _require_current(site, results)
    before = git("ls-remote", remote, f"refs/heads/{branch}").split("\t")[0]
    if before:
        git("fetch", "--quiet", "--no-tags", remote, f"refs/heads/{branch}")
    tree = _tree(site)
    if before and git("rev-parse", f"{before}^{{tree}}") == tree:
        return f"Branch {branch} of {remote} holds this article already: nothing was published."
    files = len(git("ls-tree", "-r", "--name-only", tree).splitlines())
    if dry_run:
        return f"Would publish {site}, {files} files, to branch {branch} of {remote}."
    source = git("rev-parse", "--short", "HEAD")
    parents = ["-p", before] if before else []
    commit = git("commit-tree", tree, *parents, "-m", f"Article {site.name}, from results of {source}")
    git("push", "--quiet", remote, f"{commit}:refs/heads/{branch}")
    return f"Published {site}, {files} files, to branch {branch} of {remote}."


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
    """Write the rendered folder into Git's store as it is and return its tree; `.nojekyll` has all of it served."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        where = (f"--work-tree={site.resolve()}", "-c", "core.autocrlf=false", "-c", "core.safecrlf=false")
        # By force: that articles are ignored by Git is no reason to leave out parts of one.
        git(f"--git-dir={git('rev-parse', '--absolute-git-dir')}", *where, "add", "--all", "--force", ".",
            root=site, variables=index)  # fmt: skip
        empty = git("hash-object", "-w", "--stdin", given=b"")
        git("update-index", "--add", "--cacheinfo", f"100644,{empty},.nojekyll", variables=index)
        return git("write-tree", variables=index)
