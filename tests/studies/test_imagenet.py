"""ImageNet: which networks the study trains, where it expects the images, and what a run does without them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagefolder import CLASSES, make_image_folder
from rethinking.cli import main
from rethinking.data.imagenet import VARIABLE, classes_in, imagenet_folder
from rethinking.errors import UserError
from rethinking.experiments.experiment import Experiment
from rethinking.experiments.identity import experiment_roots
from rethinking.experiments.streamed import StreamedExperiment
from rethinking.fingerprint import dependencies
from rethinking.params_file import load_params
from rethinking.plan import make_plan, require_folders
from rethinking.studies.imagenet.design import Condition, experiments, paper_rows

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"
PAPER = load_params(PARAMS_FILE, "paper")


@pytest.fixture(autouse=True)
def no_folder_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_image_folder(tmp_path_factory.mktemp("imagenet") / "images")


def planned(preset: str = "paper", **config: str) -> list[Experiment]:
    found = make_plan({"preset": preset, **config}, PARAMS_FILE).experiments
    return [each for each in found if each.study == "imagenet"]


# --- what is trained ---


def test_the_paper_preset_trains_the_rows_of_table_2() -> None:
    conditions = [Condition(each.settings["corruption"], each.settings["regularizer"]) for each in experiments(PAPER)]
    assert conditions == [row.condition for row in paper_rows() if row.condition is not None]
    assert [row.test_top5 for row in paper_rows() if row.condition is None] == [0.836]


def test_labels_are_drawn_with_the_seed_of_corruptions_and_only_where_they_are_random() -> None:
    for each in experiments(PAPER):
        drawn = each.settings["corruption"] == "random-labels"
        assert each.settings["corruption_seed"] == (PAPER.data.corruption_seed if drawn else None)


def test_the_papers_settings_are_inception_v3s() -> None:
    """Szegedy et al. 2016, section 8, at 299 pixels."""
    study = PAPER.studies.imagenet
    assert (study.architecture, study.images.size) == ("inception_v3", 299)
    training = study.training
    assert (training.optimiser, training.initial_learning_rate, training.batch_size) == ("rmsprop", 0.045, 50 * 32)
    assert (training.learning_rate_decay, training.learning_rate_period, training.epochs) == (0.94, 2, 100)
    assert (training.rmsprop_decay, training.rmsprop_epsilon, training.auxiliary_weight) == (0.9, 1.0, 0.4)


@pytest.mark.parametrize("preset", ["digits", "smoke"])
def test_smaller_presets_leave_imagenet_out_whatever_the_folder(
    preset: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(folder))
    assert planned(preset) == []


def test_where_the_images_lie_and_who_reads_them_is_no_part_of_an_experiment(folder: Path) -> None:
    """Another machine, another path: nothing runs again. Its settings and its code do not know of them."""
    for each in experiments(PAPER):
        assert isinstance(each, StreamedExperiment)
        elsewhere = replace(each, folder=folder, readers=7)
        assert elsewhere.digest({}) == each.digest({})
        assert elsewhere.settings == each.settings
        changed = replace(each, settings={**each.settings, "seed": 1})
        assert changed.digest({}) != each.digest({})


def test_training_on_imagenet_shares_no_code_that_other_runs_would_notice() -> None:
    """Its own modules may change without training anything else again."""
    own = dependencies(*experiment_roots(experiments(PAPER)[0], {}))
    for other in make_plan({"preset": "paper"}, PARAMS_FILE).experiments:
        if other.study != "imagenet" and not other.all_cells():
            theirs = dependencies(*experiment_roots(other, {}))
            assert not [name for name in theirs if "imagenet" in name or name.endswith("experiments.streamed")]
    assert "rethinking.studies.imagenet.reading" in own


# --- where the images are ---


def test_without_a_folder_nothing_is_planned() -> None:
    assert planned() == []
    require_folders(make_plan({"preset": "paper"}, PARAMS_FILE))


def test_with_a_folder_all_rows_are_planned_and_can_be_narrowed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(folder))
    assert len(planned()) == 7
    require_folders(make_plan({"preset": "paper"}, PARAMS_FILE))
    assert len(planned(datasets="imagenet")) == len(planned(studies="imagenet")) == 7
    assert len(planned(datasets="imagenet", corruptions="random-labels")) == 3
    assert [each.unit for each in planned(studies="imagenet", regularizers="augmentation")] == [
        "true.augmentation.seed-0"
    ]


@pytest.mark.parametrize("narrowed", [{"models": "mlp-1x512"}, {"datasets": "cifar10"}, {"studies": "randomisation"}])
def test_days_of_training_do_not_come_with_a_run_narrowed_to_something_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch, narrowed: dict[str, str]
) -> None:
    monkeypatch.setenv(VARIABLE, str(folder))
    assert planned(**narrowed) == []


def test_the_environment_comes_before_the_setting() -> None:
    assert imagenet_folder("/a", {VARIABLE: "/b"}) == Path("/b")
    assert imagenet_folder("/a", {VARIABLE: ""}) == Path("/a")
    assert imagenet_folder(None, {}) is None


def test_classes_are_the_folders(folder: Path) -> None:
    assert classes_in(folder) == sorted(CLASSES)


def laid_out(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).mkdir(parents=True)
    return folder


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "empty": ((), r"has no train and no val, but nothing at all"),
    "archives": (("ILSVRC2012_img_train", "train"), r"has no val, but ILSVRC2012_img_train/, train/"),
    "no classes": (("train/a", "train/b", "val"), r"val holds 0 folders of classes, found nothing at all"),
    "other classes": (
        ("train/a", "train/b", "val/a", "val/c"),
        r"train has 2 classes and val 2, only in train: b and only in val: c",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_another_layout_is_told_of_with_what_was_found_and_what_would_be_right(tmp_path: Path, name: str) -> None:
    folders, found = WRONG[name]
    made = laid_out(tmp_path / "images", *folders)
    with pytest.raises(UserError, match=found) as caught:
        classes_in(made)
    assert str(made) in str(caught.value)
    assert "train/n01440764/*.JPEG" in str(caught.value)


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_folder_that_is_not_there_stops_a_run_before_it_begins(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(PARAMS_FILE.parent)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(SystemExit) as caught:
        main([command, "--preset", "paper", "--config", "studies=imagenet"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{tmp_path / 'nowhere'} is not there; it must hold train/ and val/" in error
    main(["check", "--preset", "paper", "--config", "studies=randomisation"])
    main(["check", "--preset", "digits"])


def test_a_plan_says_that_imagenet_takes_days(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(PARAMS_FILE.parent)
    monkeypatch.setenv(VARIABLE, str(folder))
    main(["plan", "--preset", "paper", "--config", "studies=imagenet"])
    text = capsys.readouterr().out
    assert "7 networks on ImageNet" in text
    assert "docs/imagenet.md" in text
    monkeypatch.delenv(VARIABLE)
    main(["plan", "--preset", "paper", "--config", "studies=imagenet"])
    assert "docs/imagenet.md" not in capsys.readouterr().out


# --- settings ---


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"images": {"size": 224}}, r"images\.size: found 224, must be at least 299 for inception_v3"),
        ({"true_labels": ["wd", "wd"]}, r"true_labels: found .*, must not name one twice"),
        ({"random_labels": ["crop"]}, r"random_labels\.0: found 'crop', must be one of 'none', 'augmentation'"),
        ({"architecture": "vgg99"}, r"architecture: found 'vgg99', must be one of 'inception_v3'"),
        ({"images": {"unreadable": "ignore"}}, r"images\.unreadable: found 'ignore', must be one of 'stop' or 'skip'"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path: Path, changes: dict[str, Any], complaint: str) -> None:
    import yaml

    content = yaml.safe_load(PARAMS_FILE.read_text(encoding="utf-8"))
    content["presets"]["paper"] = {"studies": {"imagenet": changes}}
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    with pytest.raises(UserError, match=rf"presets\.paper\.studies\.imagenet\.{complaint}"):
        load_params(path, "paper")


def test_imagenet_may_be_trained_by_several_processes(tmp_path: Path) -> None:
    text = PARAMS_FILE.read_text(encoding="utf-8")
    assert text.count("  processes: {}\n") == 1
    path = tmp_path / "params.yaml"
    path.write_text(text.replace("  processes: {}\n", "  processes: {imagenet: 8}\n"), encoding="utf-8")
    assert load_params(path, "paper").execution.processes == {"imagenet": 8}
