"""What only a cluster's queue knows: jobs that a killed Snakemake has left in it, and jobs that would wait in vain.

Slurm alone; on other clusters nothing happens.
"""

import shutil
import subprocess
import threading
from collections.abc import Iterable
from contextlib import suppress

SECONDS_TO_FIRST_LOOK = 10.0
SECONDS_BETWEEN_LOOKS = 60.0
"""A scheduler has others to serve."""

NEVER = {
    "PartitionTimeLimit": "it asks for more time than its partition allows (`runtime`)",
    "PartitionNodeLimit": "it asks for more nodes than its partition allows",
    "AccountNotAllowed": "its account may not use its partition (`slurm_account`, `slurm_partition`)",
    "QOSNotAllowed": "its quality of service may not be used in its partition",
    "InvalidAccount": "its account is not valid (`slurm_account`)",
    "InvalidQOS": "its quality of service is not valid",
    "BadConstraints": "no node has what it asks for (`gpu`, `gpu_model`, `mem_mb`, threads)",
    "AssocMaxWallDurationPerJobLimit": "it asks for more time than your account may have (`runtime`)",
    "QOSMaxWallDurationPerJobLimit": "it asks for more time than its quality of service allows (`runtime`)",
    "DependencyNeverSatisfied": "it waits for a job that will never end well",
}
"""Slurm's reasons for which a job waits in vain, and what they mean; the profile's word for it in brackets."""

submitted: set[str] = set()
"""The jobs of this run, by number."""

refused: dict[str, str] = {}
"""Those of them that were cancelled here because they would never have started, with the reason."""


def cancel_leftovers(jobids: Iterable[str]) -> list[str]:
    """Cancel those of these jobs that still wait or run, and return them.

    What they were training is not lost: a job that is cancelled saves its state, and the next one goes on from there.
    """
    left = sorted(set(jobids) & _reasons().keys())
    _cancel(left)
    return left


class Watch:
    """Looks after this run's jobs where the executor would wait for them in vain.

    A job that the scheduler accepted and will never start is cancelled, so that the run hears of it and goes on. One
    that was preempted, on a cluster that cancels such jobs instead of requeueing them, is put back into the queue.
    """

    def __init__(self) -> None:
        self._ended = threading.Event()

    def __enter__(self) -> "Watch":
        threading.Thread(target=self._look, name="queue", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _look(self) -> None:
        pause = SECONDS_TO_FIRST_LOOK
        while not self._ended.wait(pause):
            if not submitted:
                continue
            pause = SECONDS_BETWEEN_LOOKS
            waiting = _reasons()
            vain = {job: NEVER[waiting[job]] for job in submitted & waiting.keys() if waiting[job] in NEVER}
            refused.update({job: f"Slurm would never start it: {meaning}" for job, meaning in vain.items()})
            _cancel(sorted(vain))
            for job in submitted & _reasons("--states=PREEMPTED").keys():
                _do("scontrol", "requeue", job)


def _reasons(*options: str) -> dict[str, str]:
    """Return this user's jobs in the queue, by number, with why each of them waits: "None" if it does not."""
    answer = _do("squeue", "--me", "--noheader", "--format=%i|%r", *options)
    jobs = (line.partition("|") for line in answer.splitlines())
    return {job: reason for job, _, reason in jobs}


def _cancel(jobs: list[str]) -> None:
    if jobs:
        _do("scancel", *jobs)


def _do(*words: str) -> str:
    """Run one of Slurm's commands and return what it prints; nothing if there is no Slurm, or it does not answer."""
    if shutil.which(words[0]) is None:
        return ""
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    return ""
