"""Run, record, push, clone, pull: nothing is left to do, nothing is lost, and what is wrong is said in a sentence."""

import csv
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from project import SOURCE, Project
from remotes import S3, s3_server
from rethinking.plan import make_plan

pytestmark = pytest.mark.slow

PRESET = ("--preset", "smoke")
SMOKE = ("--config", "preset=smoke")
PLAN = make_plan({"preset": "smoke"}, SOURCE / "params.yaml")
METRICS = "runs/smoke/digits/alexnet/true/wd/seed-0/metrics.json"
CHANGED_DECAY = {"old": 0.004, "new": 0.002, "diff": -0.002}
# DVC fetches small objects in parallel; what it says of a server that is away is not what is tested here.
QUICK = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}


@pytest.fixture(scope="module")
def origin(smoke_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout whose smoke preset has run and was pushed to the default remote. Not to be changed."""
    project = smoke_run.copy_of_all(tmp_path_factory.mktemp("versions") / "origin")
    answer = project.command("rethinking", "push", *PRESET)
    assert answer.returncode == 0, answer.stderr
    return project


@pytest.fixture(scope="module")
def pulled(origin: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone of it elsewhere, with everything pulled. Tests put back what they change."""
    clone = origin.clone_to(tmp_path_factory.mktemp("elsewhere") / "clone")
    answer = clone.command("rethinking", "pull", *PRESET)
    assert answer.returncode == 0, answer.stderr
    return clone


def recorded(project: Project, folder: str) -> dict[str, str]:
    """Return path -> md5 of what a folder's .dvc file records, Snakemake's own records (with times) left out."""
    md5 = yaml.safe_load((project.root / f"{folder}.dvc").read_text())["outs"][0]["md5"]
    listed = json.loads((project.root / f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}").read_text())
    return {entry["relpath"]: entry["md5"] for entry in listed if ".snakemake" not in entry["relpath"]}


def cache_file(project: Project, path: str) -> Path:
    """Return the object in DVC's cache that holds the content of a recorded file."""
    folder = next(str(parent) for parent in Path(path).parents if (project.root / f"{parent}.dvc").is_file())
    md5 = recorded(project, folder)[str(Path(path).relative_to(folder))]
    return project.root / f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}"


def remote_file(project: Project, path: str) -> Path:
    """Return the object in the default remote that holds the content of a recorded file."""
    assert project.home is not None
    object_path = cache_file(project, path).relative_to(project.root / ".dvc/cache")
    return project.home / ".cache/rethinking-generalization" / object_path


def overwrite(path: Path, content: bytes) -> None:
    """Replace an object as a failing disk would: it stays read-only, by which DVC knows what it trusts."""
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(0o444)


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


# --- clone, pull, nothing to do ---


def test_a_clone_that_pulls_has_nothing_to_do(origin: Project, pulled: Project) -> None:
    assert pulled.to_do(*SMOKE) == {}
    for folder in ("data/digits", "runs/smoke", "weights/smoke", "articles/smoke", "results/smoke"):
        assert files(pulled.root / folder) == files(origin.root / folder)


def test_all_weights_are_recorded_and_the_networks_that_experiments_leave_with_them(pulled: Project) -> None:
    left = [each.networks_path("smoke") for each in PLAN.experiments if each.leaves_networks]
    weights = {str(path) for path in (*(cell.weights_path("smoke") for cell in PLAN.cells), *left)}
    assert {f"weights/smoke/{path}" for path in recorded(pulled, "weights/smoke")} == weights
    assert left
    runs = {str(cell.run_folder("smoke")) for cell in PLAN.cells}
    assert {str(Path("runs/smoke", path).parent) for path in recorded(pulled, "runs/smoke")} == runs


def test_touching_every_source_file_leaves_nothing_to_do(pulled: Project) -> None:
    for name in pulled.git("ls-files").splitlines():
        os.utime(pulled.root / name)
    assert pulled.to_do(*SMOKE) == {}


def test_switching_branches_back_and_forth_leaves_nothing_to_do(pulled: Project) -> None:
    pulled.git("switch", "--quiet", "--create", "wider")
    pulled.edit("src/rethinking/models/alexnet.py", "kernel_size=5, padding=2", "kernel_size=3, padding=1")
    pulled.edit("report/sections/_introduction.qmd", "credit a regularizer", "credit some regularizer")
    pulled.commit("Another kernel")
    assert pulled.cells_to_train(*SMOKE) == {str(cell) for cell in PLAN.cells if cell.model == "alexnet"}
    pulled.git("switch", "--quiet", "main")
    assert pulled.to_do(*SMOKE) == {}
    pulled.git("switch", "--quiet", "wider")
    pulled.git("switch", "--quiet", "main")
    assert pulled.to_do(*SMOKE) == {}


def test_a_branch_with_results_of_its_own_has_nothing_to_do_either(origin: Project, tmp_path: Path) -> None:
    """Each branch records its runs; going from one to the other, DVC brings the files and what Snakemake knows."""
    clone = origin.clone_to(tmp_path / "clone")
    assert clone.command("rethinking", "pull", *PRESET).returncode == 0
    clone.git("switch", "--quiet", "--create", "decay")
    clone.edit("params.yaml", "weight_decay: 0.004 #", "weight_decay: 0.002 #")
    answer = clone.snakemake(*SMOKE)
    assert answer.returncode == 0, answer.stderr
    assert "Train 3 cells" in answer.stderr
    assert clone.command("rethinking", "record", *PRESET, "--stage").returncode == 0
    status = clone.command("dvc", "status", "reproduce@smoke", "runs/smoke.dvc", "weights/smoke.dvc")
    assert "Data and pipelines are up to date." in status.stdout, status.stdout + status.stderr
    clone.commit("Another weight decay")
    assert clone.to_do(*SMOKE) == {}
    for branch in ("main", "decay"):
        clone.git("switch", "--quiet", branch)
        assert clone.command("dvc", "checkout").returncode == 0
        assert clone.to_do(*SMOKE) == {}, branch


def test_dvcs_own_pull_does_as_well(origin: Project, tmp_path: Path) -> None:
    clone = origin.clone_to(tmp_path / "clone")
    answer = clone.command("dvc", "pull")
    assert answer.returncode == 0, answer.stderr
    assert clone.to_do(*SMOKE) == {}


# --- weights are optional ---


@pytest.fixture(scope="module")
def light(origin: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone that has pulled everything but the weights."""
    clone = origin.clone_to(tmp_path_factory.mktemp("light") / "clone")
    answer = clone.command("rethinking", "pull", *PRESET, "--no-weights")
    assert answer.returncode == 0, answer.stderr
    return clone


def test_without_the_weights_there_is_nothing_to_do_either(light: Project) -> None:
    assert not (light.root / "weights/smoke").exists()
    assert light.to_do(*SMOKE) == {}


def test_without_the_weights_changes_are_seen(light: Project) -> None:
    """Snakemake compares a job's params only where it has the records of all its outputs."""
    with light.edited("params.yaml", "weight_decay: 0.004 #", "weight_decay: 0.002 #"):
        assert light.to_do(*SMOKE)["train"] == 3


def test_a_narrowed_run_adds_to_what_is_recorded(light: Project, tmp_path: Path) -> None:
    """One cell is trained again in a clone that has no weights: those of the others stay recorded."""
    clone = light.copy_of_all(tmp_path / "clone")
    before = {folder: recorded(clone, folder) for folder in ("runs/smoke", "weights/smoke")}
    clone.edit("params.yaml", "weight_decay: 0.004 #", "weight_decay: 0.002 #")
    cell = "digits/alexnet/true/wd/seed-0"
    answer = clone.snakemake(f"runs/smoke/{cell}/metrics.json", *SMOKE)
    assert answer.returncode == 0, answer.stderr
    answer = clone.command("rethinking", "record", *PRESET)
    assert "Recorded: runs/smoke, weights/smoke." in answer.stdout, answer.stdout + answer.stderr
    for folder, old in before.items():
        new = recorded(clone, folder)
        assert new.keys() == old.keys()
        changed = {path for path in new if new[path] != old[path]}
        assert {str(Path(path).parent) for path in changed} == {cell}


def test_what_is_recorded_cannot_be_added_to_unseen(origin: Project, tmp_path: Path) -> None:
    """A clone that pulled nothing trains one cell: the records stay as they are rather than shrink to that cell."""
    clone = origin.clone_to(tmp_path / "clone")
    before = (clone.root / "runs/smoke.dvc").read_bytes()
    answer = clone.snakemake("runs/smoke/digits/mlp-1x512/true/none/seed-0/metrics.json", *SMOKE)
    assert answer.returncode == 0, answer.stderr
    answer = clone.command("rethinking", "record", *PRESET)
    assert "runs/smoke is not recorded" in answer.stderr
    assert "`make pull`" in answer.stderr
    assert (clone.root / "runs/smoke.dvc").read_bytes() == before


# --- presets side by side ---


def test_presets_do_not_touch_each_others_records(pulled: Project, tmp_path: Path) -> None:
    clone = pulled.copy_of_all(tmp_path / "clone")
    params = clone.root / "params.yaml"
    text = params.read_text()
    smoke = text[text.index("  smoke:\n") :]
    params.write_text(text + smoke.replace("  smoke:\n", "\n  tiny:\n").replace("epochs: 2", "epochs: 1"))
    before = {str(path): path.read_bytes() for path in clone.root.glob("*/smoke.dvc")}
    variants = {str(path): path.read_bytes() for path in clone.root.glob("data/digits/*.dvc")}
    assert len(before) == 3

    narrowed = ("studies=randomisation", "models=mlp-1x512", "regularizers=none")
    answer = clone.snakemake("--config", "preset=tiny", *narrowed)
    assert answer.returncode == 0, answer.stderr
    assert "Make variants" not in answer.stderr
    assert clone.command("rethinking", "record", "--preset", "tiny").returncode == 0
    assert {str(path): path.read_bytes() for path in clone.root.glob("*/smoke.dvc")} == before
    assert {str(path): path.read_bytes() for path in clone.root.glob("data/digits/*.dvc")} == variants
    assert len(recorded(clone, "runs/tiny")) == 2 * 3
    assert clone.to_do(*SMOKE) == {}
    assert "articles/smoke" not in answer.stdout
    assert (clone.root / "articles/smoke/index.html").is_file()
    assert (clone.root / "articles/tiny/index.html").is_file()


# --- DVC's own commands ---


def test_after_a_run_dvc_is_up_to_date(origin: Project) -> None:
    answer = origin.command("dvc", "status", "reproduce@smoke", *(str(p) for p in recorded_files(origin)))
    assert "Data and pipelines are up to date." in answer.stdout, answer.stdout + answer.stderr
    assert origin.git("status", "--porcelain") == ""


def recorded_files(project: Project) -> list[Path]:
    return sorted(path.relative_to(project.root) for path in project.root.glob("**/*.dvc") if path.is_file())


def test_dvc_repro_has_nothing_to_do(origin: Project) -> None:
    answer = origin.command("dvc", "repro", "reproduce@smoke")
    assert answer.returncode == 0, answer.stderr
    assert "Stage 'reproduce@smoke' didn't change, skipping" in answer.stdout


def test_recording_again_changes_nothing(origin: Project) -> None:
    answer = origin.command("rethinking", "record", *PRESET, "--stage")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == ""
    assert origin.git("status", "--porcelain") == ""


def test_metrics_params_and_plots_are_there_before_any_pull(tmp_path: Path) -> None:
    """What they read is small and in Git: shown and compared in a fresh clone of the project with its results."""
    project = Project.copy_to(tmp_path / "project")
    shutil.copytree(SOURCE / "results", project.root / "results")
    project.git("init", "--quiet", "--initial-branch=main")
    project.commit("The project with its results")
    clone = project.clone_to(tmp_path / "clone")

    def said(*words: str) -> Any:
        answer = clone.command("dvc", *words, "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    numbers = json.loads((clone.root / "results/digits/metrics.json").read_text())["randomisation"]
    shown = said("metrics", "show")[""]["data"]["results/digits/metrics.json"]["data"]
    assert shown["randomisation"] == numbers
    plots = said("plots", "show")["data"].items()
    # A plot without a number, of what was not run at this scale, is an empty list.
    curves = {title: plot[0]["content"]["data"]["values"] for title, plot in plots if plot}
    assert len(curves["digits, Figure 1c: test error"]) == 6 * 3
    with open(clone.root / "results/paper/plots/figure1c.csv", encoding="utf-8") as file:
        recorded = [line["mlp_1x512"] for line in csv.DictReader(file)]
    assert len(recorded) > 0
    assert [line["mlp_1x512"] for line in curves["paper, Figure 1c: test error"]] == recorded * 3
    loss = [line for line in curves["digits, Figure 1a: Inception's training loss"] if line["field"] == "true_labels"]
    assert float(loss[-1]["true_labels"]) < 0.01 < float(loss[0]["true_labels"])

    clone.edit("params.yaml", "weight_decay: 0.004 #", "weight_decay: 0.002 #")
    before = numbers["alexnet"]["test_accuracy_true"]
    clone.edit("results/digits/metrics.json", f'"test_accuracy_true": {before}', '"test_accuracy_true": 0.5')
    clone.edit("results/digits/plots/figure1c.csv", "\n0,", "\n0.01,")
    assert said("params", "diff") == {"params.yaml": {"models.alexnet.weight_decay": CHANGED_DECAY}}
    (changes,) = said("metrics", "diff").values()
    assert changes["randomisation.alexnet.test_accuracy_true"]["new"] == 0.5
    compared = said("plots", "diff", "HEAD")["data"]["digits, Figure 1c: test error"][0]["content"]["data"]["values"]
    places: dict[str, set[float]] = {line["rev"]: set() for line in compared}
    for line in compared:
        places[line["rev"]].add(float(line["label_corruption"]))
    assert places["HEAD"] - places["workspace"] == {0.0}
    assert places["workspace"] - places["HEAD"] == {0.01}


# --- what is wrong is said in a sentence ---


def fails(answer: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence with which a command of ours has failed."""
    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    (line,) = answer.stderr.strip().splitlines()
    return line


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


# --- S3 ---


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server("reproduction") as server:
        yield server


def use_s3(project: Project, server: S3) -> None:
    for words in (
        ("remote", "add", "--local", "s3", f"s3://{server.bucket}/rethinking"),
        ("remote", "modify", "--local", "s3", "endpointurl", server.endpoint),
    ):
        assert project.command("dvc", *words).returncode == 0


def test_push_and_pull_through_s3(origin: Project, s3: S3, tmp_path: Path) -> None:
    source = origin.copy_of_all(tmp_path / "source")
    use_s3(source, s3)
    answer = source.command("rethinking", "push", *PRESET, "--remote", "s3", **s3.credentials)
    assert answer.returncode == 0, answer.stderr
    again = source.command("rethinking", "push", *PRESET, "--remote", "s3", **s3.credentials)
    assert "0 objects were new to it" in again.stdout

    clone = origin.clone_to(tmp_path / "clone")
    use_s3(clone, s3)
    answer = clone.command("rethinking", "pull", *PRESET, "--remote", "s3", **s3.credentials)
    assert answer.returncode == 0, answer.stderr
    assert clone.to_do(*SMOKE) == {}
    assert files(clone.root / "weights") == files(origin.root / "weights")


@pytest.mark.parametrize(
    ("credentials", "sentence"),
    [
        ({"AWS_ACCESS_KEY_ID": "stranger", "AWS_SECRET_ACCESS_KEY": "guess"}, "refuses access"),
        ({}, "refuses access"),
    ],
)
def test_s3_refuses_strangers(
    pulled: Project, s3: S3, tmp_path: Path, credentials: dict[str, str], sentence: str
) -> None:
    clone = pulled.copy_of_all(tmp_path / "clone")
    use_s3(clone, s3)
    for command in ("push", "pull"):
        shutil.rmtree(clone.root / ".dvc/cache") if command == "pull" else None
        before = files(clone.root / "runs")
        said = fails(clone.command("rethinking", command, *PRESET, "--remote", "s3", **QUICK, **credentials))
        assert sentence in said
        assert files(clone.root / "runs") == before
    assert clone.to_do(*SMOKE) == {}


def test_an_s3_server_that_is_away(pulled: Project, tmp_path: Path) -> None:
    clone = pulled.copy_of_all(tmp_path / "clone")
    with s3_server("reproduction") as server:
        use_s3(clone, server)
    shutil.rmtree(clone.root / ".dvc/cache")
    said = fails(clone.command("rethinking", "pull", *PRESET, "--remote", "s3", **QUICK, **server.credentials))
    assert "cannot be reached" in said
    assert f"127.0.0.1:{server.port}" in said
    assert clone.to_do(*SMOKE) == {}
