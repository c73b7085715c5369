"""Rendering the article: with Quarto where it is installed, otherwise as a preview; whole or not at all."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from rethinking.article import preview
from rethinking.errors import UserError
from rethinking.files import require_writable

_LAST_LINES = 25  # of a failed run's output: Quarto ends with the reason and, at times, a stack trace


def render(report: Path, place: Path, add: Callable[[Path], None] = lambda site: None) -> Path:
    """Render the Quarto project `report` into the folder `place` and return its page, index.html; the PDF lies beside.

    `add` is called with the folder of the rendered site, before it takes its place, to put further pages there.

    Quarto is used where it is found, otherwise pandoc, and the page then says that it is a preview. Both
    refuse the same sources (see `preview.check`): Quarto alone would print "?fig-x" and go on. An existing
    site is replaced once the new one is complete. Raises UserError where the sources or the run fail.
    """
    for source in ("_quarto.yml", "index.qmd"):
        if not (report / source).is_file():
            raise UserError(f"{report / source} is missing: the article is rendered from a Quarto project")
    require_writable(place.parent)
    quarto = find_quarto()
    with tempfile.TemporaryDirectory(prefix=".site-", dir=place.parent) as folder:
        site = Path(folder, "_site")
        if quarto:
            preview.check(report)
            _run_quarto(quarto, report, site)
        else:
            site.mkdir()
            preview.render(report, site)
        add(site)
        _swap(site, place, Path(folder, "old"))
    return place / "index.html"


def find_quarto() -> Path | None:
    """Return the `quarto` on PATH, else the one inside the Python package `quarto-cli`, else None."""
    if found := shutil.which("quarto"):
        return Path(found)
    package = importlib.util.find_spec("quarto_cli")
    for folder in (package.submodule_search_locations or []) if package else []:
        # The package's installer puts Quarto here, and leaves nothing where its download failed.
        if inside := shutil.which("quarto", path=Path(folder, "bin")):
            return Path(inside)
    return None


def _run_quarto(quarto: Path, report: Path, site: Path) -> None:
    """Render a copy of the project: Quarto empties its output folder first and leaves caches beside it."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "report")
        shutil.copytree(report, copy, ignore=shutil.ignore_patterns("_site", ".site-*", ".quarto"))
        done = subprocess.run(
            [os.fspath(quarto), "render", os.fspath(copy)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        output = done.stdout.replace(os.fspath(copy), os.fspath(report)).rstrip().splitlines()
        tail = "\n".join(output[-_LAST_LINES:])
        if done.returncode:
            raise UserError(f"{quarto} could not render {report} (exit status {done.returncode}):\n{tail}")
        for name in ("index.html", "index.pdf"):
            if not (copy / "_site" / name).is_file():
                raise UserError(
                    f"{quarto} rendered {report} without _site/{name}: _quarto.yml needs both formats, html"
                    f" and typst, and the output-dir _site\n{tail}"
                )
        shutil.copytree(copy / "_site", site)


def _swap(new: Path, place: Path, old: Path) -> None:
    """Put the folder `new` at `place`; what was there comes back where that fails."""
    if place.exists():
        place.rename(old)
    try:
        new.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
