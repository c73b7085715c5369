"""Run, record, push, clone, pull: nothing is left to do, nothing is lost, and what is wrong is said in a sentence."""

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from project import SOURCE, Project
from rethinking.plan import make_plan
from versioned import PRESET, SMOKE, files, recorded

pytestmark = pytest.mark.slow

PLAN = make_plan({"preset": "smoke"}, SOURCE / "params.yaml")
CHANGED_DECAY = {"old": 0.004, "new": 0.002, "diff": -0.002}


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
