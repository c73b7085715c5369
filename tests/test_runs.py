"""A cell is trained and leaves a record that says what it is, where it comes from, and can be used again."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from rethinking import runs
from rethinking.cells import RUN_FILES, WEIGHTS_FILE, Cell
from rethinking.data.images import DeviceImages
from rethinking.data.variants import corrupt, load_variant
from rethinking.errors import UserError
from rethinking.files import checksum
from rethinking.models import build, parameter_count
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.recipe import Recipe
from rethinking.records import Epoch, Metrics, read_history, read_metrics
from rethinking.runs import train_cell, training_code, training_modules
from rethinking.training.devices import Execution
from rethinking.training.evaluate import evaluate

PARAMS_FILE = Path(__file__).resolve().parents[1] / "params.yaml"
SMOKE = load_params(PARAMS_FILE, "smoke")
TRUE = Cell("digits", "mlp-1x512", "true", "none", 0)
WHOLE = {*RUN_FILES, WEIGHTS_FILE}


def folder_of(root: Path, cell: Cell) -> Path:
    return root / cell.run_folder("smoke")


def weights_of(root: Path, cell: Cell) -> Path:
    return root / cell.weights_path("smoke")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def changed(folder: Path, training: dict[str, float], **model: float) -> Params:
    """The preset smoke with other settings of training, and of the model mlp-1x512."""
    content = yaml.safe_load(PARAMS_FILE.read_text(encoding="utf-8"))
    content["presets"]["smoke"]["training"] |= training
    content["presets"]["smoke"]["models"]["mlp-1x512"] = model
    (folder / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_params(folder / "params.yaml", "smoke")


@pytest.fixture(scope="module")
def corrupted_root(digits_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits with true and with random labels, for reading."""
    root = tmp_path_factory.mktemp("corrupted") / "data"
    shutil.copytree(digits_root, root)
    corrupt(root, "digits", "random-labels", SMOKE.data.corruption_seed)
    return root


@pytest.mark.parametrize(
    "cell",
    [
        Cell("digits", "inception", "true", "crop", 0),
        Cell("digits", "alexnet", "random-labels", "none", 1),
        Cell("digits", "mlp-3x512", "true", "dropout", 0),
    ],
    ids=str,
)
def test_a_run_is_recorded_whole_and_its_weights_are_the_trained_ones(
    corrupted_root: Path, tmp_path: Path, cell: Cell
) -> None:
    metrics = train_cell(SMOKE, cell, corrupted_root, tmp_path, threads=1)
    folder = folder_of(tmp_path, cell)
    assert names(tmp_path) == WHOLE
    assert read_metrics(folder / "metrics.json") == metrics

    history = read_history(folder / "history.csv")
    last = history[-1]
    recipe = SMOKE.recipe(cell)
    assert [epoch.epoch for epoch in history] == list(range(1, recipe.epochs + 1))
    assert (metrics.status, metrics.epochs, metrics.cell) == ("finished", recipe.epochs, str(cell))
    for name in ("train_accuracy", "train_loss", "test_accuracy", "test_loss", "online_loss", "online_accuracy"):
        assert getattr(metrics, name) == pytest.approx(getattr(last, name), rel=1e-5)
    assert metrics.best_test_accuracy == pytest.approx(max(epoch.test_accuracy for epoch in history), rel=1e-5)
    assert history[metrics.best_test_epoch - 1].test_accuracy == pytest.approx(metrics.best_test_accuracy, rel=1e-5)
    assert metrics.train_examples == recipe.train_examples == 128
    assert (metrics.recipe, metrics.recipe_digest) == (recipe.model_dump(), recipe.digest())

    network = build(recipe, (1, 7, 7), 10)
    network.load_state_dict(load_file(weights_of(tmp_path, cell)))
    assert metrics.parameters == parameter_count(network)
    variant = load_variant(corrupted_root, cell.dataset, cell.corruption)
    for split, accuracy in (("train", metrics.train_accuracy), ("test", metrics.test_accuracy)):
        images, labels = (np.array(getattr(variant, f"{split}_{part}"))[:128] for part in ("images", "labels"))
        examples = DeviceImages(torch.from_numpy(images), torch.from_numpy(labels).long(), recipe, augment=False)
        assert evaluate(network, examples).accuracy == accuracy


def test_a_record_says_where_it_comes_from(digits_root: Path, tmp_path: Path) -> None:
    provenance = train_cell(SMOKE, TRUE, digits_root, tmp_path, threads=1).provenance
    assert provenance["command"] == f"rethinking train {TRUE} --preset smoke"
    assert provenance["code"] == training_code(SMOKE.recipe(TRUE))
    assert provenance["modules"] == training_modules(SMOKE.recipe(TRUE))
    assert provenance["variant"] == load_variant(digits_root, "digits", "true").digest
    assert provenance["weights"] == checksum(weights_of(tmp_path, TRUE))
    assert (provenance["device"], provenance["precision"], provenance["threads"]) == ("cpu", "float32", 1)
    assert provenance["gpu"] is None
    assert provenance["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert provenance["packages"]["numpy"] == np.__version__
    assert provenance["started"] <= provenance["finished"]
    assert provenance["resumed_after_epoch"] is None
    assert {"commit", "uncommitted_changes", "lock", "python", "platform", "cores"} <= set(provenance)


def test_the_command_of_a_record_says_how_many_threads_there_were(digits_root: Path, tmp_path: Path) -> None:
    """The order in which threads add up numbers is part of what a run on a CPU gives."""
    metrics = train_cell(SMOKE, TRUE, digits_root, tmp_path, threads=2)
    torch.set_num_threads(1)
    assert metrics.provenance["command"] == f"rethinking train {TRUE} --preset smoke --threads 2"


def test_the_seeds_of_a_record_are_those_that_generators_were_seeded_with(
    digits_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[int] = []

    def noting(seeding: Callable[..., object]) -> Callable[..., object]:
        def seed(*arguments: Any) -> object:
            used.append(arguments[-1])
            return seeding(*arguments)

        return seed

    monkeypatch.setattr(torch, "manual_seed", noting(torch.manual_seed))
    monkeypatch.setattr(Execution, "seed", noting(Execution.seed))
    monkeypatch.setattr(Execution, "generator", noting(Execution.generator))
    params = changed(tmp_path, {"epochs": 1}, initial_learning_rate=0.01)
    seeds = train_cell(params, TRUE, digits_root, tmp_path, threads=1).provenance["seeds"]
    assert seeds.pop("run") == TRUE.seed
    assert "corruption" not in seeds, "the original data have none"
    assert sorted(seeds.values()) == sorted(used)
    assert len(set(used)) == 4


def test_a_record_says_after_which_epoch_its_run_was_resumed(
    digits_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rethinking.training.run.CHECKPOINT_SECONDS", -1.0)

    def interrupt(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("rethinking.runs._print_epoch", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_cell(SMOKE, TRUE, digits_root, tmp_path, threads=1)
    assert names(tmp_path) == {"checkpoint.pt"}
    assert train_cell(SMOKE, TRUE, digits_root, tmp_path, threads=1).provenance["resumed_after_epoch"] == 1


def test_a_gpu_is_recorded_with_its_driver_and_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 580.65.06\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    gpu = runs._gpu()
    assert set(gpu) == {"driver", "cuda", "cudnn"}
    assert (gpu["driver"], gpu["cuda"]) == ("580.65.06", torch.version.cuda)


def test_code_is_what_the_modules_sum_up() -> None:
    """Else a record could say that the code has changed and name no module, or the other way round."""
    recipes = [SMOKE.recipe(Cell("digits", model, "true", "none", 0)) for model in SMOKE.models]

    def differing(content: Callable[[Recipe], object]) -> set[tuple[int, int]]:
        pairs = itertools.combinations(range(len(recipes)), 2)
        return {(i, j) for i, j in pairs if content(recipes[i]) != content(recipes[j])}

    assert differing(training_code) == differing(training_modules) != set()


def test_a_run_repeated_is_the_same_run(digits_root: Path, tmp_path: Path) -> None:
    first, again = (train_cell(SMOKE, TRUE, digits_root, tmp_path / name, threads=1) for name in ("a", "b"))
    timeless = {"seconds": 0.0, "provenance": {}}
    assert first.model_copy(update=timeless) == again.model_copy(update=timeless)
    weights = [weights_of(tmp_path / name, TRUE) for name in ("a", "b")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_finished_run_leaves_no_checkpoint(
    digits_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved after every epoch, not every half minute."""
    monkeypatch.setattr("rethinking.training.run.CHECKPOINT_SECONDS", -1.0)
    train_cell(SMOKE, TRUE, digits_root, tmp_path, threads=1)
    assert names(tmp_path) == WHOLE


def test_a_run_that_diverges_is_a_result(digits_root: Path, tmp_path: Path) -> None:
    params = changed(tmp_path, {"epochs": 30}, initial_learning_rate=1e6)
    metrics = train_cell(params, TRUE, digits_root, tmp_path / "root", threads=1)
    assert metrics.status == "diverged"
    assert metrics.epochs < 30
    assert None in (metrics.train_loss, metrics.online_loss)
    assert names(tmp_path / "root") == WHOLE
    folder = folder_of(tmp_path / "root", TRUE)
    assert read_metrics(folder / "metrics.json") == metrics
    history = read_history(folder / "history.csv")
    assert (len(history), history[-1].diverged) == (metrics.epochs, True)
    json.loads((folder / "metrics.json").read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def expected_of(cell: Cell) -> tuple[str, str]:
    return SMOKE.recipe(cell).digest(), training_code(SMOKE.recipe(cell))


def test_a_run_is_not_trained_under_other_settings_than_planned(digits_root: Path, tmp_path: Path) -> None:
    digest, code = expected_of(TRUE)
    for expected, what in (
        ((digest, "other"), "the training code changed"),
        (("other", code), r"params\.yaml changed"),
    ):
        with pytest.raises(UserError, match=rf"{what} while the run of {TRUE} was waiting; start again"):
            train_cell(SMOKE, TRUE, digits_root, tmp_path, 1, expected)
    assert names(tmp_path) == set()
    assert train_cell(SMOKE, TRUE, digits_root, tmp_path, 1, (digest, code)).status == "finished"


def test_a_damaged_variant_is_refused_and_nothing_recorded(digits_root: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(digits_root, tmp_path / "data"))
    path = data / "digits" / "true" / "train_labels.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"train_labels\.npy has sha256"):
        train_cell(SMOKE, TRUE, data, tmp_path / "root", threads=1)
    assert names(tmp_path / "root") == set()


def test_a_missing_variant_is_refused(digits_root: Path, tmp_path: Path) -> None:
    cell = Cell("digits", "mlp-1x512", "gaussian", "none", 0)
    with pytest.raises(
        UserError, match=r"digits/gaussian/manifest\.json is missing; `snakemake .*` makes the data"
    ) as said:
        train_cell(SMOKE, cell, digits_root, tmp_path, threads=1)
    assert f"snakemake --force runs/smoke/{cell}/metrics.json --config preset=smoke" in str(said.value)
    assert not (tmp_path / "runs").exists()


def test_an_old_record_is_kept_until_the_new_one_is_whole(digits_root: Path, tmp_path: Path) -> None:
    """A failed repetition leaves what was there."""
    before = train_cell(SMOKE, TRUE, digits_root, tmp_path, threads=1)
    with pytest.raises(UserError):
        train_cell(SMOKE, TRUE, tmp_path / "nowhere", tmp_path, threads=1)
    assert read_metrics(folder_of(tmp_path, TRUE) / "metrics.json") == before
    assert isinstance(before, Metrics)


def test_a_disk_that_fills_up_is_one_sentence_and_no_record(digits_root: Path, tmp_path: Path) -> None:
    """The process may write 64 KiB per file, less than the weights take."""
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from rethinking.cells import Cell; from rethinking.errors import UserError\n"
        "from rethinking.params_file import load_params; from rethinking.runs import train_cell\n"
        "params, data, root, cell = sys.argv[1:]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "try: train_cell(load_params(Path(params), 'smoke'), Cell.parse(cell), Path(data), Path(root), 1)\n"
        "except UserError as error: sys.exit(f'said: {error}')\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, str(PARAMS_FILE), str(digits_root), str(tmp_path), str(TRUE)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    path = folder_of(tmp_path, TRUE) / ".kept.part" / WEIGHTS_FILE
    assert answer.stderr == f"said: {path} cannot be written: File too large; nothing was changed\n"
    assert names(tmp_path) == set()
