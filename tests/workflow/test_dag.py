"""What each preset plans to do, read from Snakemake's dry runs: nothing is trained here."""

from pathlib import Path

import pytest

from project import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.copy_to(tmp_path_factory.mktemp("dag"))


@pytest.mark.parametrize(
    ("preset", "fetched", "label_variants", "trained"),
    [
        # 19 rows of Table 1, 6 of Table 4, 3 more of Figure 1a, 3 x 9 more of Figures 1b and 1c.
        ("digits", 1, 10, 55),
        # With the levels 0, 0.5 and 1 the sweep adds one cell a model.
        ("smoke", 1, 2, 31),
        # As digits, and five models on MNIST with true and random labels.
        ("paper", 2, 11, 65),
    ],
)
def test_a_preset_trains_each_cell_once(
    project: Project, preset: str, fetched: int, label_variants: int, trained: int
) -> None:
    jobs = project.to_do("--config", f"preset={preset}")
    assert jobs == {
        "fetch": fetched,
        "corrupt_labels": label_variants,
        "corrupt_images": 3,
        "train": trained,
        "collect": 1,
        "table": 7,
        "figure": 5,
        "summary": 1,
        "article": 1,
    }


def test_plain_snakemake_runs_the_preset_that_params_name(project: Project) -> None:
    assert project.to_do()["train"] == 55


def test_a_run_is_narrowed_along_any_axis(project: Project) -> None:
    only = project.to_do("runs", "--config", "models=mlp-1x512", "corruptions=true,random-labels", "regularizers=none")
    assert only == {"fetch": 1, "corrupt_labels": 1, "train": 2}


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
        ("[0.0, 0.1,", "[0.0, 1.5,", "studies.randomisation.label_corruption.1: found 1.5, must be at most 1"),
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
