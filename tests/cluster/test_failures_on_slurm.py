"""What goes wrong on a cluster reaches the person who started the run, in words and with the log's place.

All runs of this file are under way at once: each mostly waits for the scheduler.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from on_slurm import OnSlurm, Trained, preempt, train_for
from rethinking.cells import RUN_FILES
from slurm import Cluster, Job, slurm_cluster

pytestmark = pytest.mark.slow

STUDY = ("runs", "--config", "preset=smoke", "studies=randomisation")
ONE_CELL = (*STUDY, "models=mlp-1x512", "corruptions=true", "regularizers=none")
LONG_CELL = "digits/inception/true/none/seed-0"
ONE_LONG_CELL = (*STUDY, "models=inception", "corruptions=true", "regularizers=none")
FIVE_CELLS = (*STUDY, "models=mlp-1x512")


@dataclass(frozen=True)
class Ended:
    """A run that has ended."""

    on_slurm: OnSlurm
    answer: subprocess.CompletedProcess[str]
    last_job: Job | None = None
    """The job in which a cell's training ended, if the cluster is not there any more to be asked."""

    @property
    def said(self) -> str:
        """What the person sees, without the line breaks of a narrow terminal."""
        return " ".join((self.answer.stdout + self.answer.stderr).split())

    @property
    def runs(self) -> int:
        """How many cells have all files of their run."""
        folders = self.on_slurm.project.root.glob("runs/smoke/*/*/*/*/seed-*")
        return sum(all((folder / name).exists() for name in RUN_FILES) for folder in folders)

    @property
    def failed_jobs(self) -> list[int]:
        """The jobs whose logs have been left: those of jobs that succeed are removed."""
        return sorted(int(path.stem) for path in self.on_slurm.project.root.glob("logs/slurm/**/*.log"))


def damaged_variant(on_slurm: OnSlurm) -> Ended:
    variants = (f"data/digits/{name}/manifest.json" for name in ("labels-p50", "random-labels"))
    assert on_slurm.project.snakemake(*variants, "--config", "preset=smoke").returncode == 0
    with open(on_slurm.project.root / "data/digits/labels-p50/train_labels.npy", "ab") as file:
        file.write(b"x")
    on_slurm.profile("cells=8", "cells=5")
    on_slurm.profile("retries: 2", "retries: 1")
    return Ended(on_slurm, on_slurm.run(*FIVE_CELLS))


def unknown_partition(on_slurm: OnSlurm) -> Ended:
    on_slurm.profile("  # slurm_partition: gpu # none", "  slurm_partition: nowhere # none")
    return Ended(on_slurm, on_slurm.run(*ONE_CELL))


def no_such_gpu(on_slurm: OnSlurm) -> Ended:
    on_slurm.profile("# gpu_model: h200", "gpu_model: h200")
    return Ended(on_slurm, on_slurm.run(*ONE_CELL))


def too_little_memory(on_slurm: OnSlurm) -> Ended:
    on_slurm.profile("mem_mb: attempt * 8000", "mem_mb: 60 if attempt == 1 else 8000")
    return Ended(on_slurm, on_slurm.run(*ONE_CELL, "--retries", "0"))


def more_memory_at_the_next_attempt(on_slurm: OnSlurm) -> Ended:
    on_slurm.profile("mem_mb: attempt * 8000", "mem_mb: 60 if attempt == 1 else 8000")
    return Ended(on_slurm, on_slurm.run(*ONE_CELL, "--retries", "1"))


def too_much_time(on_slurm: OnSlurm) -> Ended:
    on_slurm.profile("    # slurm_partition: gpu # where cells", "    slurm_partition: short # where cells")
    return Ended(on_slurm, on_slurm.run(*ONE_CELL, "--retries", "0"))


def time_runs_out(on_slurm: OnSlurm) -> Ended:
    train_for(1200, on_slurm.project)
    process = on_slurm.start(*ONE_LONG_CELL)
    trained = Trained(on_slurm, LONG_CELL)
    trained.wait_for_epoch_after(0)
    on_slurm.cluster.let_time_run_out(trained.job.id)
    said, _ = process.communicate(timeout=400)
    return Ended(on_slurm, subprocess.CompletedProcess(process.args, process.returncode, said, ""))


def preempted_and_cancelled(on_slurm: OnSlurm) -> Ended:
    """A partition whose jobs are not put back into the queue when others take their place."""
    train_for(1200, on_slurm.project)
    on_slurm.profile("    # slurm_partition: gpu # where cells", "    slurm_partition: cancel # where cells")
    with slurm_cluster(nodes=1) as cluster:  # whose other jobs would be preempted too
        on_slurm = replace(on_slurm, cluster=cluster)
        process = on_slurm.start(*ONE_LONG_CELL)
        trained = Trained(on_slurm, LONG_CELL)
        trained.wait_for_epoch_after(0)
        cluster.wait_for(preempt(trained), "COMPLETED")
        said, _ = process.communicate(timeout=400)
        answer = subprocess.CompletedProcess(process.args, process.returncode, said, "")
        return Ended(on_slurm, answer, trained.job)


def full_disk(on_slurm: OnSlurm) -> Ended:
    with small_disk(on_slurm.project.root / "runs"):
        return Ended(on_slurm, on_slurm.run(*ONE_CELL, "--retries", "0"))


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Make `folder` a file system of 100 kB, less than the weights of a cell."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        damaged_variant,
        unknown_partition,
        no_such_gpu,
        too_little_memory,
        more_memory_at_the_next_attempt,
        too_much_time,
        time_runs_out,
        preempted_and_cancelled,
        full_disk,
    )
}


def may_mount(folder: Path) -> bool:
    try:
        with small_disk(folder):
            return True
    except subprocess.CalledProcessError:
        return False


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> dict[str, Ended]:
    """Every scenario's run."""
    root = tmp_path_factory.mktemp("failures")
    wanted = dict(SCENARIOS)
    if os.getuid() != 0 or not may_mount(root / "mount"):
        del wanted["full_disk"]

    def run(name: str, scenario: Callable[[OnSlurm], Ended]) -> Ended:
        return scenario(OnSlurm.copy_to(root / name, cluster))

    with ThreadPoolExecutor(len(wanted)) as pool:
        futures = {name: pool.submit(run, name, scenario) for name, scenario in wanted.items()}
    return {name: future.result() for name, future in futures.items()}


def test_a_failed_cell_costs_itself(ended: dict[str, Ended]) -> None:
    """Of a batch of five, four are finished and stay; only the fifth is tried again, with more memory and time."""
    run = ended["damaged_variant"]
    assert run.answer.returncode != 0
    assert run.runs == 4
    first, second = (run.on_slurm.cluster.job(number) for number in run.failed_jobs)
    assert (first.time_limit_minutes, first.memory_mb) == (5 * 30, 8000)
    assert (second.time_limit_minutes, second.memory_mb) == (1 * 60, 16000)
    assert "Train 4/5 cells" in run.said
    assert "1 job failed: digits/mlp-1x512/labels-p50/none/seed-0: failed log: logs/runs/smoke" in run.said
    assert "train_labels.npy has sha256" in run.said
    assert re.search(rf"the scheduler's log: \S+/logs/slurm/\S+/{second.id}\.log", run.said)
    assert run.on_slurm.project.cells_to_train(*FIVE_CELLS) == {"digits/mlp-1x512/labels-p50/none/seed-0"}


def test_an_unknown_partition_is_named_before_anything_runs(ended: dict[str, Ended]) -> None:
    run = ended["unknown_partition"]
    assert run.answer.returncode != 0
    assert "Slurm refused it: invalid partition specified: nowhere (`sinfo` lists" in run.said
    assert run.runs == 0
    assert run.failed_jobs == []


def test_a_gpu_that_no_node_has_is_named(ended: dict[str, Ended]) -> None:
    run = ended["no_such_gpu"]
    assert run.answer.returncode != 0
    assert "digits/mlp-1x512/true/none/seed-0: Slurm refused it:" in run.said
    assert "no node of the partition has what was asked for" in run.said


def test_a_job_over_its_memory_says_so(ended: dict[str, Ended]) -> None:
    run = ended["too_little_memory"]
    assert run.answer.returncode != 0
    assert "digits/mlp-1x512/true/none/seed-0: ran out of memory (`mem_mb` in the profile)" in run.said
    assert "the scheduler's log: " in run.said


def test_a_further_attempt_gets_more_memory(ended: dict[str, Ended]) -> None:
    run = ended["more_memory_at_the_next_attempt"]
    assert run.answer.returncode == 0, run.said
    assert "failed: digits/mlp-1x512/true/none/seed-0: ran out of memory" in run.said
    assert run.runs == 1


def test_a_job_whose_time_runs_out_says_so_and_goes_on_with_more(ended: dict[str, Ended]) -> None:
    run = ended["time_runs_out"]
    assert run.answer.returncode == 0, run.said
    assert f"failed: {LONG_CELL}: ran out of time (`runtime` in the profile" in run.said
    (first,) = run.failed_jobs
    trained = Trained(run.on_slurm, LONG_CELL)
    assert trained.job.id != first
    assert (run.on_slurm.cluster.job(first).state, trained.job.time_limit_minutes) == ("TIMEOUT", 60)
    assert trained.first_epoch > 1
    assert trained.epoch == 1200


def test_a_preempted_job_goes_on_where_slurm_does_not_requeue_it(ended: dict[str, Ended]) -> None:
    run = ended["preempted_and_cancelled"]
    assert run.answer.returncode == 0, run.said
    trained = Trained(run.on_slurm, LONG_CELL)
    assert run.last_job is not None
    assert (run.last_job.partition, run.last_job.restarts) == ("cancel", 1)
    assert trained.first_epoch > 1
    assert trained.epoch == 1200


def test_a_job_that_could_never_start_is_cancelled_with_the_reason(ended: dict[str, Ended]) -> None:
    """It asks for 30 minutes in a partition that allows one. Slurm itself would let it wait for ever."""
    run = ended["too_much_time"]
    assert run.answer.returncode != 0
    assert "Slurm would never start it: it asks for more time than its partition allows (`runtime`)" in run.said


def test_a_full_disk_is_named(ended: dict[str, Ended]) -> None:
    if "full_disk" not in ended:
        pytest.skip("no file system can be mounted here")
    run = ended["full_disk"]
    assert run.answer.returncode != 0
    assert re.search(r"cannot be written: No space left on device; nothing was changed", run.said)
    assert "log: logs/runs/smoke/digits/mlp-1x512/true/none/seed-0.log" in run.said
    assert run.runs == 0
