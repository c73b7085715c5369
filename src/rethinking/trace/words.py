"""What the traces of all kinds of results say alike."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rethinking.results.lineage import UsedExperiment, UsedRun

UNCOMMITTED = " with uncommitted changes"


def commit_words(commit: str | None, uncommitted_changes: bool | None) -> str:
    """Return the commit, and a remark where the code was not that of the commit."""
    if commit is None:
        return "no commit recorded"
    return f"commit {commit[:12]}{UNCOMMITTED if uncommitted_changes else ''}"


def device_words(run: Mapping[str, Any]) -> str:
    """Return device, precision, threads and processes as far as they are recorded and the last are several."""
    name = f" ({run['device_name']})" if run.get("device_name") else ""
    threads, processes = run.get("threads"), run.get("processes")
    parts = [
        f"{run['device']}{name}" if run.get("device") else None,
        run.get("precision"),
        f"{threads} thread{'s' * (threads != 1)}" if threads else None,
        f"{processes} processes" if processes and processes > 1 else None,
    ]
    return ", ".join(part for part in parts if part) or "device not recorded"


def sources_words(experiments: Sequence[UsedExperiment], runs: Sequence[UsedRun]) -> list[str]:
    """Return what a result was made of: experiments, runs or both, or that there was neither."""
    if not experiments:
        return runs_words(runs)
    return [*_experiments_words(experiments), *(["", *runs_words(runs)] if runs else [])]


def _experiments_words(experiments: Iterable[UsedExperiment]) -> list[str]:
    """Return the experiments, three lines each, as runs."""
    lines: list[str] = []
    for each in experiments:
        lines += [
            f"  {each.name}",
            f"      settings {each.digest}, code {each.code}, {commit_words(each.commit, each.uncommitted_changes)}, "
            f"{device_words(each.model_dump())}",
            f"      {each.command}",
        ]
    count = len(lines) // 3
    return [f"from {count} experiment{'s' * (count != 1)}:", *lines]


def runs_words(runs: Iterable[UsedRun]) -> list[str]:
    """Return the runs, three lines each: cell, what it was, and the command that trains it again."""
    lines: list[str] = []
    for run in runs:
        lines += [
            f"  {run.cell}",
            f"      recipe {run.recipe_digest}, data {(run.variant or 'not recorded')[:12]}, code {run.code}, "
            f"{commit_words(run.commit, run.uncommitted_changes)}, {device_words(run.model_dump())}",
            f"      {run.command}",
        ]
    count = len(lines) // 3
    if not count:
        return ["from no run: nothing of what it shows has been run"]
    return [f"from {count} run{'s' * (count != 1)}:", *lines]
