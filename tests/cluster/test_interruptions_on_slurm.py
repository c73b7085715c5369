"""A node that fails, a job that is preempted, a Snakemake that is killed: the run ends as if nothing had happened."""

import csv
import json
import signal
from pathlib import Path

import pytest
from on_slurm import OnSlurm, Trained, train_for, wait_until

from project import Project
from slurm import Cluster

pytestmark = pytest.mark.slow

CELLS = [f"digits/inception/{corruption}/none/seed-0" for corruption in ("true", "random-labels")]
RUNS = ("runs", "--config", "preset=smoke", "models=inception", "corruptions=true,random-labels", "regularizers=none")
EPOCHS = 400  # some 20 seconds


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.copy_to(tmp_path_factory.mktemp("undisturbed") / "project")
    train_for(EPOCHS, project)
    answer = project.snakemake(*RUNS)
    assert answer.returncode == 0, answer.stderr
    return project


def history(project: Project, cell: str) -> list[dict[str, str]]:
    with open(project.root / "runs/smoke" / cell / "history.csv", encoding="utf-8", newline="") as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def weights(project: Project, cell: str) -> bytes:
    return (project.root / "weights/smoke" / cell / "weights.safetensors").read_bytes()


def test_node_failure_preemption_and_a_killed_snakemake_leave_no_trace(
    tmp_path: Path, cluster: Cluster, undisturbed: Project
) -> None:
    on_slurm = OnSlurm.copy_to(tmp_path / "project", cluster)
    train_for(EPOCHS, on_slurm.project)
    on_slurm.profile("cells=8", "cells=1")
    process = on_slurm.start(*RUNS)
    one, other = cells = [Trained(on_slurm, cell) for cell in CELLS]
    for trained in cells:
        trained.wait_for_epoch_after(0)

    # The node of one cell fails: Slurm kills its jobs and puts them back into the queue.
    node, job = one.job.nodes, one.job.id
    before = one.epoch
    cluster.down(node)
    cluster.resume(node)
    one.wait_for_epoch_after(before - 1)
    assert (one.job.id, one.job.restarts) == (job, 1)

    # Somebody more important wants the node of the other.
    job, before = other.job.id, other.epoch
    urgent = cluster.submit("sleep 1", "--partition=urgent", f"--nodelist={other.job.nodes}", "--gpus-per-node=2")
    cluster.wait_for(urgent, "COMPLETED")
    other.wait_for_epoch_after(before - 1)
    assert other.job.id == job
    assert other.job.restarts >= 1

    # Snakemake is killed and knows no more of its jobs, which go on; the next one finds them in its way.
    left = sorted({trained.job.id for trained in cells})
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = on_slurm.run(*RUNS)
    said = " ".join((again.stdout + again.stderr).split())
    assert again.returncode == 0, said
    assert f"Cancelled jobs that an earlier run has left in the queue: {', '.join(map(str, left))}" in said
    assert [cluster.job(number).state for number in left] == ["CANCELLED"] * 2

    for cell in CELLS:
        assert len(history(on_slurm.project, cell)) == EPOCHS
        assert history(on_slurm.project, cell) == history(undisturbed, cell)
        assert weights(on_slurm.project, cell) == weights(undisturbed, cell)
        metrics = json.loads((on_slurm.project.root / "runs/smoke" / cell / "metrics.json").read_text())
        assert metrics["provenance"]["resumed_after_epoch"] > 0
        run = on_slurm.project.root / "runs/smoke" / cell
        assert sorted(path.name for path in run.iterdir()) == [".snakemake", "history.csv", "metrics.json"]
    assert on_slurm.project.to_do(*RUNS) == {}


def test_a_batch_that_is_preempted_trains_no_finished_cell_again(
    tmp_path: Path, cluster: Cluster, undisturbed: Project
) -> None:
    on_slurm = OnSlurm.copy_to(tmp_path / "project", cluster)
    train_for(EPOCHS, on_slurm.project)
    process = on_slurm.start(*RUNS)
    cells = [Trained(on_slurm, cell) for cell in CELLS]
    # One of the two, trained in one job one after the other, is finished, and the other under way.
    wait_until(
        lambda: {trained.epoch == EPOCHS for trained in cells} == {True, False} and all(t.epoch > 0 for t in cells),
        on_slurm.logs,
        seconds=120,
    )
    finished, under_way = sorted(cells, key=lambda trained: trained.epoch != EPOCHS)
    assert finished.job.id == under_way.job.id
    urgent = cluster.submit("sleep 1", "--partition=urgent", f"--nodelist={finished.job.nodes}", "--gpus-per-node=2")
    cluster.wait_for(urgent, "COMPLETED")
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert under_way.job.restarts == 1
    assert "trained before, and kept in" in finished.said
    assert under_way.first_epoch > 1
    for cell in CELLS:
        assert history(on_slurm.project, cell) == history(undisturbed, cell)
        assert weights(on_slurm.project, cell) == weights(undisturbed, cell)
