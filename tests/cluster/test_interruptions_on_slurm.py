"""A node that fails, a job that is preempted, a Snakemake that is killed: the run ends as if nothing had happened."""

import csv
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

import slurm
from on_slurm import OnSlurm, Trained, preempt, train_for, wait_until
from project import Project

pytestmark = pytest.mark.slow

CELLS = [f"digits/inception/{corruption}/none/seed-0" for corruption in ("true", "random-labels")]
STUDY = ("runs", "--config", "preset=smoke", "studies=randomisation")
RUNS = (*STUDY, "models=inception", "corruptions=true,random-labels", "regularizers=none")
DATA = ("data/digits/true/manifest.json", "data/digits/random-labels/manifest.json", "--config", "preset=smoke")
EPOCHS = 500  # some 25 seconds


@dataclass(frozen=True)
class Ended:
    """A run that was interrupted and has come to its end, and what was seen on the way."""

    on_slurm: OnSlurm
    cells: list[Trained]
    said: str
    cancelled: dict[int, str]
    """Jobs that the killed Snakemake left, with their states."""


def undisturbed(root: Path) -> Project:
    project = Project.copy_to(root)
    train_for(EPOCHS, project)
    answer = project.snakemake(*RUNS)
    assert answer.returncode == 0, answer.stderr
    return project


def disturbed(root: Path) -> Ended:
    """Each cell in a job of its own: a node fails, a job is preempted, and then Snakemake is killed."""
    with slurm.slurm_cluster(nodes=2, gpus=1) as cluster:
        on_slurm = OnSlurm.copy_to(root, cluster)
        train_for(EPOCHS, on_slurm.project)
        on_slurm.profile("cells=8", "cells=1")
        made = on_slurm.project.snakemake(*DATA)  # so that no cell has to wait for its data while the other is trained
        assert made.returncode == 0, made.stderr
        process = on_slurm.start(*RUNS)
        _, other = cells = [Trained(on_slurm, cell) for cell in CELLS]
        for trained in cells:
            trained.wait_for_epoch_after(0)

        # The node of one cell fails, and somebody more important wants that of the other: Slurm ends both jobs and
        # puts them back into the queue.
        jobs, before = [trained.job for trained in cells], [trained.epoch for trained in cells]
        assert len({job.nodes for job in jobs}) == 2
        urgent = preempt(other, gpus=1)
        cluster.down(jobs[0].nodes)
        cluster.resume(jobs[0].nodes)
        cluster.wait_for(urgent, "COMPLETED")
        for trained, job, epoch in zip(cells, jobs, before, strict=True):
            trained.wait_for_epoch_after(epoch)
            assert (trained.job.id, trained.job.restarts) == (job.id, 1)
            if trained is not other:
                trained.hold()  # it must not come to its end before the other one goes on

        # Snakemake is killed and knows no more of its jobs, which go on; the next one finds them in its way.
        left = sorted({trained.job.id for trained in cells})
        process.send_signal(signal.SIGKILL)
        process.wait()
        cells[0].let_go_on()
        again = on_slurm.run(*RUNS)
        said = " ".join((again.stdout + again.stderr).split())
        assert again.returncode == 0, said
        return Ended(on_slurm, cells, said, {number: cluster.job(number).state for number in left})


def preempted_batch(root: Path) -> Ended:
    """Both cells in one job, one after the other, which is preempted while the second is trained."""
    with slurm.slurm_cluster() as cluster:
        on_slurm = OnSlurm.copy_to(root, cluster)
        train_for(EPOCHS, on_slurm.project)
        process = on_slurm.start(*RUNS)
        cells = [Trained(on_slurm, cell) for cell in CELLS]
        wait_until(
            lambda: {trained.epoch == EPOCHS for trained in cells} == {True, False} and all(t.epoch > 0 for t in cells),
            on_slurm.logs,
            seconds=400,
        )
        finished, under_way = sorted(cells, key=lambda trained: trained.epoch != EPOCHS)
        assert finished.job.id == under_way.job.id
        cluster.wait_for(preempt(under_way), "COMPLETED")
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said
        assert under_way.job.restarts == 1
        return Ended(on_slurm, [finished, under_way], said, {})


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Ended, Ended]:
    """All three, which ran side by side: each mostly waits."""
    if (missing := slurm.available()) is not None:
        pytest.skip(f"no Slurm cluster can be started here: {missing}")
    root = tmp_path_factory.mktemp("interrupted")
    with ThreadPoolExecutor() as pool:
        reference = pool.submit(undisturbed, root / "undisturbed")
        one, other = pool.submit(disturbed, root / "disturbed"), pool.submit(preempted_batch, root / "preempted")
    return reference.result(), one.result(), other.result()


def outcome(project: Project, cell: str) -> tuple[list[dict[str, str]], bytes]:
    """Return a cell's history, times aside, and its weights."""
    with open(project.root / "runs/smoke" / cell / "history.csv", encoding="utf-8", newline="") as file:
        history = [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]
    return history, (project.root / "weights/smoke" / cell / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("cell", CELLS)
def test_whatever_interrupts_a_run_its_outcome_is_that_of_none(ended: tuple[Project, Ended, Ended], cell: str) -> None:
    reference, *interrupted = ended
    assert len(outcome(reference, cell)[0]) == EPOCHS
    for run in interrupted:
        assert outcome(run.on_slurm.project, cell) == outcome(reference, cell)


def test_a_failed_node_and_a_preemption_leave_no_trace(ended: tuple[Project, Ended, Ended]) -> None:
    _, run, _ = ended
    for trained in run.cells:
        folder = run.on_slurm.project.root / "runs/smoke" / trained.cell
        metrics = json.loads((folder / "metrics.json").read_text())
        assert metrics["provenance"]["resumed_after_epoch"] > 0
        assert sorted(path.name for path in folder.iterdir()) == [".snakemake", "history.csv", "metrics.json"]
    assert run.on_slurm.project.to_do(*RUNS) == {}


def test_jobs_of_a_killed_snakemake_are_cancelled_by_the_next(ended: tuple[Project, Ended, Ended]) -> None:
    _, run, _ = ended
    numbers = ", ".join(map(str, run.cancelled))
    assert f"Cancelled jobs that an earlier run has left in the queue: {numbers}" in run.said
    assert set(run.cancelled.values()) == {"CANCELLED"}


def test_a_batch_that_is_preempted_trains_no_finished_cell_again(ended: tuple[Project, Ended, Ended]) -> None:
    finished, under_way = ended[2].cells
    assert "trained before, and kept in" in finished.said
    assert under_way.first_epoch > 1
