"""How often Snakemake looks for jobs to start.

It does so whenever a job has ended, and each time asks to look again after a second, in case a limit of jobs per second
kept some of them back. Every such look asks for another one: after 400 jobs it looks 400 times a second, and goes
through the params of all that wait each time. There is no setting against it but one that makes it hang at its end.
"""

import threading
from typing import Any


def look_once_a_second() -> None:
    """Let one look be asked for at a time; called while Snakemake reads the Snakefile."""
    from snakemake.scheduling.job_scheduler import JobScheduler

    def schedule(scheduler: Any, delay: float) -> None:
        waiting: threading.Timer | None = getattr(scheduler, "waiting_look", None)
        if waiting is None or waiting.finished.is_set():
            scheduler.waiting_look = _timer(delay, scheduler)
            scheduler.waiting_look.start()

    JobScheduler._schedule_reevalutation = schedule


def _timer(delay: float, scheduler: Any) -> threading.Timer:
    def look() -> None:
        # Before, not after: who looks asks for the next one.
        timer.finished.set()
        scheduler._open_jobs.release()

    timer = threading.Timer(delay, look)
    timer.daemon = True  # Snakemake need not wait for it to end
    return timer
