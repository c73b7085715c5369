"""Training on ImageNet as jobs of the workflow: planned where a folder holds it, and from then on like any other."""

import json
from pathlib import Path

import pytest
import yaml

from imagefolder import make_image_folder
from project import Project
from rethinking.data.imagenet import VARIABLE

STUDY = ("--config", "preset=smoke", "studies=imagenet")
UNIT = "random-labels.none.seed-0"
TABLE = f"results/smoke/experiments/imagenet/training/{UNIT}.csv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_image_folder(tmp_path_factory.mktemp("imagenet") / "images")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy whose preset smoke has a row of the study, at a small scale, for two processes."""
    copied = Project.copy_to(tmp_path / "project")
    content = yaml.safe_load((copied.root / "params.yaml").read_text(encoding="utf-8"))
    smoke = content["presets"]["smoke"]
    smoke["execution"]["processes"] = {"imagenet": 2}
    smoke["studies"]["imagenet"] = {
        "architecture": "resnet18",
        "true_labels": [],
        "random_labels": ["none"],
        "images": {"size": 32},
        "training": {"epochs": 1, "batch_size": 9},
    }
    (copied.root / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return copied


def test_without_a_folder_the_workflow_runs_and_has_no_such_job(project: Project) -> None:
    jobs = project.to_do(*STUDY)
    assert "streamed_experiment" not in jobs
    assert jobs["table"] > 0


def test_a_folder_of_another_layout_is_one_sentence_before_any_job(project: Project, tmp_path: Path) -> None:
    answer = project.snakemake(*STUDY, **{VARIABLE: str(tmp_path)})
    assert answer.returncode != 0
    assert f"{tmp_path} has no train and no val, but project" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (project.root / "logs").exists()


@pytest.mark.slow
def test_a_folder_makes_a_job_of_several_processes_that_another_path_does_not_repeat(
    project: Project, folder: Path, tmp_path: Path
) -> None:
    dry = project.snakemake("-n", *STUDY, **{VARIABLE: str(folder)})
    assert f"Experiment imagenet/training/{UNIT}" in dry.stdout
    answer = project.snakemake(TABLE, *STUDY, "--cores", "2", **{VARIABLE: str(folder)})
    assert answer.returncode == 0, answer.stdout + answer.stderr
    record = json.loads((project.root / TABLE).with_suffix(".json").read_text(encoding="utf-8"))
    assert record["provenance"]["processes"] == 2
    assert record["variants"].keys() == {"imagenet/train", "imagenet/val"}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.symlink_to(folder)
    again = project.snakemake("-n", TABLE, *STUDY, **{VARIABLE: str(elsewhere)})
    assert "Nothing to be done" in again.stdout + again.stderr, again.stdout
