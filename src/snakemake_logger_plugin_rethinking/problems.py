"""What went wrong in a run, and the sentences that say so at its end. Knows neither Snakemake nor rich."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from snakemake_logger_plugin_rethinking.progress import Job

LOG_LINES = 15
LOG_TAIL_BYTES = 65536
DETAILED_FAILURES = 10  # of a hundred that fail for one reason, the others are named only

# Said by Snakemake at the end of every failed run; the block printed here says which job and why.
_ECHOES = (
    "At least one job did not complete successfully.",
    "Exiting because a job execution failed.",
)
_INTERRUPT = re.compile(r"SIGINT|exit status 130\b|KeyboardInterrupt")
# A terminal's Ctrl-C reaches jobs and Snakemake at once, so a job's end can be reported first.
_INTERRUPT_SLACK_SECONDS = 2.0
_MISSING_OUTPUT = re.compile(r"Job (\d+)\s+completed successfully, but some output files are missing")
_EXIT = re.compile(r"returned non-zero exit status (\d+)|died with <Signals\.(\w+)")
_GENERIC_CLASS = re.compile(r"^(?:WorkflowError|RuleException|LockException|ApiError):\n(?:Error: )?|^Error: ")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f\x7f]")

RESUME = "Finished cells are kept. Run the same command again to resume."
LOCKED = (
    "Another run is active in this folder: wait until it has ended. "
    "(Only on a file system without locks can that be a killed one: `snakemake --unlock` then removes its lock.)"
)


@dataclass
class Failure:
    """A job that failed at a point in time, and the error that Snakemake reported with it."""

    name: str
    logs: tuple[str, ...]
    at: float
    cause: str = ""
    cluster_logs: tuple[str, ...] = ()
    why: str | None = None
    """What a cluster's scheduler has to say of it."""


@dataclass
class Problems:
    """Collects errors, and tells the failures of jobs from all others.

    Snakemake reports the exception of a local job in one record and names the job in the next; a job
    on a cluster comes without the first, a job whose outputs are missing without the second.
    """

    failures: dict[int, Failure] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)  # the exception's class and its text
    interrupted_at: float | None = None
    incomplete: bool = False  # Snakemake said that the run did not complete

    def error(self, exception: str, text: str) -> int | None:
        """An error, whose cause is not known yet. Returns the jobid if the text itself names a job."""
        if any(echo in text for echo in _ECHOES):
            self.incomplete = True
            return None
        missing = _MISSING_OUTPUT.search(text)
        if missing:
            return int(missing.group(1))
        if (exception, text) not in self.errors:
            self.errors.append((exception, text))
        return None

    def job_failed(self, jobid: int, job: Job | None, rule: str, logs: Sequence[str], at: float) -> Failure:
        """A job failed. ``job`` is None if it was never seen to start."""
        failure = Failure(job.name if job else rule.replace("_", " "), tuple(logs), at)
        if jobid in self.failures:
            failure.cause = self.failures[jobid].cause
        self.failures[jobid] = failure
        return failure

    def claim_cause(self, failure: Failure, command: str | None) -> None:
        """Move the error record that belongs to a failed job from the errors to its failure."""
        candidates = [error for error in self.errors if error[0] == "RuleException"]
        for error in reversed(candidates):
            if command and command in error[1]:
                break
        else:
            # The command is quoted in the text and so need not be found; the last error is nearly sure.
            error = candidates[-1] if candidates else ("", "")
        if error in self.errors:
            self.errors.remove(error)
            failure.cause = error[1]

    def recovered(self, jobid: int) -> None:
        """A job that had failed was tried again and has finished."""
        self.failures.pop(jobid, None)

    def is_interruption(self, failure: Failure) -> bool:
        """Whether the job ended because a person stopped the run."""
        if self.interrupted_at is None:
            return False
        return failure.at >= self.interrupted_at - _INTERRUPT_SLACK_SECONDS or bool(_INTERRUPT.search(failure.cause))

    def report(self, full_log: str | None, whole_logs: bool = False) -> str:
        """The text to end a run with; empty if all went well. Reads the failed jobs' log files."""
        blocks = [readable(exception, text) for exception, text in self.errors]
        failed = [failure for failure in self.failures.values() if not self.is_interruption(failure)]
        if failed:
            blocks.append("1 job failed:" if len(failed) == 1 else f"{len(failed)} jobs failed:")
            detailed, named = failed[:DETAILED_FAILURES], failed[DETAILED_FAILURES:]
            blocks += [describe(failure, None if whole_logs else LOG_LINES) for failure in detailed]
            if named:
                blocks.append("\n".join(_headline(failure) for failure in named))
        if self.interrupted_at is not None:
            blocks.append(f"Stopped on request.\n{RESUME}")
        elif failed or (self.incomplete and not self.errors):
            ended = [] if failed else ["Stopped before everything was done."]
            blocks.append("\n".join([*ended, RESUME]))
        if failed and full_log:
            blocks[-1] += f"\nFull log: {full_log}"
        return "\n\n".join(blocks)


def readable(exception: str, text: str) -> str:
    """An error that is no job's failure, in full; without the class where that says nothing."""
    if exception == "LockException":
        text = text.partition("\nIf you are sure")[0] + "\n" + LOCKED  # in place of Snakemake's advice
    return "Error: " + _GENERIC_CLASS.sub("", text).strip()


def describe(failure: Failure, lines: int | None = LOG_LINES) -> str:
    """Which job failed, how it ended, and the end of its log (all of it if ``lines`` is None)."""
    text = [_headline(failure)]
    shown = False
    if failure.why and not any(Path(log).exists() for log in failure.logs):
        return text[0]
    for log in failure.logs:
        tail = log_tail(Path(log), lines)
        if tail:
            shown = True
            part = f", its last {len(tail)} lines" if len(tail) == lines else ""
            text += [f"  log: {log}{part}", *(f"  | {line}" for line in tail)]
        else:
            text.append(f"  log: {log} ({'empty' if Path(log).exists() else 'not written'})")
    if not shown and failure.cause:
        text += [f"  | {line}" for line in failure.cause.splitlines()]
    text += [f"  the scheduler's log: {log}" for log in failure.cluster_logs]
    return "\n".join(text)


def _headline(failure: Failure) -> str:
    return f"{failure.name}: {failure.why or _ending(failure.cause)}"


def _ending(cause: str) -> str:
    exit_ = _EXIT.search(cause)
    if "output files are missing" in cause:
        return "ended without writing all of its outputs"
    if exit_ is None:
        return "failed"
    status, signal = exit_.groups()
    if status == "137" or signal == "SIGKILL":
        return "killed from outside, often for want of memory"
    return f"exit status {status}" if status else f"ended by {signal}"


def log_tail(path: Path, lines: int | None) -> list[str]:
    """The last lines of a log file, safe to print on a terminal; empty if there is nothing to read."""
    try:
        with path.open("rb") as file:
            if lines is not None:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - LOG_TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    # What a progress bar drew last is what follows its last carriage return.
    kept = [_CONTROL.sub("", line.rstrip("\r").rpartition("\r")[2]).rstrip() for line in text.split("\n")]
    while kept and not kept[-1]:
        kept.pop()
    return kept if lines is None else kept[-lines:]
