"""Where a page leads for the code: to the web, at its commit, or to this checkout where nothing is on the web."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# https://host/owner/name.git, ssh://git@host:22/owner/name.git, git@host:owner/name.git; a path is none of these.
_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/]+@)?(?P<host>[\w.-]+)(?::\d+)?/|[\w.-]+@(?P<scp>[\w.-]+\.\w+):)"
    r"(?P<path>[\w./~-]+?)(?:\.git)?/?"
)


@dataclass(frozen=True)
class CodeLinks:
    """Addresses of the project's code; each is None where there is nothing to lead to."""

    repository: str = ""
    """The project's address on the web, without a slash at its end."""
    checkout: str = ""
    """The path from the page to a checkout."""

    def file(self, path: str, commit: str | None) -> str | None:
        """Return the address of a file: as it was at the commit, or in the checkout as it is."""
        if self.repository and commit:
            return f"{self.repository}/blob/{commit}/{path}"
        return f"{self.checkout}/{path}" if self.checkout and not self.repository else None

    def commit(self, commit: str) -> str | None:
        """Return the address of what a commit changed."""
        return f"{self.repository}/commit/{commit}" if self.repository else None


def code_links(repo_url: str, root: Path, page: Path) -> CodeLinks:
    """Return where the code of the checkout `root` is read from `page`, the folder of the site.

    That is at `repo_url`, the website's setting, or else where the Git remote origin is on the web, or else in `root`,
    if the code is there.
    """
    if repository := (repo_url.rstrip("/") or _remote(root)):
        return CodeLinks(repository=repository)
    if not (root / "src").is_dir():
        return CodeLinks()
    return CodeLinks(checkout=Path(os.path.relpath(root.absolute(), page.absolute())).as_posix())


def web_address(remote: str) -> str:
    """Return the page of a Git remote; nothing where it is a path."""
    if (found := _REMOTE.fullmatch(remote)) is None:
        return ""
    return f"https://{found['host'] or found['scp']}/{found['path']}"


def _remote(root: Path) -> str:
    if shutil.which("git") is None:
        return ""
    asked = ["git", "remote", "get-url", "origin"]
    done = subprocess.run(asked, cwd=root, capture_output=True, encoding="utf-8", check=False)
    return web_address(done.stdout.strip()) if done.returncode == 0 else ""
