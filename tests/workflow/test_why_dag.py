"""`rethinking why` on a finished project: what it says after an edit is what Snakemake would then run, and why."""

import shutil
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from project import Project
from rethinking.locks import create_held
from rethinking.studies.registry import STUDIES

pytestmark = pytest.mark.slow

# A quarter of one study's cells: two architectures, with weight decay and without.
STUDY = "studies=randomisation"
SELECTION = (STUDY, "models=mlp-1x512,alexnet", "regularizers=none,wd")
CONFIG = ("--config", "preset=smoke", *SELECTION)
NOTHING = "Nothing to do: 10 cells of preset smoke"
# The article shows those of all studies.
SHOWN = ", ".join(
    f"{sum(len(getattr(study, kind)) for study in STUDIES.values())} {kind}" for kind in ("tables", "figures")
)
FOLLOWS = [
    f"results: cells.csv, {SHOWN}, claims: because the runs they show change",
    "article: because the results it shows change",
]
RUN = "runs/smoke/digits/mlp-1x512/labels-p50/none/seed-0"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose narrowed smoke preset has run to its end. Tests that change it put things back."""
    project = Project.copy_to(tmp_path_factory.mktemp("why"))
    answer = project.snakemake(*CONFIG)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return project


def why(project: Project, *selection: str) -> list[str]:
    """The lines of `rethinking why`, which must be all that it prints."""
    return told(project, "--config", *(selection or SELECTION))


def told(project: Project, *words: str) -> list[str]:
    """What it says of the whole preset, if `words` do not narrow it."""
    answer = project.command("rethinking", "why", "--preset", "smoke", *words)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stderr == ""
    return [line.strip() for line in answer.stdout.splitlines()]


@contextmanager
def without(project: Project, *names: str) -> Iterator[None]:
    """Take files or folders away, and bring them back."""
    aside = {name: project.root / f"aside-{number}" for number, name in enumerate(names)}
    for name, place in aside.items():
        shutil.move(project.root / name, place)
    try:
        yield
    finally:
        for name, place in aside.items():
            shutil.move(place, project.root / name)


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file, Snakemake's own caches left out."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    kept = [path for path in files if path.relative_to(folder).parts[0] != ".snakemake"]
    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns) for path in kept}


def test_nothing_to_do_and_nothing_touched(finished: Project) -> None:
    before = state(finished.root)
    (line,) = why(finished)
    assert line.startswith(NOTHING)
    assert state(finished.root) == before
    assert not list((finished.root / ".snakemake/locks").iterdir())


def test_weight_decay_of_one_model(finished: Project) -> None:
    with finished.edited("params.yaml", "weight_decay: 0.004 #", "weight_decay: 0.002 #"):
        lines = why(finished)
        assert finished.to_do(*CONFIG)["train"] == 2
    assert lines == [
        "preset smoke: 2 of 10 cells would be trained",
        "alexnet, 2 cells: weight_decay changed 0.004 -> 0.002",
        *FOLLOWS,
    ]


@pytest.mark.parametrize(
    ("path", "old", "new", "line"),
    [
        (
            "training/loop.py",
            '"""The training loop."""',
            '"""The training loop."""\n\nEDITED = True',
            "all models, 10 cells: training code changed: training/loop.py",
        ),
        (
            "models/alexnet.py",
            "kernel_size=5, padding=2",
            "kernel_size=3, padding=1",
            "alexnet, 5 cells: training code changed: models/alexnet.py",
        ),
    ],
)
def test_training_code(finished: Project, path: str, old: str, new: str, line: str) -> None:
    with finished.edited(f"src/rethinking/{path}", old, new):
        lines = why(finished)
    count = line.split(", ")[1].split()[0]
    assert lines == [f"preset smoke: {count} of 10 cells would be trained", line, *FOLLOWS]


def test_a_new_seed(finished: Project) -> None:
    with finished.edited("params.yaml", "seeds: [0]", "seeds: [0, 1]"):
        lines = why(finished)
    assert lines == [
        "preset smoke: 10 of 20 cells would be trained",
        "all models, 10 cells: new (seed 1)",
        *FOLLOWS,
    ]


def test_a_wider_selection_needs_models_and_data_that_were_never_there(finished: Project) -> None:
    lines = why(finished, STUDY, "models=mlp-1x512,alexnet,mlp-3x512")
    assert lines[0] == "preset smoke: 6 of 16 cells would be trained"
    assert "mlp-3x512, 4 cells: never trained here" in lines
    assert "alexnet, 2 cells: new (crop+wd and crop)" in lines


def test_a_new_level_of_corruption(finished: Project) -> None:
    with finished.edited("params.yaml", "label_corruption: [0.0, 0.5, 1.0]", "label_corruption: [0.0, 0.2, 0.5, 1.0]"):
        lines = why(finished)
    assert lines[1:3] == ["all models, 2 cells: new (labels-p20)", "data digits/labels-p20: missing"]


def test_the_style_of_figures(finished: Project) -> None:
    with finished.edited("src/rethinking/results/style.py", "import io", "import io\n\nEDITED = True"):
        lines = why(finished)
        jobs = finished.to_do(*CONFIG)
    assert lines[0] == "preset smoke: none of 10 cells would be trained"
    # The article draws the image that other sites show of it.
    results, article = (line for line in lines if line.endswith("code changed: results/style.py"))
    assert article.startswith("article:")
    assert f"{jobs['figure']} figures" in results
    assert "cells.csv" not in results


def test_prose(finished: Project) -> None:
    name = "report/sections/_introduction.qmd"
    with finished.edited(name, "credit a regularizer", "credit some regularizer"):
        lines = why(finished)
    assert lines == ["preset smoke: none of 10 cells would be trained", f"article: {name} changed"]


def test_a_setting_of_the_results(finished: Project) -> None:
    with finished.edited("params.yaml", "overfit_loss: 0.05", "overfit_loss: 0.1"):
        lines = why(finished)
    assert lines[1] == "cells.csv: results.overfit_loss changed 0.05 -> 0.1"
    assert lines[2].endswith("because cells.csv changes")


def test_the_seed_of_the_corruptions(finished: Project) -> None:
    with finished.edited("params.yaml", "corruption_seed: 20170226", "corruption_seed: 7"):
        lines = why(finished)
        trained = finished.to_do(*CONFIG)["train"]
        expected = len([cell for cell in finished.cells_to_train(*CONFIG) if "/true/" not in cell])
    assert trained == expected, "true labels have no seed"
    assert lines[0] == f"preset smoke: {trained} of 10 cells would be trained"
    assert f"all models, {trained} cells: corruption_seed changed 20170226 -> 7" in lines
    assert "data digits/labels-p50 and digits/random-labels: corruption_seed changed 20170226 -> 7" in lines


def test_data_that_someone_changed(finished: Project) -> None:
    labels = finished.root / "data/digits/labels-p50/train_labels.npy"
    content = labels.read_bytes()
    labels.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    lines = why(finished)
    labels.write_bytes(content)
    assert lines[:2] == [
        "preset smoke: 2 of 10 cells would be trained",
        "all models, 2 cells: data changed (digits/labels-p50)",
    ]


def test_deleted_files_are_told_apart_from_a_run_that_never_was(finished: Project) -> None:
    with without(finished, f"{RUN}/metrics.json", f"{RUN}/history.csv"):
        lines = why(finished)
    assert lines[:2] == [
        "preset smoke: 1 of 10 cells would be trained",
        "mlp-1x512, 1 cell: trained before, but metrics.json and history.csv missing",
    ]
    with without(finished, RUN):
        lines = why(finished)
    assert lines[1] == "mlp-1x512, 1 cell: run missing, only its weights are here"
    with without(finished, RUN, RUN.replace("runs/", "weights/")):
        lines = why(finished)
    assert lines[1] == "mlp-1x512, 1 cell: new (labels-p50)"


def test_weights_that_are_elsewhere(finished: Project) -> None:
    """Nothing misses them until something reads them; then they can be had without training."""
    weights = f"{RUN.replace('runs/', 'weights/')}/weights.safetensors"
    probe = f'rule probe:\n    input:\n        "{weights}",\n    output:\n        "probe",\n    shell:\n        "true"'
    (finished.root / "weights/smoke.dvc").touch()
    with without(finished, weights):
        (idle,) = why(finished)
        with (
            finished.edited(
                "workflow/Snakefile", "# The trained cells alone.", f"{probe}\n\n\n# The trained cells alone."
            ),
            finished.edited("workflow/Snakefile", "        ARTICLE,\n", '        ARTICLE,\n        "probe",\n'),
        ):
            wanted = why(finished)
    (finished.root / "weights/smoke.dvc").unlink()
    assert idle.startswith(NOTHING)
    assert wanted[1] == (
        "mlp-1x512, 1 cell: weights not here, which probe reads; `make pull PRESET=smoke` would bring them instead"
    )
    assert "probe: missing" in wanted


def test_a_run_under_way_is_left_alone_and_said(finished: Project) -> None:
    """As Snakemake's folder looks to others while it writes a run."""
    name = f"{RUN}/metrics.json"
    lock = finished.root / ".snakemake/locks/0.output.lock"
    marker = finished.root / ".snakemake/incomplete" / urlsafe_b64encode(name.encode()).decode()
    marker.parent.mkdir(exist_ok=True)
    held = create_held(lock, name)
    assert held is not None
    marker.write_text('{"external_jobid": null}')
    lines = why(finished)
    held.close()
    after_it_was_killed = why(finished)
    assert lock.read_text() == name
    lock.unlink()
    marker.unlink()
    assert not any("under way" in line for line in after_it_was_killed)
    assert lines[1] == "mlp-1x512, 1 cell: interrupted while its files were written"
    assert lines[-1].startswith("Another run is under way in this folder")


def test_results_without_records_are_not_said_to_be_right(finished: Project) -> None:
    """As in a clone: results are in Git, what Snakemake knows of them is not."""
    with without(finished, "runs/smoke/.snakemake"):
        lines = why(finished)
    assert f"cells.csv, {SHOWN}, claims" in lines[-1]
    assert "no record" in lines[-1]


def test_an_empty_project_needs_everything_and_knows_what_is_recorded_elsewhere(tmp_path: Path) -> None:
    project = Project.copy_to(tmp_path / "empty")
    everything = [
        "preset smoke: 5 of 5 cells would be trained",
        "mlp-1x512, 5 cells: never trained here",
        "data digits/true, digits/labels-p50 and digits/random-labels: missing",
        f"results: cells.csv, {SHOWN}, claims: missing",
        "article: missing",
    ]
    assert why(project, STUDY, "models=mlp-1x512") == everything
    (project.root / "runs").mkdir(exist_ok=True)
    (project.root / "runs/smoke.dvc").touch()
    *same, elsewhere = why(project, STUDY, "models=mlp-1x512")
    assert same == everything
    assert "`make pull PRESET=smoke`" in elsewhere


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["models=mlp-9x9"], "--config models: found 'mlp-9x9', must be one of inception"),
        (["models"], "--config models: must be KEY=VALUE"),
    ],
)
def test_a_bad_selection_is_one_sentence(finished: Project, words: list[str], sentence: str) -> None:
    answer = finished.command("rethinking", "why", "--config", *words)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr


def test_what_snakemake_cannot_plan_is_told_in_its_words(finished: Project) -> None:
    with finished.edited("workflow/Snakefile", "        ARTICLE,\n", '        ARTICLE,\n        "no/such/file",\n'):
        answer = finished.command("rethinking", "why", "--preset", "smoke")
    assert answer.returncode == 2
    assert "Snakemake cannot plan this run" in answer.stderr
    assert "no/such/file" in answer.stderr
    assert "Traceback" not in answer.stderr


# Experiments.


@pytest.fixture(scope="module")
def whole(smoke_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose whole smoke preset has run to its end. Tests that change it put things back."""
    return smoke_run.copy_of_all(tmp_path_factory.mktemp("why-experiments") / "project")


def test_the_setting_of_an_experiment(whole: Project) -> None:
    with whole.edited("params.yaml", "repetitions: 10\n", "repetitions: 11\n"):
        first, experiment, results, article = told(whole)
    assert first.startswith("preset smoke: none of ")
    assert experiment == "experiment bias_variance/regression/all: repetitions changed 10 -> 11"
    study = STUDIES["bias_variance"]
    made = f"{len(study.tables)} tables, {len(study.figures)} figures, claims"
    assert results == f"results: {made}: because the experiments they show change"
    assert article == FOLLOWS[-1]


def test_the_setting_of_an_experiment_that_others_go_on_from(whole: Project) -> None:
    names = [f"sparsity/iterative/mlp-1x512.{labels}.seed-0" for labels in ("random-labels", "true")]
    with whole.edited("params.yaml", "rounds: 2\n", "rounds: 3\n"):
        lines = told(whole)
    assert f"experiments {names[0]} and {names[1]}: rounds changed 2 -> 3" in lines
    assert "experiment quantisation/combined/mlp-1x512: because networks it reads change" in lines


def test_the_code_of_experiments(whole: Project) -> None:
    with whole.edited("src/rethinking/studies/sparsity/one_shot.py", "def run(", "EDITED = True\n\n\ndef run("):
        _, experiments, *_ = told(whole)
    assert experiments.startswith("experiments sparsity/one-shot/")
    assert experiments.endswith(": code changed: studies/sparsity/one_shot.py")


def test_experiments_that_were_not_carried_out_and_results_without_their_records(whole: Project) -> None:
    with without(whole, "results/smoke/experiments/bias_variance/regression"):
        assert "experiment bias_variance/regression/all: missing" in told(whole)
    with without(whole, "runs/smoke/.snakemake"):
        *_, not_compared = told(whole)
    assert "experiments bias_variance/" in not_compared


def test_networks_that_an_experiment_would_need_are_elsewhere(whole: Project) -> None:
    cell = "weights/smoke/digits/inception/true/none/seed-0/weights.safetensors"
    with (
        without(whole, cell),
        whole.edited("src/rethinking/studies/sparsity/one_shot.py", "def run(", "EDITED = True\n\n\ndef run("),
    ):
        lines = told(whole)
    what = "weights not here, which experiments read; `make pull PRESET=smoke` would bring them instead"
    assert f"inception, 1 cell: {what}" in lines
