"""What differs between a job's params as they were recorded and as they are now, and how that is said."""

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from rethinking.fingerprint import PACKAGE

_SHOWN = 40
"""Characters of a value: longer ones, lists mostly, are not quoted."""


class Changes(NamedTuple):
    """What changed, each in words: "results/style.py", "results.overfit_loss changed 0.05 -> 0.1"."""

    code: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    """Names of params of which no more can be said than that they changed."""


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


class Difference(NamedTuple):
    """One key with different values; a key may be missing on one side, which is `ABSENT` there."""

    key: str
    old: object
    new: object


def differences(old: Mapping[str, object], new: Mapping[str, object], prefix: str = "") -> list[Difference]:
    """Return what differs between two nested mappings, keys joined by dots; a missing mapping counts as one."""
    found: list[Difference] = []
    for key in dict.fromkeys([*new, *old]):
        before, after = old.get(key, ABSENT), new.get(key, ABSENT)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += differences(before, after, f"{prefix}{key}.")
        elif before != after:
            found.append(Difference(f"{prefix}{key}", before, after))
    return found


def compare(recorded: Iterable[str], params: Mapping[str, object]) -> Changes:
    """Return how `params` differ from `recorded`, Snakemake's list of Python literals.

    The list has no names, so each changed mapping is compared with the recorded one that shares most keys with it.
    Keys say what a mapping is about: modules of this package, files, or settings.
    """
    recorded = list(recorded)
    now = {name: value for name, value in params.items() if repr(value) not in recorded}
    kept = set(map(repr, params.values()))
    before = [_literal(text) for text in recorded if text not in kept]

    found: list[Difference] = []
    unnamed: list[str] = []
    single: dict[str, object] = {}
    for name, value in now.items():
        if not isinstance(value, Mapping):
            single[name] = value
            continue
        mappings = [old for old in before if isinstance(old, Mapping) and old.keys() & value.keys()]
        if mappings:
            found += differences(max(mappings, key=lambda old: len(old.keys() & value.keys())), value)
        else:
            unnamed.append(name)
    singles_before = [old for old in before if not isinstance(old, Mapping)]
    if len(single) == len(singles_before) == 1 and not any(map(_is_digest, [*single.values(), *singles_before])):
        found += [Difference(name, singles_before[0], value) for name, value in single.items()]
    else:
        unnamed += single

    return Changes(
        code=tuple(_thing(each, module_file(each.key)) for each in found if _is_module(each.key)),
        files=tuple(_thing(each, each.key) for each in found if "/" in each.key),
        settings=tuple(setting(each) for each in found if not _is_module(each.key) and "/" not in each.key),
        unnamed=tuple(unnamed),
    )


def changed_modules(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files of the modules whose digests differ: "training/loop.py", "models/vit.py (new)"."""
    changed = (Difference(key, old.get(key, ABSENT), new.get(key, ABSENT)) for key in dict.fromkeys([*new, *old]))
    return tuple(_thing(each, module_file(each.key)) for each in changed if each.old != each.new)


def setting(difference: Difference) -> str:
    """Say how one setting differs, its values as YAML writes them where they are short."""
    key, old, new = difference
    if old is ABSENT:
        return f"{key} added"
    if new is ABSENT:
        return f"{key} removed"
    values = f"{_shown(old)} -> {_shown(new)}"
    return f"{key} changed {values}" if len(values) <= 2 * _SHOWN else f"{key} changed"


def module_file(module: str) -> str:
    """Return where a module of this package lies below it: "training/loop.py"."""
    parts = module.split(".")[1:]
    if Path(__file__).parents[1].joinpath(*parts, "__init__.py").is_file():
        parts = [*parts, "__init__"]
    return f"{PurePosixPath(*parts)}.py"


def listing(items: Iterable[str], most: int = 4) -> str:
    """Return "a, b and c", or "a, b, c, d and 12 more": never one more, which could as well be named."""
    names = list(items)
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def counted(number: int, noun: str) -> str:
    """Return "1 cell", "2 cells"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def inputs(paths: Iterable[str]) -> str:
    """Name files; those of runs, which may be thousands, are counted by run."""
    paths = list(paths)
    runs = {PurePosixPath(path).parent for path in paths if path.startswith("runs/")}
    return listing([*([counted(len(runs), "run")] if runs else []), *(p for p in paths if not p.startswith("runs/"))])


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _thing(difference: Difference, name: str) -> str:
    note = " (new)" if difference.old is ABSENT else " (no longer used)" if difference.new is ABSENT else ""
    return f"{name}{note}"


def _is_module(key: str) -> bool:
    return key == PACKAGE or key.startswith(f"{PACKAGE}.")


def _is_digest(value: object) -> bool:
    """Whether a value is nothing that a person can read: a digest, or several."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{16,64}( [0-9a-f]{16,64})*", value) is not None


def _shown(value: object) -> str:
    written = {True: "true", False: "false", None: "null"}
    return written.get(value, str(value)) if isinstance(value, bool | None) else str(value)
