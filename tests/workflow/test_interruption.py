"""Ctrl-C and kill at any moment: nothing half-written is ever taken for a result, and the run goes on."""

import os
import signal
import time

import pytest

from project import Project
from rethinking.cells import RUN_FILES

pytestmark = pytest.mark.slow

SMOKE = ("--config", "preset=smoke", "models=mlp-1x512", "regularizers=none")


def wait_for(project: Project, pattern: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not list(project.root.glob(pattern)):
        assert time.monotonic() < deadline, f"no {pattern} after {seconds} s"
        time.sleep(0.05)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_is_finished_by_the_next(
    tmp_path_factory: pytest.TempPathFactory, how: signal.Signals
) -> None:
    project = Project.copy_to(tmp_path_factory.mktemp("interrupted"))
    process = project.start("snakemake", "runs", *SMOKE)
    wait_for(project, "logs/runs/**/*.log", 120)
    os.killpg(process.pid, how)  # as a terminal's Ctrl-C reaches all processes, or a machine that loses power
    process.communicate(timeout=120)
    assert process.returncode != 0

    answer = project.snakemake("runs", *SMOKE)
    assert answer.returncode == 0, answer.stderr
    runs = list(project.root.glob("runs/smoke/digits/mlp-1x512/*/none/seed-0"))
    assert len(runs) == 3
    for run in runs:
        assert sorted(path.name for path in run.iterdir()) == sorted([".snakemake", *RUN_FILES])


def test_a_folder_that_cannot_be_written_fails_the_cell_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A regular file stands where the runs of the data set should go: writing is refused even for root."""
    project = Project.copy_to(tmp_path_factory.mktemp("blocked"))
    assert project.command("rethinking", "fetch", "digits").returncode == 0
    (project.root / "runs").write_text("in the way")
    answer = project.command("rethinking", "train", "digits/mlp-1x512/true/none/seed-0", "--preset", "smoke")
    assert answer.returncode == 2
    assert "cannot be written" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert (project.root / "runs").read_text() == "in the way"
