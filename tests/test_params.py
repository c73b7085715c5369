"""What params.yaml says, what it may not say, and how a cell becomes a recipe."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from rethinking.cells import Cell
from rethinking.cli import main
from rethinking.data.sources import DATASETS
from rethinking.errors import UserError
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.plan import make_plan
from rethinking.recipe import Recipe

PARAMS = Path(__file__).resolve().parents[1] / "params.yaml"
PRESETS = ("paper", "digits", "smoke")
REMOVED = "(removed)"


def edited(folder: Path, edits: dict[str, Any]) -> Path:
    """Write params.yaml into `folder` with the values at dotted keys replaced, added or REMOVED."""
    content = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    for key, value in edits.items():
        *parents, last = [int(part) if part.isdecimal() else part for part in key.split(".")]
        place = content
        for parent in parents:
            place = place[parent]
        if value is REMOVED:
            del place[last]
        else:
            place[last] = value
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def complaint(path: Path, preset: str, **config: str) -> str:
    with pytest.raises(UserError) as caught:
        make_plan({"preset": preset, **config}, path)
    return str(caught.value)


def preset(name: str) -> Params:
    return load_params(PARAMS, name)


def recipe(name: str, cell: str) -> Recipe:
    return preset(name).recipe(Cell.parse(cell))


# --- what the file says ---


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_planned(name: str) -> None:
    plan = make_plan({"preset": name}, PARAMS)
    assert plan.params.preset == name
    assert (plan.cells, plan.experiments) == (plan.all_cells, plan.all_experiments)
    assert {dataset for dataset, _ in plan.all_variants} <= set(DATASETS)
    assert {cell.variant for cell in plan.cells} <= plan.all_variants


def test_without_a_choice_the_preset_that_the_file_names_runs(tmp_path: Path) -> None:
    assert load_params(PARAMS).preset == "digits"
    assert load_params(edited(tmp_path, {"preset": "smoke"})).preset == "smoke"


def test_paper_preset_holds_the_papers_settings() -> None:
    """Zhang et al. 2017, appendix A and E; batch size and crossings of Figure 1a imply the rest."""
    params = preset("paper")
    rates = {name: model.initial_learning_rate for name, model in params.models.items()}
    papers = {"inception": 0.1, "inception-nobn": 0.1, "alexnet": 0.01, "mlp-3x512": 0.01, "mlp-1x512": 0.01}
    assert rates.items() >= papers.items()
    training = params.training
    assert (training.learning_rate_decay, training.momentum, training.batch_size) == (0.95, 0.9, 128)
    assert training.epochs >= 69, "figure 1a shows 69 epochs"
    assert params.datasets["cifar10"].crop_size == 28
    assert params.augmentation.rotation_degrees == 25
    assert params.studies.randomisation.dataset == "cifar10"


def test_a_preset_changes_what_it_names_and_leaves_the_rest() -> None:
    paper, digits = preset("paper"), preset("digits")
    assert (digits.models["inception"].width, paper.models["inception"].width) == (0.25, 1.0)
    assert digits.models["inception"].model_copy(update={"width": 1.0}) == paper.models["inception"]
    assert digits.training.momentum == paper.training.momentum
    assert (digits.data, digits.results, digits.augmentation) == (
        paper.data,
        paper.results,
        paper.augmentation,
    )


def test_a_list_in_a_preset_replaces_the_whole_list() -> None:
    assert len(preset("smoke").exceptions) < len(preset("paper").exceptions)
    assert preset("smoke").studies.randomisation.label_corruption == [0.0, 0.5, 1.0]


def test_a_whole_number_may_stand_for_a_decimal(tmp_path: Path) -> None:
    cell = Cell.parse("cifar10/inception/true/none/seed-0")
    path = edited(tmp_path, {"models.inception.width": 1, "augmentation.rotation_degrees": 25})
    assert load_params(path, "paper").recipe(cell).digest() == preset("paper").recipe(cell).digest()


# --- what it may not say ---

STUDY = "studies.randomisation"

BAD_VALUES = [
    ("paper", {"speed": 1}, "speed: unknown key"),
    ("paper", {"training.epoch": 3}, "training.epoch: unknown key"),
    ("smoke", {"presets.smoke.training.epoch": 3}, "presets.smoke.training.epoch: unknown key"),
    ("paper", {"training.momentum": REMOVED}, "training.momentum: is missing"),
    ("paper", {"training.epochs": 0}, "training.epochs: found 0, must be at least 1"),
    ("smoke", {"presets.smoke.training.epochs": 0}, "presets.smoke.training.epochs: found 0, must be at"),
    ("paper", {"training.epochs": 70.5}, "training.epochs: found 70.5, must be a whole number"),
    ("paper", {"training.epochs": True}, "training.epochs: found True, must be a whole number"),
    ("paper", {"training.batch_size": "128"}, "training.batch_size: found '128', must be a whole number"),
    ("paper", {"training.momentum": 1.0}, "training.momentum: found 1.0, must be less than 1"),
    (
        "paper",
        {"training.learning_rate_decay": 0},
        "training.learning_rate_decay: found 0, must be greater than 0",
    ),
    (
        "paper",
        {"models.alexnet.initial_learning_rate": -0.1},
        "models.alexnet.initial_learning_rate: found -0.1, must be greater than 0",
    ),
    (
        "digits",
        {"presets.digits.models.alexnet.initial_learning_rate": -0.1},
        "presets.digits.models.alexnet.initial_learning_rate: found -0.1, must be greater than 0",
    ),
    (
        "paper",
        {"models.alexnet.weight_decay": "5e-4"},
        "models.alexnet.weight_decay: found '5e-4', must be a number (in YAML, 5e-4 is text: write 0.0005)",
    ),
    ("paper", {"models.alexnet.dropout": 1.0}, "models.alexnet.dropout: found 1.0, must be less than 1"),
    (
        "paper",
        {"models.alexnet.initialisation": "xavier"},
        "models.alexnet.initialisation: found 'xavier', must be one of 'glorot', 'he'",
    ),
    ("paper", {"models.inception.depth": 3}, "models.inception.depth: unknown key"),
    ("paper", {"models.mlp-1x512.width": 512.5}, "models.mlp-1x512.width: found 512.5, must be a whole"),
    (
        "paper",
        {"models.inception.architecture": "vgg"},
        "models.inception.architecture: found 'vgg', must be one of 'mlp', 'alexnet', 'inception', 'cnn', 'resnet'",
    ),
    # The architecture stands at the top level although the preset changes the same model's width.
    ("digits", {"models.inception.architecture": "vgg"}, "models.inception.architecture: found 'vgg'"),
    # Which no setting names: the paper's tables do.
    (
        "smoke",
        {"models.mlp-3x512": REMOVED},
        "presets.smoke.models: 'mlp-3x512' is missing, which the cell digits/mlp-3x512/",
    ),
    ("paper", {"seeds": []}, "seeds: found [], must hold at least 1"),
    ("paper", {"seeds": [0, 1, 0]}, "seeds: found [0, 1, 0], must not name a seed twice"),
    ("smoke", {"presets.smoke.seeds": [2, 2]}, "presets.smoke.seeds: found [2, 2], must not name a seed"),
    ("paper", {"seeds": [0, -1]}, "seeds.1: found -1, must be at least 0"),
    (
        "paper",
        {f"{STUDY}.label_corruption": [0.0, 1.5]},
        f"{STUDY}.label_corruption.1: found 1.5, must be at most 1",
    ),
    (
        "smoke",
        {f"presets.smoke.{STUDY}.label_corruption": [0.0, 1.5]},
        f"presets.smoke.{STUDY}.label_corruption.1: found 1.5, must be at most 1",
    ),
    (
        "paper",
        {f"{STUDY}.label_corruption": [0.0, 0.125]},
        f"{STUDY}.label_corruption: found 0.125, must be in whole percents",
    ),
    (
        "smoke",
        {f"presets.smoke.{STUDY}.label_corruption": [0.0, 0.125]},
        f"presets.smoke.{STUDY}.label_corruption: found 0.125, must be in whole percents",
    ),
    (
        "paper",
        {f"{STUDY}.label_corruption": [1.0, 0.0]},
        f"{STUDY}.label_corruption: found [1.0, 0.0], must rise from each to the next",
    ),
    (
        "paper",
        {f"{STUDY}.label_corruption": [0.0, 0.0]},
        f"{STUDY}.label_corruption: found [0.0, 0.0], must rise from each to the next",
    ),
    (
        "paper",
        {"models.alexnet.weight_decay": float("inf")},
        "models.alexnet.weight_decay: found inf, must be a finite number",
    ),
    ("smoke", {"presets.smoke.training": None}, "presets.smoke.training: found None, must be a mapping of settings"),
    ("smoke", {"presets.smoke": []}, "presets.smoke: must be a mapping, found []"),
    ("paper", {"models.alexnet.architecture": REMOVED}, "models.alexnet.architecture: is missing"),
    ("paper", {f"{STUDY}.label_corruption": [0.5]}, f"{STUDY}.label_corruption: found [0.5], must hold at"),
    (
        "paper",
        {f"{STUDY}.dataset": "cifar"},
        f"{STUDY}.dataset: found 'cifar', must be one of cifar10, mnist, digits",
    ),
    (
        "smoke",
        {f"presets.smoke.{STUDY}.dataset": "cifar"},
        f"presets.smoke.{STUDY}.dataset: found 'cifar', must be one of",
    ),
    (
        "paper",
        {f"{STUDY}.fits_random_labels_on": ["svhn"]},
        f"{STUDY}.fits_random_labels_on: found 'svhn', must be one of",
    ),
    ("paper", {"datasets.svhn": {"crop_size": 28}}, "datasets.svhn: unknown data set, must be one of"),
    ("paper", {"execution.processes": {"svhn": 2}}, "execution.processes: found 'svhn', must be one of"),
    ("paper", {"execution.processes": {"cifar10": 0}}, "execution.processes.cifar10: found 0"),
    (
        "paper",
        {"datasets.cifar10.crop_size": 33},
        "datasets.cifar10.crop_size: found 33, must be at most 32, the size of the images",
    ),
    (
        "paper",
        {"datasets.cifar10.crop_size": 32},
        "datasets.cifar10.crop_size: must be smaller than the images",
    ),
    (
        "smoke",
        {"presets.smoke.datasets.digits.crop_size": 9},
        "presets.smoke.datasets.digits.crop_size: found 9, must be at most 8",
    ),
    ("paper", {"exceptions.0.models": ["vgg"]}, "exceptions.0.models: found 'vgg', must be one of inception"),
    (
        "digits",
        {"presets.digits.exceptions.1.models": ["vgg"]},
        "presets.digits.exceptions.1.models: found 'vgg', must be one of inception",
    ),
    (
        "digits",
        {"presets.digits.exceptions.0.training.epochs": 0},
        "presets.digits.exceptions.0.training.epochs: found 0, must be at least 1",
    ),
    (
        "paper",
        {"exceptions.0.regularizers": ["l2"]},
        "exceptions.0.regularizers: 'l2' is no regularizer; these are none, or one or more of crop",
    ),
    # An exception that silently never applies would train under other settings than the file shows.
    ("paper", {"exceptions.0.corruptions": ["random-label"]}, "exceptions.0.corruptions"),
    ("paper", {"execution.device": "gpu"}, "execution.device: found 'gpu', must be one of 'auto', 'cpu'"),
    ("paper", {"execution.precision": "float16"}, "execution.precision: found 'float16', must be one of"),
    ("huge", {}, "preset: found 'huge', must be one of paper, digits, smoke"),
    ("smoke", {"presets.smoke": ["epochs"]}, "presets.smoke: must be a mapping, found ['epochs']"),
    ("smoke", {"presets.smoke.preset": "paper"}, "presets.smoke.preset: a preset cannot choose a preset"),
    ("paper", {"presets": REMOVED}, "presets: must be a mapping with at least one preset"),
]


@pytest.mark.parametrize(("name", "edits", "expected"), BAD_VALUES, ids=lambda value: str(value)[:60])
def test_bad_value_is_refused_where_it_was_written(
    tmp_path: Path, name: str, edits: dict[str, Any], expected: str
) -> None:
    message = complaint(edited(tmp_path, edits), name)
    where, _, what = message.partition(": ")
    assert Path(where).name == "params.yaml"
    assert what.startswith(expected)
    assert "\n" not in message


def test_every_wrong_value_gets_a_line(tmp_path: Path) -> None:
    path = edited(tmp_path, {"training.epochs": 0, "seeds": [], "presets.smoke.training.batch_size": 0})
    lines = complaint(path, "smoke").splitlines()
    assert {line.split(": ")[1] for line in lines} == {"seeds", "presets.smoke.training.batch_size"}
    assert complaint(path, "paper").count("\n") == 1


def test_a_repeated_key_is_refused_with_its_line(tmp_path: Path) -> None:
    text = PARAMS.read_text(encoding="utf-8")
    path = tmp_path / "params.yaml"
    path.write_text(f"{text}\nseeds: [1]\n", encoding="utf-8")
    line = len(text.splitlines()) + 2
    assert complaint(path, "paper") == f"params.yaml, line {line}: the key 'seeds' stands twice; keep one"


def test_a_repeated_key_further_down_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("training:\n  epochs: 1\n  momentum: 0.9\n  epochs: 2\n", encoding="utf-8")
    assert "line 4: the key 'epochs' stands twice" in complaint(path, "paper")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("training: [1, 2", "is not valid YAML: while parsing a flow sequence"),
        ("training:\n\tepochs: 1", "is not valid YAML: while scanning"),
        ("- epochs", "must hold a mapping of settings, found ['epochs']"),
        ("", "must hold a mapping of settings, found None"),
    ],
    ids=["unclosed", "tab", "list", "empty"],
)
def test_what_is_no_mapping_in_yaml_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    message = complaint(path, "paper")
    assert message.startswith(f"{path} {expected}")
    assert "\n" not in message


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(b"\xff\xfe")
    assert complaint(path, "paper") == f"{path} is not UTF-8 text; save it as such"


def test_missing_file_says_where_to_run(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    assert complaint(path, "paper") == f"{path} is missing; run from the project's root folder"


# --- narrowing a run ---


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"model": "alexnet"}, "--config model: unknown key, must be one of preset, studies, datasets, models"),
        ({"models": "vgg"}, "--config models: found 'vgg', must be one of inception, inception-nobn, alexnet"),
        ({"models": "alexnet,vgg"}, "--config models: found 'vgg'"),
        ({"models": ""}, "--config models: found ''"),
        ({"corruptions": "labels-p25"}, "--config corruptions: found 'labels-p25', must be one of true,"),
        ({"regularizers": "l2"}, "--config regularizers: found 'l2', must be one of crop+wd, crop, wd"),
        ({"datasets": "svhn"}, "--config datasets: found 'svhn', must be one of digits"),
        ({"studies": "pruning"}, "--config studies: found 'pruning', must be one of randomisation"),
        ({"seeds": "1"}, "--config seeds: found '1', must be one of 0"),
        ({"seeds": "zero"}, "--config seeds: found 'zero', must be one of 0"),
        ({"datasets": "mnist"}, "--config datasets: found 'mnist', must be one of digits"),
        ({"models": "mlp-1x512", "regularizers": "crop"}, "no cell of preset digits is left"),
    ],
    ids=str,
)
def test_a_selection_of_nothing_is_refused(config: dict[str, str], expected: str) -> None:
    message = complaint(PARAMS, "digits", **config)
    assert message.startswith(expected)
    assert "\n" not in message


def test_a_selection_trains_only_what_it_names_and_collects_all() -> None:
    config = {"preset": "digits", "studies": "randomisation", "models": "alexnet, mlp-1x512", "corruptions": "true"}
    plan = make_plan(config, PARAMS)
    assert {(cell.model, cell.corruption) for cell in plan.cells} == {
        ("alexnet", "true"),
        ("mlp-1x512", "true"),
    }
    assert [study.name for study in plan.studies] == ["randomisation"]
    whole = make_plan({"preset": "digits"}, PARAMS)
    assert (plan.all_cells, plan.all_experiments) == (whole.cells, whole.experiments)


def test_a_selection_of_a_model_is_one_of_all_its_widths() -> None:
    plan = make_plan({"preset": "digits", "models": "mlp-1x512", "corruptions": "true", "regularizers": "none"}, PARAMS)
    studies = plan.params.studies
    widths = {*studies.implications.widths, *studies.parameters.widths}
    assert {cell.model for cell in plan.cells} == {"mlp-1x512", *(f"mlp-1x512-k{width}" for width in widths)}


def test_a_selection_carries_out_the_experiments_whose_networks_it_trains() -> None:
    """And of those that need none, the ones whose data it keeps."""
    whole = make_plan({"preset": "smoke"}, PARAMS)
    plan = make_plan({"preset": "smoke", "models": "mlp-1x512", "corruptions": "true"}, PARAMS)
    expected = [each for each in whole.experiments if set(each.all_cells()) <= set(plan.cells)]
    assert plan.experiments == expected
    assert 0 < sum(bool(each.cells) for each in expected) < len(expected) < len(whole.experiments)
    assert make_plan({"preset": "smoke", "studies": "randomisation"}, PARAMS).experiments == []


def test_a_selection_may_be_a_list_and_seeds_are_numbers(tmp_path: Path) -> None:
    path = edited(tmp_path, {"seeds": [0, 1, 2]})
    plan = make_plan({"preset": "digits", "seeds": [1, 2], "models": ["mlp-1x512"]}, path)
    assert {cell.seed for cell in plan.cells} == {1, 2}


def test_training_under_an_unknown_regularizer_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be trained without one, and recorded under a name that promises it."""
    shutil.copy(PARAMS, tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["train", "digits/mlp-1x512/true/dropot/seed-0", "--preset", "smoke"])
    assert left.value.code == 2
    assert "dropot" in capsys.readouterr().err


# --- from a cell to its recipe ---


@pytest.mark.parametrize("regularizer", ["none", "crop", "wd", "crop+wd", "dropout", "flip+rotate", "crop+flip"])
def test_a_regularizer_switches_on_what_it_names_and_nothing_else(regularizer: str) -> None:
    found = recipe("paper", f"cifar10/alexnet/true/{regularizer}/seed-0")
    assert found.random_crop == (regularizer in ("crop", "crop+wd", "crop+flip"))
    assert found.weight_decay == (0.004 if regularizer in ("wd", "crop+wd") else 0.0)
    assert found.dropout == (0.5 if regularizer == "dropout" else 0.0)
    assert found.flip == (regularizer in ("flip+rotate", "crop+flip"))
    assert found.rotation_degrees == (25.0 if regularizer == "flip+rotate" else 0.0)


def test_corruption_does_not_change_how_a_cell_is_trained() -> None:
    """The paper changes no hyper-parameter between true and random labels (section 2)."""
    for model in preset("paper").models:
        true, *others = (
            recipe("paper", f"cifar10/{model}/{corruption}/none/seed-0")
            for corruption in ("true", "labels-p50", "random-labels", "gaussian")
        )
        for other in others:
            assert other.corruption_seed == preset("paper").data.corruption_seed
            # Figure 2b's networks alone are evaluated on the training set after every epoch.
            same = {
                "corruption": "true",
                "corruption_seed": None,
                "train_evaluation_period": true.train_evaluation_period,
            }
            assert other.model_copy(update=same) == true


@pytest.mark.parametrize(
    ("name", "cell", "epochs", "batch_size", "decay"),
    [
        ("paper", "cifar10/inception/random-labels/crop/seed-0", 300, 128, 0.999),
        ("paper", "cifar10/inception/random-labels/flip+rotate/seed-0", 300, 128, 0.999),
        ("paper", "cifar10/inception/random-labels/wd/seed-0", 70, 128, 0.95),
        ("paper", "cifar10/inception/labels-p90/crop/seed-0", 70, 128, 0.95),
        ("paper", "cifar10/inception/true/crop/seed-0", 70, 128, 0.95),
        ("digits", "digits/mlp-1x512/true/none/seed-0", 100, 32, 0.985),
        ("digits", "digits/inception/true/crop/seed-0", 34, 64, 0.95),
        ("digits", "digits/inception-nobn/true/none/seed-0", 60, 64, 0.97),
        # Two exceptions match: the later one wins where both speak.
        ("digits", "digits/inception/random-labels/crop/seed-0", 120, 32, 0.975),
        ("smoke", "digits/inception/random-labels/crop/seed-0", 2, 32, 0.95),
    ],
)
def test_exceptions_apply_to_the_cells_that_match_every_list(
    name: str, cell: str, epochs: int, batch_size: int, decay: float
) -> None:
    found = recipe(name, cell)
    assert (found.epochs, found.batch_size, found.learning_rate_decay) == (epochs, batch_size, decay)


def test_an_exception_may_change_the_learning_rate_of_a_model(tmp_path: Path) -> None:
    change = {"models": ["alexnet"], "training": {"initial_learning_rate": 0.5}}
    params = load_params(edited(tmp_path, {"exceptions": [change]}), "paper")
    rates = {
        model: params.recipe(Cell("cifar10", model, "true", "none", 0)).initial_learning_rate
        for model in ("alexnet", "inception")
    }
    assert rates == {"alexnet": 0.5, "inception": 0.1}


def test_a_models_recipe_names_its_architecture_and_options() -> None:
    assert recipe("paper", "cifar10/inception-nobn/true/none/seed-7").model == {
        "architecture": "inception",
        "width": 1.0,
        "batch_norm": False,
        "initialisation": "he",
    }
    assert recipe("paper", "cifar10/inception-nobn/true/none/seed-7").seed == 7
    assert recipe("smoke", "digits/alexnet/true/none/seed-0").train_examples == 128


def test_execution_and_evaluation_are_no_part_of_a_recipe(tmp_path: Path) -> None:
    cell = Cell("cifar10", "alexnet", "true", "wd", 0)
    edits = {"execution.device": "cpu", "execution.precision": "float32", "results.overfit_loss": 0.1}
    changed = load_params(edited(tmp_path, {**edits, "seeds": [0, 1]}), "paper")
    assert changed.recipe(cell) == preset("paper").recipe(cell)
