"""SIGTERM, which Snakemake would now and then answer by hanging.

Its handler waits for the scheduler's lock. A handler runs in the midst of what the process does, and that is often
something for which the scheduler holds the lock (it selects jobs, or records that one has finished): then it waits for
itself, for ever. Clusters send SIGTERM to a job whose time is up, systems to whatever runs when they shut down.
"""

import os
import threading
from collections import deque
from typing import Any


def let_a_thread_answer_sigterm() -> None:
    """Hand the signal over to a thread, which may wait for the lock; called while Snakemake reads the Snakefile."""
    from snakemake.scheduling.job_scheduler import JobScheduler

    if JobScheduler.exit_gracefully.__module__ == __name__:
        return  # the Snakefile is read a second time in this process
    exit_gracefully = JobScheduler.exit_gracefully
    reader, writer = os.pipe()
    interrupted: deque[Any] = deque()

    def hand_over(scheduler: Any, *_: object) -> None:
        # Takes no lock, nor starts a thread, which takes one. From now on no job is started.
        scheduler._user_kill = "graceful"
        interrupted.append(scheduler)
        os.write(writer, b"\0")

    def answer() -> None:
        while os.read(reader, 1):
            exit_gracefully(interrupted.popleft())

    threading.Thread(target=answer, name="sigterm", daemon=True).start()
    JobScheduler.exit_gracefully = hand_over
