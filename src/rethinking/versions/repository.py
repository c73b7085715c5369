"""The checkout as DVC sees it, and which of its folders are versioned for a preset."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rethinking.errors import UserError
from rethinking.locks import is_abandoned
from rethinking.plan import Plan

RUNS, WEIGHTS, ARTICLES, DATA = Path("runs"), Path("weights"), Path("articles"), Path("data")


def versioned_folders(plan: Plan, *, weights: bool = True) -> list[Path]:
    """Return the folders that hold what the whole preset of `plan` needs and leaves, whether they are there or not.

    A folder is recorded by a file of its name with the ending .dvc. Variants of data sets are shared by presets.
    """
    preset = plan.params.preset
    variants = {(dataset, name) for dataset, used in plan.all_variants for name in ("true", used)}
    return [
        *(DATA / dataset / corruption for dataset, corruption in sorted(variants)),
        RUNS / preset,
        *([WEIGHTS / preset] if weights else []),
        ARTICLES / preset,
    ]


def record_file(folder: Path) -> Path:
    """Return the .dvc file that records `folder`."""
    return folder.with_name(f"{folder.name}.dvc")


class NotACheckout(UserError):
    """The project's folder is no Git checkout, so that DVC has nothing to version in."""


@contextmanager
def open_repository(root: Path = Path()) -> Iterator[Any]:
    """Yield DVC's repository at `root`. Raises NotACheckout where there is none, and UserError where another DVC
    command holds it.
    """
    # DVC takes a second to import: only where it is used.
    from dvc.exceptions import NotDvcRepoError
    from dvc.lock import LockError
    from dvc.repo import Repo
    from dvc.rwlock import RWLockFileFormatError
    from dvc.scm import SCMError

    # What DVC says on the way (how to track files with Git, which objects are missing) is said here in its place.
    for library in ("dvc", "dvc_data", "dvc_objects"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    try:
        with Repo(str(root)) as repository:
            yield repository
    except (NotDvcRepoError, SCMError) as error:
        raise NotACheckout(
            f"{root.resolve()} is not a Git checkout, and DVC versions only there: clone the project instead of "
            "copying its files, or run `git init`"
        ) from error
    except LockError as error:
        raise UserError("another DVC command is running in this folder: wait until it has ended") from error
    except RWLockFileFormatError as error:
        raise UserError(f".dvc/tmp/rwlock is damaged ({error}): delete it and run again") from error


def output_at(repository: Any, folder: Path) -> Any:
    """Return DVC's output for a recorded folder."""
    (output,) = repository.find_outs_by_path(str(folder))
    return output


def recorded_tree(output: Any) -> dict[str, str] | None:
    """Return path (below the folder) -> md5 of every file recorded, or None if the list itself is not in the cache."""
    tree = output.get_obj()
    return None if tree is None else {"/".join(key): hash_info.value for key, _, hash_info in tree}


def present_files(repository: Any, folder: Path) -> set[str]:
    """Return the paths, below `folder`, of all files in it that DVC does not ignore."""
    found = set()
    for top, _, names in repository.dvcignore.walk(repository.fs, str(folder.absolute())):
        found |= {str((Path(top) / name).relative_to(folder.absolute())) for name in names}
    return found


def is_whole(plan: Plan, folder: Path) -> bool:
    """Whether nothing is missing in a preset's folder of runs or weights: each cell of the preset has its file there.

    Other folders are made by one job each and are whole where they are.
    """
    preset = plan.params.preset
    if folder == WEIGHTS / preset:
        left = (each.networks_path(preset) for each in plan.all_experiments if each.leaves_networks)
        return all(Path(path).is_file() for path in (*(cell.weights_path(preset) for cell in plan.all_cells), *left))
    if folder == RUNS / preset:
        return all(Path(cell.run_folder(preset), "metrics.json").is_file() for cell in plan.all_cells)
    return True


def is_being_made(folder: Path) -> bool:
    """Whether a Snakemake process that is still alive has announced that it writes files of `folder`."""
    locks = (lock for lock in Path(".snakemake/locks").glob("*.output.lock") if not is_abandoned(lock))
    return any(line.startswith(f"{folder}/") for lock in locks for line in lock.read_text().splitlines())
