"""Recording in .dvc files what lies in the versioned folders, without dropping what is recorded but not here."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rethinking.plan import Plan
from rethinking.versions.repository import (
    is_being_made,
    is_whole,
    open_repository,
    output_at,
    present_files,
    record_file,
    recorded_tree,
    versioned_folders,
)


@dataclass(frozen=True)
class Recorded:
    """What recording did, folder by folder."""

    changed: list[Path]
    """Folders whose .dvc file is new or another one now."""
    skipped: list[str]
    """A sentence for each folder that could not be recorded."""


def record(plan: Plan, *, stage: bool) -> Recorded:
    """Record the versioned folders of the plan's preset that are here.

    Files that are recorded but not here stay recorded: after a narrowed run, and in a clone that holds runs without
    their weights. With `stage`, DVC's stage of the preset is marked as up to date too: say so only after the whole
    preset has run. Raises UserError while another DVC command runs, and NotACheckout where there is no Git.
    """
    changed, skipped = [], []
    with open_repository() as repository:
        targets: list[Path] = []
        before = {}
        for folder in filter(Path.is_dir, versioned_folders(plan)):
            if is_being_made(folder):
                skipped.append(
                    f"{folder} is not recorded: another run is writing it and will record it when it has ended"
                )
                continue
            before[folder] = _content(record_file(folder))
            parts = _parts_to_add(repository, plan, folder)
            if parts is None:
                skipped.append(
                    f"{folder} is not recorded: {record_file(folder)} lists files that are not here, and its list is "
                    "not in DVC's cache; run `make pull` for it, then `make` again"
                )
            else:
                targets += parts
        if targets:
            repository.add([str(target) for target in targets])
        changed = [folder for folder, content in before.items() if _content(record_file(folder)) != content]
        # Within `dvc repro` the stage is DVC's own to commit.
        if stage and not skipped and not os.environ.get("DVC_STAGE"):
            repository.commit(f"reproduce@{plan.params.preset}", force=True)
    return Recorded(changed, skipped)


def _parts_to_add(repository: Any, plan: Plan, folder: Path) -> list[Path] | None:
    """Return the fewest paths whose adding drops nothing that is recorded; None where that cannot be known."""
    if not record_file(folder).exists():
        return [folder]
    recorded = recorded_tree(output_at(repository, folder))
    if recorded is None:
        # A preset that is whole replaces its record; what that held stays in Git's history and at the remote.
        return [folder] if is_whole(plan, folder) else None
    return [folder / part for part in whole_parts(present_files(repository, folder), set(recorded))]


def whole_parts(present: set[str], recorded: set[str]) -> list[str]:
    """Return the fewest folders and files that together hold all `present` paths and none that is only `recorded`.

    Paths are relative, with slashes; "." stands for everything.
    """
    absent = recorded - present
    if not present:
        return []
    if not absent:
        return ["."]
    incomplete = {parent for path in absent for parent in _parents(path)}
    parts = set()
    for path in present:
        above = [parent for parent in _parents(path) if parent not in incomplete]
        parts.add(above[0] if above else path)
    return sorted(parts)


def _parents(path: str) -> list[str]:
    """Return the folders above a path, the outermost first."""
    steps = path.split("/")
    return ["/".join(steps[:depth]) for depth in range(1, len(steps))]


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
