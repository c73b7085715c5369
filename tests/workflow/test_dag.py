"""What each preset plans to do, read from Snakemake's dry runs: nothing is trained here."""

from pathlib import Path

import pytest

from project import Project, ToDo
from rethinking.data.corruptions import is_label_corruption
from rethinking.plan import Plan
from rethinking.studies.registry import STUDIES


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.copy_to(tmp_path_factory.mktemp("dag"))


@pytest.mark.parametrize(
    ("preset", "fetched", "label_variants", "trained"),
    [
        # 19 rows of Table 1, 6 of Table 4, 3 more of Figure 1a, 3 x 4 more of Figures 1b and 1c.
        ("digits", 1, 5, 40),
        # With the levels 0, 0.5 and 1 the sweep adds one cell a model.
        ("smoke", 1, 2, 31),
        # The paper's nine levels of the sweep instead of four, and five models on MNIST with true and random labels.
        ("paper", 2, 11, 65),
    ],
)
def test_a_study_trains_each_cell_once(
    project: Project, preset: str, fetched: int, label_variants: int, trained: int
) -> None:
    jobs = project.to_do("--config", f"preset={preset}", "studies=randomisation")
    assert jobs == {
        "fetch": fetched,
        "corrupt_labels": label_variants,
        "corrupt_images": 3,
        "train": trained,
        "collect": 1,
        # The article has a section on each study, whatever was run.
        "table": sum(len(study.tables) for study in STUDIES.values()),
        "figure": sum(len(study.figures) for study in STUDIES.values()),
        "summary": 1,
        "article": 1,
    }


def from_nothing(plan: Plan) -> ToDo:
    """What carrying out a whole preset takes where there is nothing yet."""
    datasets = {dataset for dataset, _ in plan.all_variants}
    corruptions = [corruption for _, corruption in plan.all_variants if corruption != "true"]
    labels = sum(map(is_label_corruption, corruptions))
    networks = sum(each.leaves_networks for each in plan.experiments)
    tables = {f"table {study.name}-{name}" for study in plan.studies for name in study.tables}
    figures = {f"figure {study.name}-{name}" for study in plan.studies for name in study.figures}
    jobs = {
        "fetch": len(datasets),
        "corrupt_labels": labels,
        "corrupt_images": len(corruptions) - labels,
        "train": len(plan.cells),
        "experiment": len(plan.experiments) - networks,
        "experiment_with_networks": networks,
        "collect": 1,
        "table": len(tables),
        "figure": len(figures),
        "summary": 1,
        "article": 1,
    }
    return ToDo(jobs, set(map(str, plan.cells)), set(map(str, plan.experiments)), tables | figures)


@pytest.mark.parametrize("preset", ["smoke", "paper"])
def test_a_preset_carries_out_all_studies_and_what_they_share_once(project: Project, preset: str) -> None:
    assert project.announced("--config", f"preset={preset}") == from_nothing(project.plan(f"preset={preset}"))


def test_plain_snakemake_runs_the_preset_that_params_name(project: Project) -> None:
    assert project.announced() == from_nothing(project.plan("preset=digits"))


def test_a_run_is_narrowed_along_any_axis(project: Project) -> None:
    axes = ("studies=randomisation", "models=mlp-1x512", "corruptions=true,random-labels", "regularizers=none")
    only = project.to_do("runs", "--config", *axes)
    assert only == {"fetch": 1, "corrupt_labels": 1, "train": 2}


def test_a_study_may_be_carried_out_alone(project: Project) -> None:
    """With the cells of another one that it starts from; its results are its own."""
    config = ("preset=smoke", "studies=sparsity")
    plan, found = project.plan(*config), project.announced("results", "--config", *config)
    assert found.cells == set(map(str, plan.cells)) <= set(map(str, STUDIES["randomisation"].cells(plan.params)))
    assert found.experiments == set(map(str, plan.experiments)) != set()
    assert {name.split()[1].partition("-")[0] for name in found.results} == {"sparsity"}
    assert found.jobs["train"] == len(plan.cells) < len(plan.all_cells)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("preset=huge", "preset: found 'huge', must be one of paper, digits, smoke"),
        ("models=mlp-9x9", "--config models: found 'mlp-9x9', must be one of inception, inception-nobn, alexnet"),
        ("corruptions=labels-p33", "--config corruptions: found 'labels-p33', must be one of true"),
        ("model=alexnet", "--config model: unknown key, must be one of preset, studies"),
    ],
)
def test_a_bad_setting_is_one_sentence_before_any_job(project: Project, setting: str, sentence: str) -> None:
    answer = project.snakemake("--config", setting)
    assert answer.returncode != 0
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (project.root / "runs").exists()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  epochs: 70 ", "  epochs: 0 ", "presets.digits.training.epochs"),  # replaced below in the preset too
        ("seeds: [0]", "seeds: []", "seeds: found [], must hold at least 1"),
        ("overfit_loss: 0.05", "overfit_los: 0.05", "results.overfit_los: unknown key"),
        ("[0.0, 0.2,", "[0.0, 1.5,", "studies.randomisation.label_corruption.1: found 1.5, must be at most 1"),
    ],
)
def test_bad_params_name_the_key(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    project = Project.copy_to(tmp_path)
    project.edit("params.yaml", old, new)
    if "epochs" in old:
        project.edit("params.yaml", "      epochs: 100\n", "      epochs: 0\n")
    answer = project.snakemake()
    assert answer.returncode != 0
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (project.root / "runs").exists()
