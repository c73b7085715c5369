"""The cluster on which the Slurm profile is tested does what those tests rely on."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import slurm
from slurm import Cluster, slurm_cluster

UNAVAILABLE = slurm.available()
pytestmark = pytest.mark.skipif(UNAVAILABLE is not None, reason=str(UNAVAILABLE))

# Says that it gets SIGTERM, and goes on.
STUBBORN = f"""{sys.executable} -uc '
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: print("SIGTERM"))
print("start", os.environ.get("SLURM_RESTART_COUNT", 0))
for second in range(100):
    time.sleep(1)
'
"""
# Leaves a process behind that has nothing more to do with it, and says its number.
STRAY = "setsid sleep 100 & echo $!"
APPEND = "--open-mode=append"  # or the output of a requeued job's first run is lost


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with slurm_cluster(nodes=3) as cluster:
        yield cluster


@pytest.fixture(scope="module", autouse=True)
def overdue(cluster: Cluster) -> int:
    """A job with node3 to itself whose time is up. Other tests run first, as Slurm takes half a minute to see it."""
    job = cluster.submit(STUBBORN, "--nodelist=node3", "--exclusive", "--time=1")
    wait_for_output(cluster, job, "start 0")
    cluster.let_time_run_out(job)
    return job


def wait_for_output(cluster: Cluster, job: int, text: str) -> None:
    cluster.wait(lambda _: text in cluster.output(job))


def wait_until_gone(process: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < deadline, f"process {process} is still there"
        time.sleep(0.02)


def test_squeue_tells_what_a_job_asks(cluster: Cluster) -> None:
    options = ("--job-name=a name", "--comment=model=mlp-1x512, seed=0 | x", "--cpus-per-task=3", "--mem=1500")
    job = cluster.job(cluster.submit("true", "--hold", "--time=1-02:30", "--gpus=fake:2", *options))
    assert (job.state, job.partition, job.restarts, job.nodes) == ("PENDING", "main", 0, "")
    assert (job.name, job.comment) == ("a name", "model=mlp-1x512, seed=0 | x")
    assert (job.cpus, job.memory_mb, job.gpus, job.time_limit_minutes) == (3, 1500, 2, 26 * 60 + 30)
    cluster.command("scancel", str(job.id))


def test_a_gpu_serves_one_job_at_a_time(cluster: Cluster) -> None:
    script = "printenv CUDA_VISIBLE_DEVICES; until [ -e go ]; do sleep 0.1; done; srun printenv CUDA_VISIBLE_DEVICES"
    first, second, third = (cluster.submit(script, "--nodelist=node1", "--gres=gpu:1") for _ in range(3))
    for job in (first, second):
        wait_for_output(cluster, job, "\n")
    assert cluster.job(third).state == "PENDING"
    (cluster.folder / "go").touch()
    for job in (first, second, third):
        cluster.wait_for(job, "COMPLETED")
    assert {cluster.output(first), cluster.output(second)} == {"0\n0\n", "1\n1\n"}


def test_a_job_without_gpus_is_told_of_none(cluster: Cluster) -> None:
    job = cluster.submit("echo ${CUDA_VISIBLE_DEVICES-none}")
    cluster.wait_for(job, "COMPLETED")
    assert cluster.output(job) == "none\n"


def test_a_job_that_takes_too_much_memory_is_killed(cluster: Cluster) -> None:
    job = cluster.submit(f"{sys.executable} -c 'x = bytearray(200 << 20); import time; time.sleep(100)'", "--mem=100")
    cluster.wait_for(job, "FAILED")
    assert "exceeded memory limit" in cluster.output(job)


def test_a_job_of_a_failed_node_runs_again_elsewhere(cluster: Cluster) -> None:
    job = cluster.submit(STUBBORN, APPEND)
    wait_for_output(cluster, job, "start 0")
    failed = cluster.job(job).nodes
    cluster.down(failed)
    assert "SIGTERM" in cluster.output(job)
    assert cluster.job(job).restarts == 1
    wait_for_output(cluster, job, "start 1")
    assert cluster.job(job).nodes != failed
    cluster.command("scancel", "--full", "--signal=KILL", str(job))
    cluster.resume(failed)
    assert cluster.node_states()[failed] == "idle"


def test_an_urgent_job_takes_the_place_of_others_which_run_again(cluster: Cluster) -> None:
    job = cluster.submit(STUBBORN, "--nodelist=node1", APPEND)
    wait_for_output(cluster, job, "start 0")
    urgent = cluster.submit("true", "--nodelist=node1", "--exclusive", "--partition=urgent")
    cluster.wait_for(urgent, "COMPLETED")
    assert "SIGTERM" in cluster.output(job)
    wait_for_output(cluster, job, "start 1")
    cluster.command("scancel", "--full", "--signal=KILL", str(job))


def test_in_its_grace_a_preempted_job_may_end_by_itself(cluster: Cluster) -> None:
    job = cluster.submit("srun sleep 100; exit 3", "--nodelist=node2", "--partition=grace")
    cluster.wait_for(job, "RUNNING")
    urgent = cluster.submit("true", "--nodelist=node2", "--exclusive", "--partition=urgent")
    cluster.wait_for(urgent, "COMPLETED")
    # Slurm takes that for the job's own end, and does not requeue it.
    assert (cluster.job(job).state, cluster.job(job).restarts) == ("FAILED", 0)


def test_nothing_is_left_of_a_cluster_that_has_stopped() -> None:
    with slurm_cluster(nodes=1) as cluster:
        job = cluster.submit(STRAY)
        wait_for_output(cluster, job, "\n")
        stray = int(cluster.output(job))
    assert not Path(f"/proc/{stray}").exists()
    assert not cluster.folder.exists()


def test_a_cluster_stops_with_the_tests_even_if_they_are_killed(tmp_path_factory: pytest.TempPathFactory) -> None:
    tests = f"""
import slurm, time
with slurm.slurm_cluster(nodes=1) as cluster:
    job = cluster.submit({STRAY!r})
    cluster.wait(lambda _: cluster.output(job))
    print(cluster.output(job), flush=True)
    time.sleep(100)
"""
    with subprocess.Popen(
        [sys.executable, "-c", tests],
        cwd=Path(__file__).parent,
        env={"TMPDIR": str(tmp_path_factory.getbasetemp())},  # whose folder will then be left
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        stray = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    wait_until_gone(stray)


@pytest.mark.slow
def test_a_job_over_its_time_limit_is_asked_to_end_and_then_killed(cluster: Cluster, overdue: int) -> None:
    cluster.wait_for(overdue, "TIMEOUT", seconds=60)
    assert "SIGTERM" in cluster.output(overdue)
    assert cluster.job(overdue).restarts == 0
