"""The files that pages are made with and load, in folders of this package."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path


@contextmanager
def assets(folder: str) -> Iterator[Path]:
    """Open a folder of this package: `preview`, `explorer` or `frame`."""
    with resources.as_file(resources.files("rethinking.article") / folder) as opened:
        yield opened


def copy_frame(site: Path) -> None:
    """Put into `site` the style and the theme switch that the preview's pages and the page of runs have in common."""
    with assets("frame") as folder:
        for file in sorted(folder.iterdir()):
            shutil.copyfile(file, site / file.name)
