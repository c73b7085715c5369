"""Whether results made here are the recorded ones: number by number, within tolerances, and said by name where not."""

import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from rethinking.errors import UserError
from rethinking.publishing.git import git, git_bytes

_KEYS = {
    "cells.csv": ("dataset", "model", "corruption", "regularizer", "seed"),
    "histories.csv": ("recipe_digest", "epoch"),
    "curves.csv": ("recipe_digest", "epoch"),
}
"""What tells the lines of a file apart; those of the others are told apart by their number."""

_ASIDE = re.compile(
    r"commit|uncommitted_changes|code|.*device.*|precision|threads|processes"
    r"|.*second.*|.*minute.*|.*, m?s( \(.*\))?|float32 / int8"  # the last one is a ratio of times
    r"|peak_memory_bytes|memory, gb|gigabytes|Δ.*",
    re.I,
)
"""Columns that say where, how fast, in how much memory and by which state of the code a line was made.

Recipe and data are compared. So are the two values beside a difference, which is small and would be held to a tolerance
that is smaller still.
"""

_ASIDE_IN = {"experiments/expressivity/scaling/": {"bytes"}}
"""Columns of the same kind whose names mean something else in other files: here memory, there the size of a file."""

_MEASURED = re.compile(r"\b(time|memory) \d[\d,.]*")
"""Time and memory in the evidence of a claim; its verdict is compared."""

# A number that stands by itself: not a piece of a digest or of a name such as mlp-1x512.
_NUMBER = re.compile(
    r"(?<![\w.-])(?P<number>[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w-]|\.\d)"
    r"(?=(?P<hundredths>\s?%| points?\b)?)"
)

_SHOWN = 20  # differences of one file that are printed; the rest is counted


class Tolerance(NamedTuple):
    """By how much a number may differ: by `relative` times the recorded one's size or by `absolute`, the larger."""

    relative: float = 1e-4
    absolute: float = 1e-6

    def allows(self, recorded: float, here: float) -> bool:
        """Tell whether `here` stands for `recorded`."""
        return abs(here - recorded) <= max(self.absolute, self.relative * abs(recorded))

    def __str__(self) -> str:
        return f"{self.relative:g} of their size or {self.absolute:g}"


@dataclass
class Comparison:
    """What comparing found: `differences` by file, the path below the results' folder; empty where all agree."""

    files: int = 0
    numbers: int = 0
    differences: dict[str, list[str]] = field(default_factory=dict)


def codecheck(results: Path, revision: str, tolerance: Tolerance) -> tuple[Comparison, list[str]]:
    """Compare the folder `results` with what Git has recorded of it in `revision`.

    Return what was found and the report, in lines. Raises UserError where Git knows no such results.
    """
    commit = git("rev-parse", "--short", f"{revision}^{{commit}}")
    recorded, here = _recorded(results, revision), _here(results)
    comparison = compare(recorded, here, tolerance)
    lines = [
        f"{results} beside commit {commit}: numbers within {tolerance}; times, memory, commits and machines aside.",
    ]
    for name, found in comparison.differences.items():
        lines += [f"{name}: {difference}" for difference in found[:_SHOWN]]
        if len(found) > _SHOWN:
            lines.append(f"{name}: and {len(found) - _SHOWN:,} more")
    before, now = _verdicts(recorded), _verdicts(here)
    same = sum(now.get(claim) == verdict for claim, verdict in before.items())
    lines.append(f"{same} of {len(before)} claims have the verdict that is recorded.")
    agree = comparison.files - len(comparison.differences)
    lines.append(f"{agree} of {comparison.files} files agree; {comparison.numbers:,} numbers were compared.")
    return comparison, lines


def compare(recorded: Mapping[str, bytes], here: Mapping[str, bytes], tolerance: Tolerance) -> Comparison:
    """Compare files by name; one that is on one side alone is a difference."""
    comparison = Comparison()
    for name in sorted(recorded.keys() | here.keys()):
        comparison.files += 1
        if name not in here:
            found = ["recorded, but not here"]
        elif name not in recorded:
            found = ["here, but not recorded"]
        else:
            found = list(_differences(_values(name, recorded[name]), _values(name, here[name]), tolerance, comparison))
        if found:
            comparison.differences[name] = found
    return comparison


def is_compared(name: str) -> bool:
    """Tell whether a file of results holds outcomes.

    Beside these lie records of where they come from, and drawings and Markdown made from the same numbers.
    """
    return name.endswith(".csv") or name in ("claims.json", "metrics.json")


def _recorded(results: Path, revision: str) -> dict[str, bytes]:
    if not git("ls-tree", revision, "--", f"./{results}"):
        raise UserError(f"{results} is not recorded in Git at {revision}: there is nothing to compare with")
    archive = git_bytes("archive", "--format=tar", revision, "--", f"./{results}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        named = {Path(member.name).relative_to(results).as_posix(): member for member in files if member.isfile()}
        # Members of a tar file opened above always have content.
        return {name: files.extractfile(member).read() for name, member in named.items() if is_compared(name)}  # type: ignore[union-attr]


def _here(results: Path) -> dict[str, bytes]:
    if not results.is_dir():
        raise UserError(f"{results} is not here: make it first, with make")
    named = {path.relative_to(results).as_posix(): path for path in results.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in named.items() if is_compared(name)}


def _values(name: str, content: bytes) -> dict[str, str]:
    """Return every value of a file as text, by a name that a person finds it under."""
    if name.endswith(".json"):
        return {
            place: text for place, text in _leaves(json.loads(content)) if not _ASIDE.fullmatch(place.split(".")[-1])
        }
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    aside = {column for folder, columns in _ASIDE_IN.items() if name.startswith(folder) for column in columns}
    columns = [column for column in frame if column not in aside and not _ASIDE.fullmatch(str(column))]
    keys = _KEYS.get(name)
    labels = (
        frame[list(keys)].agg("/".join, axis=1)
        if keys
        else [f"line {number}" for number in range(2, len(frame) + 2)]  # as editors count, the header being line 1
    )
    lines = frame[columns].to_dict(orient="records")
    return {
        f"{label}, {column}": line[column]
        for label, line in zip(labels, lines, strict=True)
        if line.get("measure") != "seconds"  # the points of a figure have times as lines of their own
        for column in columns
    }


def _verdicts(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the verdict on each claim: what rounding on another processor should leave as it is."""
    content = files.get("claims.json", b"{}")
    return {place: text for place, text in _values("claims.json", content).items() if place.endswith(".judgement")}


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        children: Iterable[tuple[str, Any]] = value.items()
    elif isinstance(value, list):
        # A claim is found under its key, wherever it stands in the list.
        children = [(each["key"] if isinstance(each, dict) else str(place), each) for place, each in enumerate(value)]
    else:
        yield ".".join(path), str(value)
        return
    for key, child in children:
        yield from _leaves(child, (*path, key))


def _differences(
    recorded: dict[str, str], here: dict[str, str], tolerance: Tolerance, comparison: Comparison
) -> Iterator[str]:
    for place in dict.fromkeys([*recorded, *here]):
        if place not in here:
            yield f"{place}: recorded {recorded[place] or 'empty'}, here nothing"
        elif place not in recorded:
            yield f"{place}: recorded nothing, here {here[place] or 'empty'}"
        elif recorded[place] == here[place]:
            comparison.numbers += len(_NUMBER.findall(here[place]))
        else:
            texts = [_MEASURED.sub(r"\1", side[place]) for side in (recorded, here)]
            before, now = ([_number(found) for found in _NUMBER.finditer(text)] for text in texts)
            comparison.numbers += len(before)
            same_words = len({_NUMBER.sub("#", text) for text in texts}) == 1
            if not same_words or not all(map(tolerance.allows, before, now)):
                yield f"{place}: recorded {recorded[place] or 'empty'}, here {here[place] or 'empty'}"


def _number(found: re.Match[str]) -> float:
    """Return a number in its unit: a percentage as the fraction that tables have, so that one tolerance serves both."""
    return float(found["number"].replace(",", "").replace("−", "-")) / (100 if found["hundredths"] else 1)
