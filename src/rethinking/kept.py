"""A finished run, kept whole beside its outputs until Snakemake has taken note of it.

Snakemake deletes a job's outputs before it runs the job again, and it does so for cells that are long trained: one
whose batch was preempted and put back into the queue, or failed for another cell's sake; one that ended while the
Snakemake that waited for it was killed. Such a job finds its run here and is done at once.

The files are hard links to the outputs, so that they take no space. The workflow removes them when it ends well.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rethinking.cells import RUN_FILES, WEIGHTS_FILE
from rethinking.errors import UserError
from rethinking.files import atomic_path, checksum, write_text
from rethinking.recipe import Recipe

FOLDER = ".kept"
_IDENTITY = "identity"


def identity(recipe: Recipe, code: str, manifest: Path) -> str:
    """Return what a run is: its recipe, the code that trains it and its data, given by the variant's manifest."""
    return f"{recipe.digest()} {code} {checksum(manifest)}"


def is_kept(folder: Path, identity: str) -> bool:
    """Whether the run of this identity is kept in the run folder `folder`."""
    try:
        return (folder / FOLDER / _IDENTITY).read_text(encoding="utf-8") == identity
    except OSError:
        return False


@contextmanager
def keeping(folder: Path, identity: str) -> Iterator[Path]:
    """Yield a folder to write RUN_FILES and WEIGHTS_FILE into; they are kept together if the block ends well.

    Raises UserError if the folder cannot be written.
    """
    unfinished = folder / f"{FOLDER}.part"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        discard(folder)
        unfinished.mkdir(parents=True)
        yield unfinished
        write_text(unfinished / _IDENTITY, identity)
        unfinished.rename(folder / FOLDER)
    except OSError as error:
        raise UserError(f"{folder / FOLDER} cannot be written: {error.strerror}; nothing was changed") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def publish(folder: Path, weights: Path) -> None:
    """Make the kept run the outputs, each whole. The metrics stand for the run: they go first and come last."""
    (folder / "metrics.json").unlink(missing_ok=True)
    _link(folder / FOLDER / WEIGHTS_FILE, weights)
    for name in reversed(RUN_FILES):
        _link(folder / FOLDER / name, folder / name)


def discard(folder: Path) -> None:
    """Forget the run that is kept in the run folder `folder`, if there is one."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def _link(kept: Path, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    linked = output.with_name(f".{output.name}.link.part")
    linked.unlink(missing_ok=True)
    try:
        os.link(kept, linked)
    except OSError:  # no hard links here
        with atomic_path(output) as temporary:
            shutil.copyfile(kept, temporary)
        return
    os.utime(linked)  # an output that is older than the job's inputs counts as not written
    linked.replace(output)
    linked.unlink(missing_ok=True)  # a name that is replaced by another one of the same file stays (POSIX rename)
