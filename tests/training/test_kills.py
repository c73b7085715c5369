"""`rethinking train`, killed at any moment and started again, leaves what it leaves when nobody kills it."""

import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from project import Project
from rethinking.cells import Cell
from rethinking.files import checksum
from rethinking.params_file import load_params
from rethinking.records import Epoch, read_history, read_metrics
from rethinking.runs import training_code
from rethinking.training import checkpoint
from rethinking.training.rhythm import CHECKPOINT_VARIABLE

CELL = Cell("digits", "inception", "true", "flip+rotate", 0)
EPOCHS = 120
START_SECONDS = 2.5
"""Within about this time a process imports torch, reads the data and begins to train."""


class Kill(NamedTuple):
    """A moment to kill at: so long after a start, after that many further checkpoints, or after the last epoch."""

    how: signal.Signals
    checkpoints: int
    ended: bool
    seconds: float

    def __str__(self) -> str:
        place = "last epoch" if self.ended else f"{self.checkpoints} checkpoints" if self.checkpoints else "start"
        return f"{self.how.name} {self.seconds:.3f} s after {place}"


def kills(seed: int) -> list[Kill]:
    """Draw 24 kills before the end of training, in any order, and then some while results are written."""
    draws = random.Random(seed)

    def how() -> signal.Signals:
        return draws.choice([signal.SIGKILL, signal.SIGTERM])

    starting = [Kill(how(), 0, False, draws.uniform(0, START_SECONDS)) for _ in range(10)]
    training = [Kill(how(), draws.randint(1, 15), False, draws.uniform(0, 0.02)) for _ in range(14)]
    writing = [Kill(how(), 0, True, draws.uniform(0, 0.03)) for _ in range(3)]
    return [*draws.sample(starting + training, 24), *writing]


def stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes whenever the file is replaced."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def start_and_kill(project: Project, words: list[str], folder: Path, kill: Kill | None) -> tuple[int, str]:
    """Start the training, kill it at the moment given if it still runs then, and return exit status and output."""
    seen = stamp(folder / checkpoint.FILE_NAME)
    process = project.start(*words)
    assert process.stdout is not None
    printed, count = [], 0
    while kill and kill.ended and process.poll() is None:
        printed.append(process.stdout.readline())
        if printed[-1].startswith(f"epoch {EPOCHS:4d}") or not printed[-1]:
            break
    while kill and count < kill.checkpoints and process.poll() is None:
        now = stamp(folder / checkpoint.FILE_NAME)
        count += now not in (seen, None)
        seen = now
        time.sleep(0.001)
    if kill:
        time.sleep(kill.seconds)
        os.killpg(process.pid, kill.how)
    output, _ = process.communicate(timeout=120)
    return process.returncode, "".join(printed) + output


def timeless(path: Path) -> list[Epoch]:
    return [epoch._replace(seconds=0.0) for epoch in read_history(path)]


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_like_one_that_was_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CHECKPOINT_VARIABLE, "0")
    project = Project.copy_to(tmp_path / "project")
    project.edit(
        "params.yaml", "      epochs: 2\n      batch_size: 32\n", f"      epochs: {EPOCHS}\n      batch_size: 32\n"
    )
    assert project.command("rethinking", "fetch", "digits").returncode == 0
    recipe = load_params(project.root / "params.yaml", "smoke").recipe(CELL)
    # As Snakemake starts it: what a killed process has finished is then not trained again.
    words = ["rethinking", "train", str(CELL), "--preset", "smoke", "--expect", recipe.digest(), training_code(recipe)]
    folder, weights = project.root / CELL.run_folder("smoke"), project.root / CELL.weights_path("smoke")

    status, output = start_and_kill(project, words, folder, None)
    assert status == 0, output
    whole = timeless(folder / "history.csv"), weights.read_bytes()
    assert len(whole[0]) == EPOCHS
    shutil.rmtree(project.root / "runs")
    shutil.rmtree(project.root / "weights")

    def ends_like_the_whole_one() -> None:
        assert (timeless(folder / "history.csv"), weights.read_bytes()) == whole
        assert read_metrics(folder / "metrics.json").provenance["weights"] == checksum(weights)
        left = {path.name for path in project.root.rglob("*") if ".part" in path.name}
        assert left == set()
        assert not (folder / checkpoint.FILE_NAME).exists()

    seed, done = random.randrange(10**6), 0
    print(f"seed {seed}")
    for kill in [*kills(seed), None]:
        status, output = start_and_kill(project, words, folder, kill)
        print(f"{kill}: {status} {output.splitlines()[-1:]}")
        if status == 0:
            # On a fast machine the run comes to its end before it was killed as often: then another one goes on.
            ends_like_the_whole_one()
            shutil.rmtree(project.root / "runs")
            shutil.rmtree(project.root / "weights")
            continue
        assert kill is not None, output
        done += 1
        assert status in (-kill.how, 128 + kill.how), output
        if status == 143:
            assert f"rethinking: {CELL}: interrupted after " in output
            assert "the same command goes on from there" in output
        # However far it came, what is there is whole, and what is half there does not pile up.
        if (folder / "metrics.json").exists():
            assert read_metrics(folder / "metrics.json").provenance["weights"] == checksum(weights)
        assert len(list(folder.glob(".checkpoint.pt.*.part"))) <= 1
    assert status == 0
    assert done >= 20
