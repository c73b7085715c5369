"""Training on an ImageFolder: read from files of all sorts, to the end, through interruptions and bad files."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from imagefolder import CLASSES, make_image_folder
from rethinking.cli import main
from rethinking.data.imagenet import VARIABLE
from rethinking.errors import UserError
from rethinking.experiments.perform import perform
from rethinking.experiments.records import ExperimentRecord
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.frame import Estimate, load_results
from rethinking.studies.imagenet import training
from rethinking.studies.imagenet.design import Condition, experiments
from rethinking.studies.imagenet.listing import list_images, random_labels
from rethinking.studies.imagenet.loop import Training
from rethinking.studies.imagenet.measures import best, last
from rethinking.studies.imagenet.reading import Unreadable
from rethinking.training.devices import Execution
from rethinking.training.interruption import Interrupted, Interruption

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"
LEARNS = {"optimiser": "sgd", "initial_learning_rate": 0.01, "momentum": 0.0, "learning_rate_decay": 1.0}


def written(root: Path, folder: Path, readers: int = 0, **changes: Any) -> Params:
    """Write params.yaml into `root` with a small scale of the study in the preset smoke, and return its settings."""
    content = yaml.safe_load(PARAMS_FILE.read_text(encoding="utf-8"))
    content["data"]["imagenet"] = str(folder)
    content["execution"]["readers"] = readers
    smoke = content["presets"]["smoke"]
    small = {
        "architecture": "resnet18",
        "true_labels": ["augmentation+dropout+wd"],
        "random_labels": ["none"],
        "images": {"size": 32},
        "training": {"epochs": 2, "batch_size": 7, **LEARNS},
        "evaluation": {"train_examples": 5},
    }
    smoke["studies"]["imagenet"] = {
        key: {**small.get(key, {}), **value} if isinstance(value, dict) else value  # type: ignore[dict-item]
        for key, value in {**small, **changes}.items()
    }
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return load_params(root / "params.yaml", "smoke")


def carry_out(params: Params, root: Path, unit: str) -> tuple[ExperimentRecord, pd.DataFrame]:
    """Carry out one of the experiments; return its record and its evaluations, but for what they took."""
    experiment = next(each for each in experiments(params) if each.unit == unit)
    record = perform(params, experiment, root, threads=1)
    return record, table(root, unit)


def table(root: Path, unit: str) -> pd.DataFrame:
    path = root / "results/smoke/experiments/imagenet/training" / f"{unit}.csv"
    return pd.read_csv(path, dtype={"corruption": "str"}).drop(columns="seconds")


ALL, RANDOM = "true.augmentation+dropout+wd.seed-0", "random-labels.none.seed-0"


@pytest.fixture(autouse=True)
def no_folder_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_image_folder(tmp_path_factory.mktemp("imagenet") / "images")


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentRecord, pd.DataFrame]:
    """A training with all regularizers, left alone, by one process that reads for itself."""
    root = tmp_path_factory.mktemp("whole")
    return carry_out(written(root, folder), root, ALL)


def test_a_training_leaves_a_line_an_evaluation_and_a_record(
    folder: Path, whole: tuple[ExperimentRecord, pd.DataFrame]
) -> None:
    """18 images in batches of 7, 7 and 4; a sample of 5 is evaluated on the way, at the end all."""
    record, found = whole
    assert found["epoch"].tolist() == [1, 2]
    assert found["step"].tolist() == [3, 6]
    assert found["train_examples"].tolist() == [5, 18]
    assert found["test_examples"].tolist() == [9, 9]
    assert found["status"].tolist() == ["training", "finished"]
    assert found["unreadable"].tolist() == [0, 0]
    assert (found["test_top5"] == 1).all(), "there are three classes"
    assert (found["test_top1"] * 9).tolist() == pytest.approx((found["test_top1"] * 9).round())
    assert record.variants == {f"imagenet/{name}": list_images(folder / name).digest for name in ("train", "val")}
    assert str(folder) not in str(record.settings)


def test_what_is_learned_is_measured_on_images_that_were_not_trained_on(folder: Path, tmp_path: Path) -> None:
    """Each class has a colour: eight epochs tell them apart, whatever mode and size the files have."""
    changes: dict[str, Any] = {"epochs": 8, "batch_size": 6}
    params = written(tmp_path, folder, true_labels=["none"], training=changes, evaluation={"every_epochs": 4})
    _, found = carry_out(params, tmp_path, "true.none.seed-0")
    assert found["epoch"].tolist() == [4, 8]
    end = found.iloc[-1]
    assert end["online_loss"] < np.log(3)
    assert end["test_top1"] > 2 / 3, "guessing gives a third"
    results, condition = load_results_of(params, tmp_path), Condition("true", "none")
    assert last(results, condition, "test_top1") == Estimate(end["test_top1"], None, 1)
    assert best(results, condition, "test_top1") == Estimate(found["test_top1"].max(), None, 1)


def load_results_of(params: Params, root: Path) -> Any:
    folder = root / "results" / "smoke"
    for name in ("cells.csv", "histories.csv"):
        (folder / name).write_text("dataset,model,corruption,regularizer,seed\n")
    return load_results(params, folder, experiments(params))


def test_random_labels_are_of_training_images_alone(folder: Path, tmp_path: Path) -> None:
    params = written(tmp_path, folder)
    cpu = Execution(torch.device("cpu"), torch.float32)
    true, random = (training._splits(folder, each.settings, cpu) for each in experiments(params))
    drawn = random_labels(18, 3, params.data.corruption_seed)
    assert np.array_equal(random.train_labels, drawn)
    assert not np.array_equal(drawn, true.train_labels)
    assert np.array_equal(true.train_labels, np.repeat([0, 1, 2], 6))
    for splits in (true, random):
        assert np.array_equal(splits.test.labels, np.repeat([0, 1, 2], 3))


def test_random_labels_are_drawn_once_uniformly_whatever_the_training() -> None:
    drawn = random_labels(30_000, 1000, 20170226)
    assert np.array_equal(drawn, random_labels(30_000, 1000, 20170226))
    assert not np.array_equal(drawn, random_labels(30_000, 1000, 1))
    counts = np.bincount(drawn, minlength=1000)
    assert len(counts) == 1000
    assert np.square(counts - 30).sum() / 30 == pytest.approx(999, abs=4 * np.sqrt(2 * 999)), "chi squared"


def test_a_listing_is_sorted_and_told_by_names_and_sizes(folder: Path, tmp_path: Path) -> None:
    found = list_images(folder / "train")
    assert found.paths[0].decode() == f"{CLASSES[0]}/train_00000000.JPEG"
    assert sorted(found.paths.tolist()) == found.paths.tolist()
    assert found.labels.tolist() == sorted(found.labels.tolist())
    again = make_image_folder(tmp_path / "again")
    assert list_images(again / "train").digest == found.digest, "wherever it lies"
    with open(again / "train" / CLASSES[0] / "train_00000000.JPEG", "ab") as file:
        file.write(b"\0")
    assert list_images(again / "train").digest != found.digest


# --- files that are no images ---


def spoiled(tmp_path: Path, split: str, content: Callable[[bytes], bytes]) -> tuple[Path, Path]:
    folder = make_image_folder(tmp_path / "images")
    path = folder / split / CLASSES[1] / f"{split}_00000001.JPEG"
    path.write_bytes(content(path.read_bytes()))
    return folder, path


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda content: content[: len(content) // 2],
    "no image": lambda content: b"<html>not found</html>",
}


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_stops_the_training_by_its_name(tmp_path: Path, split: str, damage: str) -> None:
    folder, path = spoiled(tmp_path, split, DAMAGE[damage])
    params = written(tmp_path, folder, training={"epochs": 1})
    with pytest.raises(
        UserError, match=r"cannot be read: .*put a whole image in its place, or let .*unreadable be skip"
    ) as caught:
        carry_out(params, tmp_path, RANDOM)
    assert str(caught.value).startswith(str(path))


def test_a_damaged_file_is_left_out_and_counted_if_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, path = spoiled(tmp_path, "train", DAMAGE["cut off"])
    other = folder / "val" / CLASSES[0] / "val_00000000.JPEG"
    other.write_bytes(b"")
    params = written(tmp_path, folder, images={"unreadable": "skip"})
    _, found = carry_out(params, tmp_path, RANDOM)
    assert found["unreadable"].tolist() == [2, 2]
    assert found["test_examples"].tolist() == [8, 8]
    assert found["train_examples"].iloc[-1] == 17
    said = capsys.readouterr().out
    assert said.count(f"{path}: left out") == said.count(f"{other}: left out") == 1


def test_a_class_without_an_image_is_told_of(tmp_path: Path) -> None:
    folder = make_image_folder(tmp_path / "images")
    for path in (folder / "val" / CLASSES[2]).iterdir():
        path.rename(path.with_suffix(".txt"))
    with pytest.raises(UserError, match=rf"val is not as it must be: .*{CLASSES[2]}"):
        carry_out(written(tmp_path, folder), tmp_path, RANDOM)


def test_without_a_folder_the_experiment_says_what_it_needs(tmp_path: Path, folder: Path) -> None:
    params = written(tmp_path, folder)
    nowhere = params.model_copy(update={"data": params.data.model_copy(update={"imagenet": None})})
    with pytest.raises(UserError, match=r"needs ImageNet: set data\.imagenet in params\.yaml, or RETHINKING_IMAGENET"):
        carry_out(nowhere, tmp_path, RANDOM)


# --- interruptions and processes ---


class After(Interruption):
    """Asks once a training has looked so many times: after each step, evaluated block and epoch."""

    looks = 0

    @property
    def signal_number(self) -> int | None:
        type(self).looks -= 1
        return signal.SIGTERM if type(self).looks < 0 else None

    @signal_number.setter
    def signal_number(self, value: int | None) -> None:
        pass


def test_what_was_interrupted_goes_on_to_the_same_end(
    tmp_path: Path, folder: Path, whole: tuple[ExperimentRecord, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit: in the middle of an epoch, at its last step, in an evaluation, and between epochs."""
    params = written(tmp_path, folder)
    places = []
    with monkeypatch.context() as patched:
        patched.setattr(training, "Interruption", After)
        for looks in (1, 1, 0, 2, 0, 2):
            After.looks = looks
            with pytest.raises(Interrupted) as caught:
                carry_out(params, tmp_path, ALL)
            places.append((caught.value.epochs, caught.value.steps))
    # An epoch looks after each of its 3 steps, after 2 evaluated blocks or 3, and at its end.
    assert places == [(0, 2), (0, 3), (0, 3), (1, 0), (1, 1), (1, 3)]
    _, found = carry_out(params, tmp_path, ALL)
    pd.testing.assert_frame_equal(found, whole[1], check_exact=True)


def environment() -> dict[str, str]:
    left_out = (VARIABLE, "RETHINKING_TRAINER", "RETHINKING_CHECKPOINT_SECONDS")
    return {**{k: v for k, v in os.environ.items() if k not in left_out}, "OMP_NUM_THREADS": "1"}


def command(root: Path, *options: str) -> list[str]:
    words = ["-m", "rethinking", "experiment", "imagenet", "training", ALL, "--preset", "smoke", *options]
    return [sys.executable, *words]


def test_steps_are_taken_in_bfloat16_where_that_is_asked_for(tmp_path: Path, folder: Path) -> None:
    params = written(tmp_path, folder, random_labels=[], training={"epochs": 1})
    short = params.execution.model_copy(update={"precision": "bfloat16"})
    record, found = carry_out(params.model_copy(update={"execution": short}), tmp_path, ALL)
    assert record.provenance["precision"] == "bfloat16"
    assert found["online_loss"].iloc[0] == pytest.approx(np.log(3), abs=1)


@pytest.mark.parametrize("augmented", [False, True])
def test_only_augmentation_shows_an_image_otherwise_in_another_epoch(
    tmp_path: Path, folder: Path, augmented: bool
) -> None:
    params = written(tmp_path, folder, true_labels=["augmentation" if augmented else "dropout+wd"])
    settings, cpu = experiments(params)[0].settings, Execution(torch.device("cpu"), torch.float32)
    shown = Training(settings, cpu, folder, training._splits(folder, settings, cpu), 0, *[None] * 3)._shown()  # type: ignore[arg-type]
    first, second = shown[4, 0], shown[4, 1]
    assert not isinstance(first, Unreadable)
    assert not isinstance(second, Unreadable)
    assert torch.equal(first[0], second[0]) != augmented


def test_an_experiment_of_one_process_is_not_started_in_several(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(PARAMS_FILE.parent)
    with pytest.raises(SystemExit) as caught:
        main(["experiment", "bias_variance", "regression", "all", "--preset", "smoke", "--processes", "2"])
    assert caught.value.code == 2
    assert "bias_variance/regression/all is carried out by one process" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_give_what_one_gives(tmp_path: Path, folder: Path) -> None:
    """To a relative 1e-4: sums are added up in another order, and batch normalisation makes more of a last bit.

    Without dropout, whose masks each process draws for itself.
    """
    unit = "true.augmentation+wd.seed-0"

    def settings(rate: float) -> dict[str, Any]:
        # At 32 pixels the last layers would normalise by 7 values, which makes much of a last bit.
        training = {"epochs": 1, "initial_learning_rate": rate}
        return {"true_labels": ["augmentation+wd"], "images": {"size": 64}, "training": training}

    for name, rate in (("alone", 1e-4), ("untrained", 1e-12)):
        carry_out(written(tmp_path / name, folder, **settings(rate)), tmp_path / name, unit)
    alone, untrained = (table(tmp_path / name, unit) for name in ("alone", "untrained"))
    assert (alone["online_loss"] / untrained["online_loss"] - 1).abs().max() > 1e-3, "what is compared has been trained"

    written(tmp_path / "both", folder, **settings(1e-4))
    words = [word.replace(ALL, unit) for word in command(tmp_path / "both", "--processes", "2", "--threads", "2")]
    answer = subprocess.run(words, cwd=tmp_path / "both", env=environment(), capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    pd.testing.assert_frame_equal(table(tmp_path / "both", unit), alone, check_exact=False, rtol=1e-4, atol=1e-6)
    record = (tmp_path / "both/results/smoke/experiments/imagenet/training" / f"{unit}.json").read_text()
    assert '"processes": 2' in record
    assert "--threads 2 --processes 2" in record


@pytest.mark.slow
def test_a_signal_to_all_processes_ends_a_training_that_goes_on_with_other_readers(
    tmp_path: Path, folder: Path, whole: tuple[ExperimentRecord, pd.DataFrame]
) -> None:
    """As a scheduler's reaches those that read, too. What they read is what one process reads for itself."""
    written(tmp_path, folder, readers=2)
    running = subprocess.Popen(
        command(tmp_path), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stdout is not None
    said = ""
    for line in running.stdout:
        said += line
        if line.startswith("epoch"):  # it trains, and so handles signals
            os.killpg(running.pid, signal.SIGTERM)
    assert running.wait(120) == 128 + signal.SIGTERM, said
    answer = subprocess.run(command(tmp_path), cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    pd.testing.assert_frame_equal(table(tmp_path, ALL), whole[1], check_exact=True)


@pytest.mark.slow
def test_inception_v3_is_trained_with_its_second_classifier(tmp_path: Path) -> None:
    """At 299 pixels, as there is no smaller image that it could be trained on."""
    folder = make_image_folder(tmp_path / "images", CLASSES[:2], {"train": 1, "val": 1}, largest=40)
    changes: dict[str, Any] = {
        "architecture": "inception_v3",
        "true_labels": ["dropout+wd"],
        "images": {"size": 299},
        "training": {"epochs": 1, "batch_size": 2, "optimiser": "rmsprop", "initial_learning_rate": 0.045},
    }
    record, found = carry_out(written(tmp_path, folder, **changes), tmp_path, "true.dropout+wd.seed-0")
    assert found["status"].tolist() == ["finished"]
    assert found["online_loss"].iloc[0] == pytest.approx(np.log(2), abs=1)
    assert record.settings["training"]["auxiliary_weight"] == 0.4
