"""Whatever ends, in whatever way, costs at most the cell in training, and leaves no process behind."""

import os
import signal
from pathlib import Path

import pytest

from project import Project
from trainer_host import ENDLESS, QUICK, Host, alive, host, project_with_endless_cells, seeds, suspend, until

CELLS = seeds(ENDLESS)
"""Each is new: none has a checkpoint yet."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project_with_endless_cells(tmp_path_factory.mktemp("trainer-interruptions") / "project")


def test_a_worker_that_is_killed_costs_the_cell_that_it_trains(project: Project) -> None:
    with host(project) as broker:
        training = broker.start(next(CELLS))
        training.wait_for_epoch()
        os.kill(broker.workers()[0], signal.SIGKILL)
        status, output = training.wait()
        assert status == 1
        said = "rethinking: the training process was killed by signal 9; this is what running out of memory looks like"
        assert output.splitlines()[-1] == said
        assert broker.train(QUICK)[0] == 0


@pytest.mark.parametrize(("how", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interruption_is_passed_on_and_leaves_a_checkpoint(
    project: Project, how: signal.Signals, status: int
) -> None:
    with host(project) as broker:
        training = broker.start(next(CELLS))
        training.wait_for_epoch()
        [worker] = broker.workers()
        training.client.send_signal(how)
        assert training.wait()[0] == status
        assert (training.folder / "checkpoint.pt").is_file()
        until(lambda: not alive(worker))
        assert broker.process.poll() is None


@pytest.mark.parametrize(("how", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interruption_while_torch_is_loaded_ends_at_once(project: Project, how: signal.Signals, status: int) -> None:
    with host(project) as broker:
        training = broker.start(next(CELLS))
        broker.wait_for_workers(1)
        training.client.send_signal(how)
        assert training.wait()[0] == status
        broker.wait_for_workers(0)


def test_a_command_that_is_killed_interrupts_its_training(project: Project) -> None:
    with host(project) as broker:
        training = broker.start(next(CELLS))
        training.wait_for_epoch()
        training.client.kill()
        broker.wait_for_workers(0)
        assert (training.folder / "checkpoint.pt").is_file()


def test_when_the_process_of_the_broker_is_killed_everything_ends(project: Project) -> None:
    """One worker trains, one is idle."""
    with host(project) as broker:
        training = broker.start(next(CELLS))
        training.wait_for_epoch()
        assert broker.train(QUICK)[0] == 0
        workers = broker.workers()
        assert len(workers) == 2
        broker.process.kill()
        status, output = training.wait()
        assert status == 1
        assert "rethinking: Snakemake has ended, and with it this job" in output.splitlines()
        until(lambda: not any(alive(pid) for pid in workers))
        assert (training.folder / "checkpoint.pt").is_file()


def test_a_process_that_ends_waits_until_its_trainings_have_saved_their_state(project: Project) -> None:
    """Slurm kills what is left of a job as soon as the job's own process has ended."""
    with host(project) as broker:
        training = broker.start(next(CELLS))
        training.wait_for_epoch()
        workers = broker.workers()
        assert broker.process.stdin is not None
        broker.process.stdin.close()
        broker.process.wait(20)
        assert (training.folder / "checkpoint.pt").is_file()
        assert not any(alive(pid) for pid in workers)
        assert training.wait()[0] == 143
        assert not Path(broker.socket).exists()


def test_a_worker_that_does_not_end_when_asked_is_killed(project: Project) -> None:
    with host(project, "", "GRACE_SECONDS=1") as broker:
        training = broker.start(next(CELLS))
        broker.wait_for_workers(1)
        [worker] = broker.workers()
        suspend(worker)
        training.client.terminate()
        status, output = training.wait()
        assert status == 143
        assert output.splitlines()[-1].startswith("rethinking: the training process did not end within 1 s")
        assert not alive(worker)


def test_code_that_has_changed_is_loaded_and_a_defect_in_it_costs_the_worker(project: Project) -> None:
    def trained(broker: Host) -> tuple[int, str, list[int]]:
        return *broker.train(QUICK), broker.workers()

    with host(project) as broker:
        status, output, first = trained(broker)
        assert (status, "really" in output) == (0, False)
        with project.edited("src/rethinking/runs.py", "{cell} (preset", "{cell}, really (preset"):
            status, output, second = trained(broker)
            assert (status, "really" in output) == (0, True)
            assert set(first).isdisjoint(second)
            assert len(second) == 1
            assert trained(broker)[2] == second
        with project.edited(
            "src/rethinking/runs.py",
            "def _print_epoch(epoch: Epoch) -> None:\n",
            "def _print_epoch(epoch: Epoch) -> None:\n    1 / 0\n",
        ):
            status, output, _ = trained(broker)
            assert status == 1
            assert "Traceback" in output
            assert output.splitlines()[-1] == "ZeroDivisionError: division by zero"
            broker.wait_for_workers(0)
        status, output, third = trained(broker)
        assert (status, "really" in output, "Traceback" in output) == (0, False, False)
        assert set(third).isdisjoint(first + second)
