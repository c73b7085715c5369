"""SIGTERM while Snakemake's scheduler holds its lock: a real Snakemake that sends it to itself at that moment."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SNAKEFILE = """
import os, signal
from snakemake.scheduling.job_scheduler import JobScheduler
from rethinking.engine.termination import let_a_thread_answer_sigterm

finish_jobs = JobScheduler._finish_jobs

def interrupted(scheduler):
    finished = bool(scheduler._tofinish)
    finish_jobs(scheduler)
    if finished:
        assert scheduler._lock.locked()
        os.kill(os.getpid(), signal.SIGTERM)

JobScheduler._finish_jobs = interrupted
if config["mended"]:
    let_a_thread_answer_sigterm()
    let_a_thread_answer_sigterm()

rule second:
    input: "first"
    output: "second"
    shell: "touch {output}"

rule first:
    output: "first"
    shell: "touch {output}"
"""


@contextmanager
def snakemake(folder: Path, mended: bool) -> Iterator[subprocess.Popen[str]]:
    (folder / "Snakefile").write_text(SNAKEFILE)
    process = subprocess.Popen(
        [Path(sys.executable).with_name("snakemake"), "--cores", "1", "--config", f"mended={mended}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_finishes_what_runs_and_ends(tmp_path: Path) -> None:
    with snakemake(tmp_path, mended=True) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode not in (0, -signal.SIGTERM)
    assert "Will exit after finishing currently running jobs" in output
    assert (tmp_path / "first").exists()
    assert not (tmp_path / "second").exists()


def test_snakemake_alone_would_hang(tmp_path: Path) -> None:
    """If it does not any more, the patch has to go."""
    with snakemake(tmp_path, mended=False) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "first").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=5)
