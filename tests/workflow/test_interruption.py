"""Ctrl-C and kill at any moment: nothing half-written is ever taken for a result, and the run goes on."""

import csv
import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from project import Project
from rethinking.cells import RUN_FILES

pytestmark = pytest.mark.slow

STUDY = ("--config", "preset=smoke", "studies=randomisation")
SMOKE = (*STUDY, "models=mlp-1x512", "regularizers=none")


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


KILLS = 8


def outcome(project: Project) -> dict[str, object]:
    """Return all weights and histories, times aside."""
    found: dict[str, object] = {}
    for path in project.root.glob("weights/smoke/**/weights.safetensors"):
        found[str(path.relative_to(project.root))] = path.read_bytes()
    for path in project.root.glob("runs/smoke/**/history.csv"):
        with open(path, encoding="utf-8", newline="") as file:
            found[str(path.relative_to(project.root))] = [row | {"seconds": ""} for row in csv.DictReader(file)]
    return found


def kill(process: subprocess.Popen[str], alone: bool) -> None:
    """Kill Snakemake: alone, which leaves its jobs for the moment, or with everything that it has started."""
    with suppress(ProcessLookupError):
        if alone:
            os.kill(process.pid, signal.SIGKILL)
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=120)


def test_snakemake_killed_at_random_moments_loses_nothing(tmp_path: Path) -> None:
    """Killed eight times on its way, alone or with its jobs; what is finished before is not trained again."""
    cells = (*STUDY, "models=mlp-1x512,inception")
    undisturbed = Project.copy_to(tmp_path / "undisturbed")
    assert undisturbed.snakemake("runs", *cells).returncode == 0
    project = Project.copy_to(tmp_path / "killed")
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    killed = 0
    for _ in range(KILLS):
        process = project.start("snakemake", "runs", *cells)
        try:
            process.communicate(timeout=moments.uniform(2.0, 5.0))
            break  # it has come to its end
        except subprocess.TimeoutExpired:
            kill(process, alone=moments.random() < 0.5)
            killed += 1
        # Whatever lies there now is whole: a run that has its metrics has all of it, and it is the right one.
        for metrics in project.root.glob("runs/smoke/**/seed-*/metrics.json"):
            cell = metrics.parent.relative_to(project.root / "runs")
            weights = f"weights/{cell}/weights.safetensors"
            assert (project.root / weights).read_bytes() == (undisturbed.root / weights).read_bytes(), seed
    assert killed >= 2, seed
    answer = project.snakemake("runs", *cells)
    assert answer.returncode == 0, f"seed {seed}: {answer.stderr}"
    assert outcome(project) == outcome(undisturbed), seed
    left = [
        path
        for folder in ("runs", "weights", "data", ".snakemake/locks")
        for pattern in ("*.part", ".kept", "*.lock", "checkpoint.pt")
        for path in (project.root / folder).rglob(pattern)
    ]
    assert left == [], seed
    assert "train" not in project.to_do(*cells)


def test_a_second_run_in_the_same_folder_is_told_of_the_first(tmp_path: Path) -> None:
    project = Project.copy_to(tmp_path / "project")
    first = project.start("snakemake", "runs", *SMOKE)
    wait_for(project, ".snakemake/locks/*.lock", 60)
    first.send_signal(signal.SIGSTOP)  # or it may have ended before the second has started
    second = project.snakemake("runs", *SMOKE)
    first.send_signal(signal.SIGCONT)
    assert second.returncode != 0
    assert "Another run is active in this folder: wait until it has ended." in " ".join(second.stderr.split())
    said, _ = first.communicate(timeout=120)
    assert first.returncode == 0, said


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
