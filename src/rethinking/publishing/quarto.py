"""Publishing with Quarto: `quarto publish gh-pages`, of a site that is rendered and complete."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from rethinking.errors import UserError

REMOTE, BRANCH = "origin", "gh-pages"
"""Quarto publishes to these, and to no others."""

_PROJECT = "project:\n  type: website\n  output-dir: _site\n"
_LAST_LINES = 15  # of a failed run's output


def publish_with_quarto(quarto: Path, site: Path) -> None:
    """Have `quarto` commit the folder `site` as it is to BRANCH of REMOTE, which is there already, and push it.

    Quarto publishes what it takes for a project's output: the site is copied into a project that has nothing else. It
    lies inside the checkout, as Quarto calls Git from there. Raises UserError where Quarto fails.
    """
    with tempfile.TemporaryDirectory(prefix=".site-", dir=site.parent) as folder:
        Path(folder, "_quarto.yml").write_text(_PROJECT, encoding="utf-8")
        shutil.copytree(site, Path(folder, "_site"))
        done = subprocess.run(
            [str(quarto), "publish", BRANCH, folder, "--no-render", "--no-prompt", "--no-browser"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    if done.returncode:
        tail = "\n".join(done.stdout.rstrip().splitlines()[-_LAST_LINES:])
        raise UserError(f"{quarto} could not publish {site} (exit status {done.returncode}):\n{tail}")
