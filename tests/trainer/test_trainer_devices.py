"""Cells spread over the GPUs of a machine by themselves, here four that only have names; workers are used again."""

import os
import signal
from collections.abc import Iterator

import pytest

from project import Project
from trainer_host import ENDLESS, QUICK, Host, environment, host, project_with_endless_cells, seeds

GPUS = ("3", "GPU-8932f937", "1", "MIG-5")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project_with_endless_cells(tmp_path_factory.mktemp("trainer-devices") / "project")


@pytest.fixture
def broker(project: Project) -> Iterator[Host]:
    with host(project, " ".join(GPUS)) as found:
        yield found


def devices(broker: Host) -> list[str]:
    """Return the GPU that each worker sees, in alphabetical order."""
    return sorted(environment(pid)["CUDA_VISIBLE_DEVICES"] for pid in broker.workers())


def test_each_cell_goes_to_the_gpu_with_the_fewest(broker: Host) -> None:
    trainings = []
    expected = [*GPUS, *GPUS[:2]]
    cells = seeds(ENDLESS)
    for count in range(1, len(expected) + 1):
        trainings.append(broker.start(next(cells)))
        broker.wait_for_workers(count)
        assert devices(broker) == sorted(expected[:count])
    trainings[2].client.terminate()
    trainings[2].client.wait(60)
    broker.wait_for_workers(5)
    trainings.append(broker.start(next(cells)))
    broker.wait_for_workers(6)
    assert devices(broker) == sorted(expected)
    for training in trainings:
        training.client.terminate()
    for training in trainings:
        training.client.wait(60)
    broker.wait_for_workers(0)


def test_cells_one_after_the_other_share_a_worker_and_cells_at_once_do_not(broker: Host) -> None:
    assert [broker.train(QUICK)[0] for _ in range(3)] == [0, 0, 0]
    first = broker.workers()
    assert devices(broker) == [GPUS[0]]
    training = broker.start(ENDLESS)
    training.wait_for_epoch()
    assert broker.workers() == first
    assert broker.train(QUICK)[0] == 0
    assert devices(broker) == sorted(GPUS[:2])
    assert broker.train(QUICK)[0] == 0
    assert devices(broker) == sorted(GPUS[:2])
    training.client.terminate()
    training.client.wait(60)


def test_the_commands_own_gpus_do_not_count(broker: Host) -> None:
    """A step of a Slurm job may see one GPU of those that the job, and with it the broker, has been lent."""
    for seen in ("0", "7"):
        broker.refuse(CUDA_VISIBLE_DEVICES=seen)
    assert devices(broker) == [GPUS[0]]


def test_an_idle_worker_ends_after_a_while(project: Project) -> None:
    with host(project, "", "IDLE_SECONDS=0.5") as broker:
        broker.refuse()
        broker.wait_for_workers(0)
        broker.refuse()


def test_an_idle_worker_that_was_killed_costs_nothing(project: Project) -> None:
    with host(project) as broker:
        broker.refuse()
        [worker] = broker.workers()
        os.kill(worker, signal.SIGKILL)
        broker.refuse()
