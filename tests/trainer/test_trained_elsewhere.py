"""`rethinking train` through a worker: the same command as in a process of its own, only sooner."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from project import Project
from rethinking.cells import Cell
from rethinking.records import read_history
from rethinking.trainer.messages import OFF, VARIABLE
from trainer_host import QUICK, WITHOUT_DATA, Host, host, project_with_endless_cells

CELLS = [
    (Cell("digits", "mlp-1x512", "true", "none", 0), "1"),
    (Cell("digits", "inception", "random-labels", "crop+wd", 1), "2"),
    (Cell("digits", "alexnet", "true", "dropout", 0), "1"),
]
"""With their numbers of threads: on a CPU, what is computed depends on it."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project_with_endless_cells(tmp_path_factory.mktemp("trained-elsewhere") / "project")


@pytest.fixture(scope="module")
def broker(project: Project) -> Iterator[Host]:
    with host(project) as found:
        yield found


def trained(project: Project, cell: Cell, threads: str, socket: str) -> tuple[Any, ...]:
    """Train a cell and return all that is computed, what is measured left out."""
    shutil.rmtree(project.root / "runs", ignore_errors=True)
    answer = project.command(
        "rethinking", "train", str(cell), "--preset", "smoke", "--threads", threads, **{VARIABLE: socket}
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    folder = project.root / cell.run_folder("smoke")
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["seconds"]
    for name in ("started", "finished"):
        del metrics["provenance"][name]
    history = [epoch._replace(seconds=0.0) for epoch in read_history(folder / "history.csv")]
    return metrics, history, (project.root / cell.weights_path("smoke")).read_bytes()


def test_a_worker_gives_what_processes_of_their_own_give_whatever_it_trained_before(
    project: Project, broker: Host
) -> None:
    assert project.command("rethinking", "corrupt", "digits", "random-labels").returncode == 0
    apart = [trained(project, cell, threads, OFF) for cell, threads in CELLS]
    assert broker.workers() == []
    together = [trained(project, cell, threads, broker.socket) for cell, threads in CELLS]
    backwards = [trained(project, cell, threads, broker.socket) for cell, threads in reversed(CELLS)]
    assert len(broker.workers()) == 1
    assert together == apart
    assert backwards == apart[::-1]


def test_each_cell_prints_to_its_own_log_and_closes_it(project: Project, broker: Host) -> None:
    """`subprocess.run` returns when nobody holds the pipes any more: the worker must not."""
    for cell in (QUICK, replace(QUICK, seed=1)):
        answer = project.command("rethinking", "train", str(cell), "--preset", "smoke", **{VARIABLE: broker.socket})
        first, *epochs = answer.stdout.splitlines()
        assert first.startswith(f"{cell} (preset smoke), recipe ")
        assert [line.split()[:2] for line in epochs] == [["epoch", "1"], ["epoch", "2"]]
        assert answer.stderr == ""


def test_what_a_person_can_put_right_is_one_sentence_and_costs_no_worker(project: Project, broker: Host) -> None:
    assert broker.train(QUICK)[0] == 0
    before = broker.workers()
    for words, sentence in (
        (("digits/mlp-1x512/true/none",), "rethinking: 'digits/mlp-1x512/true/none' does not name a cell"),
        (("digits/mlp-1x512/gaussian/none/seed-0",), "rethinking: data/digits/gaussian/manifest.json is missing"),
    ):
        answer = project.command("rethinking", "train", *words, "--preset", "smoke", **{VARIABLE: broker.socket})
        assert (answer.returncode, answer.stdout) == (2, "")
        assert answer.stderr.startswith(sentence)
        assert len(answer.stderr.splitlines()) == 1
    assert broker.train(QUICK)[0] == 0
    assert broker.workers() == before


def test_a_cell_has_the_environment_of_its_command(project: Project, broker: Host) -> None:
    """Programs that it starts are found by the client's PATH: here a git that says what it is asked to say."""
    commits = []
    for name in ("one", "two"):
        folder = project.root / name
        folder.mkdir()
        (folder / "git").write_text(f"#!/bin/sh\necho {name}\n")
        (folder / "git").chmod(0o755)
        path = f"{folder}{os.pathsep}{project.environment['PATH']}"
        assert broker.train(QUICK, PATH=path)[0] == 0
        metrics = project.root / QUICK.run_folder("smoke") / "metrics.json"
        commits.append(json.loads(metrics.read_text())["provenance"]["commit"])
    assert commits == ["one", "two"]
    assert len(broker.workers()) == 1


def test_variables_that_libraries_read_on_loading_get_a_worker_of_their_own(broker: Host) -> None:
    broker.refuse()
    before = len(broker.workers())
    broker.refuse(OMP_NUM_THREADS="2")
    broker.refuse(OMP_NUM_THREADS="2")
    assert len(broker.workers()) == before + 1


def test_the_command_itself_loads_nothing_heavy(broker: Host) -> None:
    program = broker.project.root / "imports.py"
    program.write_text(
        "import atexit, sys\n"
        "heavy = ('torch', 'numpy', 'pandas', 'pydantic', 'yaml')\n"
        "atexit.register(lambda: print('loaded:', *(name for name in heavy if name in sys.modules)))\n"
        "from rethinking.cli import main; main()\n"
    )
    for socket, loaded in ((broker.socket, "loaded:"), (OFF, "loaded: numpy pydantic yaml")):
        training = broker.start(WITHOUT_DATA, program=(sys.executable, str(program)), **{VARIABLE: socket})
        assert training.wait()[1].splitlines()[-1] == loaded


@pytest.mark.parametrize(
    ("variables", "elsewhere"),
    [
        ({}, True),
        ({VARIABLE: OFF}, False),
        ({VARIABLE: "/nowhere/trainer"}, False),
        # The variable travels with submitted jobs, and may name a broker of the submitting machine.
        ({"SLURM_JOB_ID": "17"}, False),
        # Processes that torchrun has started train a cell together.
        ({"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0"}, False),
    ],
    ids=["broker", "off", "gone", "job", "torchrun"],
)
def test_who_trains_by_itself(broker: Host, variables: dict[str, str], elsewhere: bool) -> None:
    before = broker.workers()
    broker.refuse(OMP_NUM_THREADS="3", **variables)
    assert (broker.workers() != before) is elsewhere


def test_the_socket_is_for_nobody_else_and_goes_with_the_process(project: Project) -> None:
    with host(project) as found:
        folder = Path(found.socket).parent
        assert (folder.stat().st_mode & 0o777, folder.stat().st_uid) == (0o700, os.getuid())
        assert len(os.fsencode(found.socket)) < 104
    assert not folder.exists()


def test_a_long_path_of_temporary_files_is_avoided(project: Project, tmp_path: Path) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    with host(project, TMPDIR=str(long)) as found:
        assert found.socket.startswith("/tmp/")
    assert list(long.iterdir()) == []


def test_a_process_within_another_uses_the_broker_that_there_is(project: Project, broker: Host) -> None:
    with host(project, **{VARIABLE: broker.socket}) as inner:
        assert inner.socket == broker.socket
    with host(project, **{VARIABLE: OFF}) as inner:
        assert inner.socket == OFF


def test_a_broker_that_is_gone_or_of_another_job_is_replaced(project: Project, broker: Host) -> None:
    with host(project, **{VARIABLE: "/nowhere/trainer"}) as inner:
        assert inner.socket not in ("/nowhere/trainer", broker.socket)
        assert broker.socket != inner.socket
    with host(project, **{VARIABLE: broker.socket, "SLURM_JOB_ID": "17"}) as inner:
        assert inner.socket != broker.socket
