"""What is wrong with recorded versions is said in a sentence, and takes nothing with it."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from project import SOURCE, Project
from rethinking.plan import make_plan
from versioned import METRICS, PRESET, SMOKE, cache_file, fails, files, overwrite, remote_file

pytestmark = pytest.mark.slow

PLAN = make_plan({"preset": "smoke"}, SOURCE / "params.yaml")


def test_pulling_over_unrecorded_runs_is_refused(pulled: Project, tmp_path: Path) -> None:
    clone = pulled.copy_of_all(tmp_path / "clone")
    mine = clone.root / METRICS
    mine.write_text(mine.read_text().replace('"epochs": 2', '"epochs": 3'))
    new = clone.root / "runs/smoke/digits/alexnet/true/none/seed-7/metrics.json"
    new.parent.mkdir(parents=True)
    new.write_text("{}")
    before = files(clone.root / "runs/smoke")
    sentence = fails(clone.command("rethinking", "pull", *PRESET))
    assert "pulling would replace 2 files" in sentence
    assert METRICS in sentence
    assert "rethinking record" in sentence
    assert files(clone.root / "runs/smoke") == before

    # The remedy that it names: record what is here, and pulling goes through.
    assert clone.command("rethinking", "record", *PRESET).returncode == 0
    assert clone.command("rethinking", "pull", *PRESET).returncode == 0
    assert files(clone.root / "runs/smoke") == before


def test_a_damaged_object_in_the_cache_is_fetched_again(pulled: Project, tmp_path: Path) -> None:
    clone = pulled.copy_of_all(tmp_path / "clone")
    whole = (clone.root / METRICS).read_bytes()
    overwrite(cache_file(clone, METRICS), b"damaged")
    (clone.root / METRICS).unlink()
    answer = clone.command("rethinking", "pull", *PRESET)
    assert answer.returncode == 0, answer.stderr
    assert (clone.root / METRICS).read_bytes() == whole
    assert clone.to_do(*SMOKE) == {}


def test_a_damaged_object_at_the_remote_is_named_and_not_used(origin: Project, tmp_path: Path) -> None:
    clone = origin.copy_of_all(tmp_path / "origin").clone_to(tmp_path / "clone")
    place = remote_file(origin, METRICS)
    whole = place.read_bytes()
    overwrite(place, b"damaged")
    try:
        sentence = fails(clone.command("rethinking", "pull", *PRESET))
    finally:
        overwrite(place, whole)
    assert "remote 'local' holds a damaged copy of 1 file (" in sentence
    assert METRICS in sentence
    assert str(place) in sentence
    assert not (clone.root / "runs/smoke").exists()
    assert clone.command("rethinking", "pull", *PRESET).returncode == 0


def test_an_object_that_the_remote_lacks_is_named_and_the_rest_arrives(origin: Project, tmp_path: Path) -> None:
    clone = origin.copy_of_all(tmp_path / "origin").clone_to(tmp_path / "clone")
    place = remote_file(origin, METRICS)
    whole = place.read_bytes()
    place.unlink()
    try:
        sentence = fails(clone.command("rethinking", "pull", *PRESET))
    finally:
        place.write_bytes(whole)
    assert "remote 'local' lacks 1 file (" in sentence
    assert METRICS in sentence
    assert "make push" in sentence
    assert clone.cells_to_train(*SMOKE) == {"digits/alexnet/true/wd/seed-0"}
    assert clone.command("rethinking", "pull", *PRESET).returncode == 0
    assert clone.to_do(*SMOKE) == {}


def test_what_is_lost_at_the_remote_takes_nothing_here_with_it(
    pulled: Project, origin: Project, tmp_path: Path
) -> None:
    """DVC's own checkout removes a whole folder if one of its files cannot be had."""
    clone = pulled.copy_of_all(tmp_path / "clone")
    unfinished = clone.root / "runs/smoke/digits/alexnet/true/none/seed-1/checkpoint.pt"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_text("half a run")
    before = files(clone.root / "runs/smoke")
    place = remote_file(origin, METRICS)
    whole = place.read_bytes()
    place.unlink()
    shutil.rmtree(clone.root / ".dvc/cache")
    try:
        sentence = fails(clone.command("rethinking", "pull", *PRESET))
    finally:
        place.write_bytes(whole)
    assert "lacks 1 file (" in sentence
    assert files(clone.root / "runs/smoke") == before


def test_a_remote_that_has_nothing_takes_nothing(origin: Project, tmp_path: Path) -> None:
    clone = origin.clone_to(tmp_path / "clone")
    mine = clone.root / "runs/smoke/mine"
    mine.parent.mkdir(parents=True)
    mine.write_text("made by hand")
    assert clone.command("dvc", "remote", "add", "--local", "empty", str(tmp_path / "empty")).returncode == 0
    sentence = fails(clone.command("rethinking", "pull", *PRESET, "--remote", "empty"))
    assert "remote 'empty' has nothing of what is recorded here for preset smoke" in sentence
    assert mine.read_text() == "made by hand"


def test_pushing_again_mends_what_the_remote_has_lost(origin: Project) -> None:
    place = remote_file(origin, METRICS)
    whole = place.read_bytes()
    place.unlink()
    answer = origin.command("rethinking", "push", *PRESET)
    assert answer.returncode == 0, answer.stderr
    assert "1 objects were new to it" in answer.stdout
    assert place.read_bytes() == whole


def test_damaged_objects_are_not_pushed(pulled: Project, tmp_path: Path) -> None:
    clone = pulled.copy_of_all(tmp_path / "clone")
    overwrite(cache_file(clone, METRICS), b"damaged")
    sentence = fails(clone.command("rethinking", "push", *PRESET))
    assert "DVC's cache held damaged copies of 1 file (" in sentence
    assert clone.command("rethinking", "record", *PRESET).returncode == 0
    assert clone.command("rethinking", "push", *PRESET).returncode == 0


def test_a_clone_without_data_has_nothing_to_push(origin: Project, tmp_path: Path) -> None:
    clone = origin.clone_to(tmp_path / "clone")
    sentence = fails(clone.command("rethinking", "push", *PRESET))
    assert "neither made nor pulled in this clone" in sentence


@pytest.mark.parametrize("preset", ["paper", "digits"])
def test_a_preset_that_nobody_recorded_cannot_be_pulled(pulled: Project, preset: str) -> None:
    """Not even where some of its data are recorded, with another preset."""
    sentence = fails(pulled.command("rethinking", "pull", "--preset", preset))
    assert f"nothing of preset {preset} is recorded in this checkout: runs/{preset}.dvc is missing" in sentence


def test_an_unknown_remote_is_named(pulled: Project) -> None:
    sentence = fails(pulled.command("rethinking", "pull", *PRESET, "--remote", "nowhere"))
    assert "remote: found 'nowhere', must be one of local" in sentence


def test_two_dvc_commands_at_once_wait_or_say_so(pulled: Project) -> None:
    """The second one gives up with a sentence while the first holds DVC's lock."""
    holder = (
        "import sys, time; from dvc.repo import Repo\n"
        "with Repo('.') as repository, repository.lock: print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        ["python", "-c", holder],
        cwd=pulled.root,
        env=pulled.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        sentence = fails(pulled.command("rethinking", "record", *PRESET))
        process.communicate()
    assert "another DVC command is running in this folder" in sentence
    assert pulled.command("rethinking", "record", *PRESET).returncode == 0


def test_without_git_runs_are_not_recorded_but_nothing_fails(tmp_path: Path) -> None:
    """A source archive runs as well as a clone."""
    project = Project.copy_to(tmp_path / "archive")
    answer = project.command("rethinking", "record", *PRESET)
    assert answer.returncode == 0
    assert "is not a Git checkout" in answer.stderr


def test_two_runs_at_once_in_one_folder(origin: Project, tmp_path: Path) -> None:
    """The second one says so and ends; the first one finishes as if it were alone."""
    clone = origin.clone_to(tmp_path / "clone")
    command = ("snakemake", "runs", *SMOKE)
    first = clone.start(*command)
    deadline = time.monotonic() + 120
    while not list(clone.root.glob("logs/runs/**/*.log")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    second = clone.command(*command)
    assert second.returncode != 0
    assert "Another run is active in this folder" in second.stderr
    assert "Traceback" not in second.stderr
    recording = clone.command("rethinking", "record", *PRESET)
    assert "another run is writing it" in recording.stderr
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 0, output
    assert len(list(clone.root.glob("runs/smoke/**/seed-*/metrics.json"))) == len(PLAN.cells)
    assert clone.to_do("runs", *SMOKE) == {}
