"""What Snakemake would run now, and its reasons: read from its own graph of jobs after a dry run.

Nothing here judges: the dry run is that of a real run, with the project's profile, and only its outcome is read.
"""

import contextlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rethinking.errors import UserError


@dataclass(frozen=True)
class Record:
    """What Snakemake remembers of how a job's outputs were made."""

    params: tuple[str, ...]
    """As Python literals, without the params' names: that is how Snakemake stores them."""
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """One job that would run, and Snakemake's reasons for it."""

    rule: str
    wildcards: Mapping[str, str]
    params: Mapping[str, object]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    absent: tuple[str, ...] = ()
    """Outputs that are not there, asked for or not."""
    missing: tuple[str, ...] = ()
    """Outputs that are not there and that something asks for."""
    updated: tuple[str, ...] = ()
    """Inputs whose content is not that of the last time."""
    remade: tuple[str, ...] = ()
    """Inputs that other jobs would make anew. Snakemake then looks for no further reason."""
    interrupted: bool = False
    record: Record | None = None
    """None where there is none."""
    wanted_by: tuple[str, ...] = ()
    """The rules that read the missing outputs; none where they are only a target."""
    words: str = ""
    """Snakemake's own sentence."""


@dataclass(frozen=True)
class DryRun:
    """All that a run would do."""

    jobs: tuple[Job, ...]
    not_compared: tuple[Job, ...] = ()
    """Jobs that would not run, but of which no record says whether their outputs are of these settings."""
    locked: bool = False
    """Whether another run is under way in this folder."""


# Snakemake executes the Snakefile itself and hands its workflow to nobody but the Snakefile.
_observed: list[Any] = []


def observe(workflow: Any) -> None:
    """Remember Snakemake's workflow, which the Snakefile hands over, until it is read."""
    _observed[:] = [workflow]


def dry_run(config: Mapping[str, str]) -> DryRun:
    """Return what `snakemake --config <config>` would run in the current folder.

    It takes no lock and changes nothing. Raises UserError with Snakemake's words where it cannot plan the run.
    """
    # Here and not at the top: every start of Snakemake imports this module, and jobs need not wait for it.
    from snakemake.cli import args_to_api, parse_args

    # With exactly these two, Snakemake stops once it knows its jobs, instead of going through each of them.
    words = ["--dry-run", "--quiet", "rules", "progress"]
    if config:
        words += ["--config", *(f"{key}={value}" for key, value in config.items())]
    _observed.clear()
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        parser, arguments = parse_args(words)
        planned = args_to_api(arguments, parser)
    if not planned or not _observed:
        raise UserError(f"Snakemake cannot plan this run; it says:\n{said.getvalue().strip()}")
    return _read(_observed.pop())


def _read(workflow: Any) -> DryRun:
    dag = workflow.dag
    needed = set(dag.needrun_jobs())
    return DryRun(
        # In the order in which Snakemake numbers them: a set has none.
        tuple(_job(dag, job) for job in sorted(needed, key=lambda job: job.jobid) if not job.rule.norun),
        tuple(
            _job(dag, job)
            for job in sorted(dag.jobs, key=lambda job: job.jobid)
            if job not in needed and (dag.reason(job).no_metadata or dag.reason(job).outdated_metadata)
        ),
        bool(workflow.persistence.locked),
    )


def _job(dag: Any, job: Any) -> Job:
    reason = dag.reason(job)
    records = (dag.workflow.persistence.metadata(output) for output in job.output)
    record = next((record for record in records if record is not None), None)
    missing = set(reason.missing_output)
    return Job(
        rule=job.rule.name,
        wildcards=dict(job.wildcards_dict),
        params=dict(job.params.items()),
        inputs=_paths(job.input),
        outputs=_paths(job.output),
        absent=tuple(str(output) for output in job.output if not Path(output).exists()),
        missing=_paths(missing),
        updated=_paths(reason.updated_input),
        remade=_paths(reason.updated_input_run),
        # This command forces nothing: what is forced here are outputs that an interrupted job has left half-made.
        interrupted=bool(reason.forced),
        record=record and Record(tuple(record.params or ()), tuple(record.input or ())),
        wanted_by=tuple(
            sorted(
                {
                    wanting.rule.name
                    for wanting, files in dag.depending[job].items()
                    if not missing.isdisjoint(files) and not wanting.rule.norun
                }
            )
        ),
        words=str(reason),
    )


def _paths(files: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted(map(str, files)))
