"""Bringing what is recorded to a remote and back: every object checked, nothing lost, failures in sentences."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rethinking.errors import UserError
from rethinking.files import atomic_path, checksum
from rethinking.plan import Plan
from rethinking.versions.problems import remote_named, remote_problems
from rethinking.versions.repository import (
    RUNS,
    WEIGHTS,
    open_repository,
    output_at,
    present_files,
    record_file,
    recorded_tree,
    versioned_folders,
)

NAMED = 3  # of many files that share a problem, this many are named


@dataclass(frozen=True)
class Transferred:
    """What a push or a pull did."""

    remote: str
    folders: list[Path]
    copied: int
    """Objects that were not there yet."""


def push(plan: Plan, *, weights: bool = True, remote: str | None = None) -> Transferred:
    """Bring what is recorded of the plan's preset to the remote (DVC's default one where None).

    Raises UserError where nothing is recorded or in DVC's cache, where recorded files are neither here nor at the
    remote, and where the remote cannot be written; what could be copied stays there, and pushing again goes on.
    """
    with open_repository() as repository:
        outputs = _recorded_outputs(repository, plan, weights)
        cache = repository.cache.local
        wanted = _lists(outputs)
        if unknown := [folder for info, folder in wanted.items() if not cache.exists(info.value)]:
            raise UserError(
                f"DVC's cache here has nothing of {', '.join(unknown)}, which were neither made nor pulled in this "
                "clone: push from where they were, or `make pull` first"
            )
        for folder, output in outputs.items():
            wanted |= _files(folder, output)
        if damaged := _drop_damaged(cache, wanted):
            raise UserError(
                f"DVC's cache held damaged copies of {_some(wanted[info] for info in damaged)}, and they were removed; "
                "`rethinking record` stores them anew from the files here, `make pull` fetches them; then push again"
            )
        name, store = remote_named(repository, remote)
        with remote_problems(name, store):
            there = _at(store, wanted)
            repository.cloud.push([info for info in wanted if info not in there], odb=store)
            lacking = wanted.keys() - _at(store, wanted)
        if lacking:
            raise UserError(
                f"remote '{name}' still lacks {_some(wanted[info] for info in lacking)}, of which "
                f"{sum(not cache.exists(info.value) for info in lacking)} are not in DVC's cache here either: pull "
                "those from where they are, or `make` them again; then push again"
            )
        return Transferred(name, list(outputs), len(wanted) - len(there))


def pull(plan: Plan, *, weights: bool = True, remote: str | None = None) -> Transferred:
    """Bring what is recorded of the plan's preset here from the remote (DVC's default one where None).

    Everything is fetched into DVC's cache and its checksum compared before a file here is touched. Raises UserError
    where nothing is recorded, where files here would be replaced that are recorded nowhere, where the remote cannot be
    read, has nothing of the preset or holds a damaged object: then no file here has changed. Where the remote lacks
    some objects, it raises UserError after bringing the others.
    """
    with open_repository() as repository:
        outputs = _recorded_outputs(repository, plan, weights)
        name, store = remote_named(repository, remote)
        lists = _lists(outputs)
        weights_folder = WEIGHTS / plan.params.preset
        if not weights and record_file(weights_folder).exists():
            # The list of the weights is small, and without it none could be recorded beside those that are not here.
            lists |= _lists({weights_folder: output_at(repository, weights_folder)})
        copied, lacking = _fetch(repository, name, store, lists)
        if lacking.keys() >= _lists(outputs).keys():
            raise UserError(
                f"remote '{name}' has nothing of what is recorded here for preset {plan.params.preset}: pull from "
                "another one (`dvc remote list`), or ask whoever recorded it to `make push`. Nothing here was changed"
            )
        listed = {folder: output for folder, output in outputs.items() if output.hash_info not in lacking}
        wanted: dict[Any, str] = {}
        for folder, output in listed.items():
            wanted |= _files(folder, output)
        more, lacking_files = _fetch(repository, name, store, wanted)
        stale = _to_replace(repository, listed)
        _check_out(repository, listed, stale)
        if lacking or lacking_files:
            raise UserError(
                f"remote '{name}' lacks {_some([*lacking.values(), *lacking_files.values()])}; the rest is here. Ask "
                "whoever recorded them to `make push`; `make why` says what `make` would make again without them"
            )
        return Transferred(name, list(outputs), copied + more)


def _recorded_outputs(repository: Any, plan: Plan, weights: bool) -> dict[Path, Any]:
    """Return folder -> DVC output of everything recorded for the plan's preset."""
    preset = plan.params.preset
    # Data alone do not make it: presets share them.
    if not record_file(RUNS / preset).exists():
        raise UserError(
            f"nothing of preset {preset} is recorded in this checkout: {record_file(RUNS / preset)} is missing; "
            f"`make reproduce PRESET={preset}` runs and records it"
        )
    recorded = [folder for folder in versioned_folders(plan, weights=weights) if record_file(folder).exists()]
    return {folder: output_at(repository, folder) for folder in recorded}


def _lists(outputs: dict[Path, Any]) -> dict[Any, str]:
    """Return the objects that list the files of the outputs, each with its folder's name."""
    return {output.hash_info: str(folder) for folder, output in outputs.items()}


def _files(folder: Path, output: Any) -> dict[Any, str]:
    """Return the objects of an output's files, each with a file's name; none where the list is not in the cache."""
    tree = output.get_obj()
    return {} if tree is None else {info: "/".join([str(folder), *key]) for key, _, info in tree}


def _at(store: Any, wanted: Iterable[Any]) -> set[Any]:
    """Return those objects that are at the remote, by asking it: DVC's own index may be of yesterday."""
    by_name = {info.value: info for info in wanted}
    return {by_name[name] for name in store.oids_exist(list(by_name))}


def _fetch(repository: Any, name: str, store: Any, wanted: dict[Any, str]) -> tuple[int, dict[Any, str]]:
    """Bring objects into the cache, each with the right checksum.

    Return how many were copied, and those that the remote lacks. Damaged objects of the cache are fetched again.
    Raises UserError where the remote's are damaged: they are not kept.
    """
    cache = repository.cache.local
    _drop_damaged(cache, wanted)
    absent = {info: file for info, file in wanted.items() if not cache.exists(info.value)}
    if not absent:
        return 0, {}
    with remote_problems(name, store):
        there = _at(store, absent)
        repository.cloud.pull(list(there), odb=store)
    damaged = _drop_damaged(cache, there)
    if damaged:
        places = ", ".join(store.oid_to_path(info.value) for info in damaged[:NAMED])
        raise UserError(
            f"remote '{name}' holds a damaged copy of {_some(wanted[info] for info in damaged)}: the checksum is not "
            f"the one recorded. Nothing here was changed. Delete {places} there, and `make push` from where it is whole"
        )
    failed = [info for info in there if not cache.exists(info.value)]
    if failed:
        raise UserError(
            f"{_some(wanted[info] for info in failed)} could not be copied from remote '{name}' (is the disk full?); "
            "nothing here was changed, and pulling again goes on"
        )
    return len(there), {info: file for info, file in absent.items() if info not in there}


def _drop_damaged(cache: Any, objects: Iterable[Any]) -> list[Any]:
    """Remove from the cache those objects whose content is not what their name says, and return them.

    DVC itself trusts what it once wrote.
    """
    damaged = []
    for info in objects:
        path = Path(cache.oid_to_path(info.value))
        if path.exists() and checksum(path, "md5") != info.value.removesuffix(".dir"):
            path.unlink()
            damaged.append(info)
    return damaged


def _to_replace(repository: Any, outputs: dict[Path, Any]) -> list[Path]:
    """Return the files here that are not what is recorded at their place, all of them in the cache.

    Raises UserError if one is not: checking out would lose it.
    """
    stale, lost = [], []
    for folder, output in outputs.items():
        recorded = recorded_tree(output) or {}
        for file in sorted(present_files(repository, folder)):
            md5 = checksum(folder / file, "md5")
            if recorded.get(file) != md5:
                stale.append(folder / file)
                if not repository.cache.local.exists(md5):
                    lost.append(f"{folder}/{file}")
    if lost:
        raise UserError(
            f"pulling would replace {_some(lost)} that nothing has recorded, so nothing was changed. Run `make` or "
            "`rethinking record` to record what is here beside what is recorded, or delete it; then pull again"
        )
    return stale


def _check_out(repository: Any, outputs: dict[Path, Any], stale: list[Path]) -> None:
    """Make the folders hold what is recorded, as far as the cache has it.

    DVC does it for folders whose files are all in the cache; from one that lacks a file it would delete all others.
    """
    for path in stale:
        path.unlink()  # DVC believes its own notes on a file here rather than read it
    cache, whole = repository.cache.local, []
    for folder, output in outputs.items():
        recorded = recorded_tree(output) or {}
        if all(cache.exists(md5) for md5 in recorded.values()):
            whole.append(str(record_file(folder)))
            continue
        for file, md5 in recorded.items():
            if cache.exists(md5) and not (folder / file).exists():
                with atomic_path(folder / file) as temporary:
                    shutil.copyfile(cache.oid_to_path(md5), temporary)
    if whole:  # for DVC, no targets are all targets
        repository.checkout(whole, force=True)


def _some(files: Iterable[str]) -> str:
    """Return "3 files (a, b, c)", or "1 file (a)", naming the first few."""
    names = sorted(files)
    named = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
    return f"{len(names)} file{'s' * (len(names) != 1)} ({named})"
