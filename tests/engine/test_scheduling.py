"""Looking for jobs to start: again after a while, and not more often."""

import threading
import time
from collections.abc import Iterator

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

from rethinking.engine.scheduling import look_once_a_second


class Scheduler:
    """As much of Snakemake's as asks for another look."""

    def __init__(self) -> None:
        self._open_jobs = threading.Semaphore(0)


@pytest.fixture(autouse=True)
def patched() -> Iterator[None]:
    original = JobScheduler._schedule_reevalutation
    look_once_a_second()
    yield
    JobScheduler._schedule_reevalutation = original


def test_many_who_ask_get_one_look() -> None:
    scheduler = Scheduler()
    for _ in range(100):
        JobScheduler._schedule_reevalutation(scheduler, 0.2)
    assert scheduler._open_jobs.acquire(timeout=5)
    time.sleep(0.3)
    assert not scheduler._open_jobs.acquire(blocking=False)


def test_who_looks_can_ask_for_the_next_look() -> None:
    """Else jobs that a limit keeps back would never start."""
    scheduler = Scheduler()
    for _ in range(3):
        JobScheduler._schedule_reevalutation(scheduler, 0.05)
        assert scheduler._open_jobs.acquire(timeout=5)


def test_a_waiting_look_does_not_keep_snakemake_from_ending() -> None:
    scheduler = Scheduler()
    JobScheduler._schedule_reevalutation(scheduler, 60)
    assert all(thread.daemon for thread in threading.enumerate() if isinstance(thread, threading.Timer))


def test_snakemake_still_asks_in_this_way() -> None:
    """If it does not any more, the patch has to go."""
    assert "_schedule_reevalutation" in JobScheduler.schedule.__code__.co_names
