"""The study of bias and variance: its settings, its networks, and its experiment on them."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from rethinking.cells import Cell
from rethinking.data.sources import fetch
from rethinking.data.variants import corrupt, load_variant
from rethinking.errors import UserError
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.perform import perform
from rethinking.params_file import load_params
from rethinking.records import Metrics
from rethinking.runs import train_cell
from rethinking.studies.bias_variance import decomposition
from rethinking.studies.bias_variance.design import cells, experiments

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"
PARAMS = {name: load_params(PARAMS_FILE, name) for name in ("paper", "digits", "smoke")}
PAPER = PARAMS["paper"]


# --- settings ---


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("widths", [4, 2], "widths: found [4, 2], must rise from each to the next"),
        ("widths", [2, 2], "widths: found [2, 2], must rise"),
        ("widths", [0], "widths.0: found 0, must be at least 1"),
        ("parts", 1, "parts: found 1, must be at least 2"),
        ("networks_per_part", 0, "networks_per_part: found 0, must be at least 1"),
        ("label_noise", [0.2, 0.0], "label_noise: found [0.2, 0.0], must rise"),
        ("label_noise", [0.123], "label_noise: found 0.123, must be in whole percents"),
        ("label_noise", [1.0], "label_noise.0: found 1.0, must be less than 1"),
        ("regularizer", "wd+crop", "regularizer: 'wd+crop' is no regularizer"),
        ("dataset", "letters", "dataset: found 'letters', must be one of cifar10"),
        ("network", "transformer", "network: found 'transformer', must be one of inception"),
    ],
)
def test_settings_that_make_no_sense_are_refused(key: str, value: object, complaint: str, tmp_path: Path) -> None:
    content = PAPER.model_dump()
    content["studies"]["bias_variance"][key] = value
    assert complaint in refused(tmp_path, content)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("degrees", [3, 1], "degrees: found [3, 1], must rise"),
        ("degrees", [0, 20], "degrees: found 20, must be below the number of examples, 20"),
        ("noise", 0.0, "noise: found 0.0, must be greater than 0"),
        ("repetitions", 1, "repetitions: found 1, must be at least 2"),
    ],
)
def test_a_regression_that_cannot_be_done_is_refused(key: str, value: object, complaint: str, tmp_path: Path) -> None:
    content = PAPER.model_dump()
    content["studies"]["bias_variance"]["regression"][key] = value
    assert complaint in refused(tmp_path, content)


def refused(folder: Path, content: dict[str, Any]) -> str:
    """What is said of a file with these settings of the paper's scale."""
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(content | {"presets": {"paper": {}}}, sort_keys=False), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_params(path, "paper")
    return str(caught.value)


# --- networks ---


@pytest.mark.parametrize("name", PARAMS)
def test_every_part_trains_its_own_networks_at_every_width_and_noise(name: str) -> None:
    study = PARAMS[name].studies.bias_variance
    found = cells(PARAMS[name])
    each = study.parts * study.networks_per_part
    assert len(set(found)) == len(found) == each * len(study.widths) * len(study.label_noise)
    assert {cell.model for cell in found} == {f"{study.network}-k{width}" for width in study.widths}
    assert {cell.dataset for cell in found} == {
        f"{study.dataset}-part{part}of{study.parts}" for part in range(1, study.parts + 1)
    }
    noises = {0.0: "true", 0.1: "wrong-labels-p10", 0.2: "wrong-labels-p20"}
    assert {cell.corruption for cell in found} == {noises[noise] for noise in study.label_noise}


def test_no_two_networks_of_a_width_share_a_seed() -> None:
    """With the same first weights they would be no independent draws: the estimators' test shows what that does."""
    groups: dict[tuple[str, str], list[int]] = {}
    for cell in cells(PARAMS["digits"]):
        groups.setdefault((cell.model, cell.corruption), []).append(cell.seed)
    assert all(sorted(seeds) == list(range(10)) for seeds in groups.values())


def test_networks_learn_by_the_squared_loss_as_yang_did() -> None:
    recipe = PAPER.recipe(Cell("cifar10-part1of5", "resnet34-k12", "wrong-labels-p20", "crop+flip+wd", 0))
    assert (recipe.loss, recipe.epochs, recipe.batch_size, recipe.momentum) == ("squared", 500, 128, 0.9)
    assert (recipe.initial_learning_rate, recipe.learning_rate_decay, recipe.learning_rate_period) == (0.1, 0.1, 200)
    assert (recipe.weight_decay, recipe.random_crop, recipe.flip) == (0.0005, True, True)
    assert {PARAMS[name].recipe(cells(PARAMS[name])[0]).loss for name in ("digits", "smoke")} == {"squared"}


def test_the_regression_asks_for_no_gpu_and_no_network() -> None:
    found = experiments(PAPER)
    assert [str(experiment) for experiment in found] == [
        "bias_variance/regression/all",
        "bias_variance/decomposition/true",
        "bias_variance/decomposition/wrong-labels-p10",
        "bias_variance/decomposition/wrong-labels-p20",
    ]
    assert found[0].on_cpu
    assert not found[0].all_cells()
    assert [len(experiment.cells) for experiment in found[1:]] == [130] * 3


# --- the experiment on trained networks ---


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Cell, Metrics]]:
    """A folder with the networks of the smoke preset."""
    root, params = tmp_path_factory.mktemp("bias-variance"), PARAMS["smoke"]
    fetch("digits", root / "data", None)
    corrupt(root / "data", "digits", "wrong-labels-p20", params.data.corruption_seed)
    return root, {cell: train_cell(params, cell, root / "data", root, threads=1) for cell in cells(params)}


def test_the_decomposition_is_that_of_the_trained_networks_outputs(trained: tuple[Path, dict[Cell, Metrics]]) -> None:
    root, metrics = trained
    params = PARAMS["smoke"]
    (experiment,) = (found for found in experiments(params) if found.kind == "decomposition")
    outputs: dict[tuple[str, int], Any] = {}
    run = decomposition.run

    def watched(laboratory: Laboratory) -> Any:
        for cell in experiment.cells:
            images = laboratory.examples(cell, "test").batch(slice(None))[0]
            with torch.no_grad():
                outputs[cell.dataset, cell.seed] = laboratory.network(cell)(images).double().numpy()
        return run(laboratory)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decomposition, "run", watched)
        record = perform(params, experiment, root, 1)
    assert set(record.cells) == {str(cell) for cell in experiment.cells}
    found = pd.read_csv(root / experiment.table_path("smoke"))
    assert len(found) == 7
    values = dict(zip(found["measure"], found["value"], strict=True))
    assert set(outputs) == {
        ("digits-part1of2", 0), ("digits-part1of2", 2), ("digits-part2of2", 1), ("digits-part2of2", 3)
    }  # fmt: skip
    labels = load_variant(root / "data", "digits", "wrong-labels-p20").test_labels[:128]
    first, second = ([outputs[f"digits-part{part}of2", seed] for seed in (part - 1, part + 1)] for part in (1, 2))
    risk = np.mean([np.square(output - np.eye(10)[labels]).sum(axis=1) for output in (*first, *second)])
    within = [np.square(a - b).sum(axis=1).mean() / 2 for a, b in (first, second)]
    between = np.square(np.mean(first, axis=0) - np.mean(second, axis=0)).sum(axis=1).mean() / 2
    assert values["risk"] == pytest.approx(risk, rel=1e-5)
    assert values["optimisation_variance"] == pytest.approx(np.mean(within), rel=1e-5)
    assert values["sampling_variance"] == pytest.approx(between - np.mean(within) / 2, rel=1e-4, abs=1e-7)
    assert values["variance"] == pytest.approx(values["sampling_variance"] + values["optimisation_variance"])
    assert values["bias_squared"] == pytest.approx(values["risk"] - values["variance"])
    errors = {
        name: 1 - np.mean([getattr(m, f"{name}_accuracy") for m in metrics.values()]) for name in ("train", "test")
    }
    assert values["train_error"] == pytest.approx(errors["train"], abs=1e-6)
    assert values["test_error"] == pytest.approx(errors["test"], abs=1e-6)
    assert found["standard_error"].isna().all()  # of two parts there is no jackknife


def test_a_network_that_diverged_leaves_no_number() -> None:
    found = np.zeros((3, 2, 4, 10))
    found[1, 0, 2, 5] = math.inf
    measured = decomposition._measured(found, np.zeros(4, dtype=int), np.eye(10)[[0] * 4])
    assert np.isnan(measured).all()
    assert len(measured) == len(decomposition.MEASURES)
