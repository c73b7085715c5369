"""Why a job failed on a Slurm cluster, in words: from what the executor says and what Slurm has logged."""

from __future__ import annotations

import re
from pathlib import Path

LOG_TAIL_BYTES = 65536

_REFUSED = re.compile(r"sbatch failed\. The error message was '(?P<said>.*?)'\.", re.DOTALL)
_NEVER_STARTED = re.compile(r"Slurm would never start it: .*?\)(?= |$)")
_STATUS = re.compile(r"SLURM status is: '(?P<status>\w+)'|failed due to a node failure")
# What slurmstepd and slurmd write into the job's log, most telling first.
_LOGGED = (
    (re.compile(r"DUE TO TIME LIMIT"), "TIMEOUT"),
    (re.compile(r"oom[_-]kill|exceeded (job )?memory limit|DUE TO MEMORY LIMIT", re.IGNORECASE), "OUT_OF_MEMORY"),
    (re.compile(r"DUE TO NODE FAILURE"), "NODE_FAIL"),
    (re.compile(r"DUE TO PREEMPTION"), "PREEMPTED"),
    (re.compile(r"CANCELLED AT"), "CANCELLED"),
)
_WORDS = {
    "TIMEOUT": "ran out of time (`runtime` in the profile; the next attempt goes on from where it stood)",
    "OUT_OF_MEMORY": "ran out of memory (`mem_mb` in the profile)",
    "NODE_FAIL": "its node failed",
    "BOOT_FAIL": "its node could not be started",
    "PREEMPTED": "was preempted",
    "CANCELLED": "was cancelled",
    "DEADLINE": "missed its deadline",
}
# What sbatch refuses, and what to look at.
_ADVICE = (
    (re.compile(r"partition", re.IGNORECASE), "`sinfo` lists the partitions; the profile names one as slurm_partition"),
    (
        re.compile(r"account", re.IGNORECASE),
        "`sacctmgr show associations user=$USER` lists your accounts; the profile names one as slurm_account",
    ),
    (
        re.compile(r"gres|node configuration|node count", re.IGNORECASE),
        "no node of the partition has what was asked for; "
        "`sinfo -o '%P %N %c %m %G'` lists cores, memory (MB) and GPUs, the profile sets threads, mem_mb and gpu_model",
    ),
    (re.compile(r"time limit", re.IGNORECASE), "`sinfo -o '%P %l'` lists the longest times; the profile sets runtime"),
)


def why(message: str, log: Path | None) -> str | None:
    """Return why a job failed, or None if that was the job's own doing or is not known.

    `message` is the executor's, `log` Slurm's log of the job.
    """
    if refused := _REFUSED.search(message):
        said = refused["said"].replace("sbatch: error: ", "").strip().splitlines()[0]
        advice = next((words for pattern, words in _ADVICE if pattern.search(said)), "")
        return f"Slurm refused it: {said}" + (f" ({advice})" if advice else "")
    if never := _NEVER_STARTED.match(message):
        return never[0]
    status = _STATUS.search(message)
    found = (status["status"] or "NODE_FAIL") if status else None
    if found not in _WORDS:  # FAILED is what Slurm calls any exit status, also that of a step it has ended
        text = _tail(log) if log else ""
        found = next((status for pattern, status in _LOGGED if pattern.search(text)), None)
    return _WORDS[found] if found else None


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - LOG_TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
