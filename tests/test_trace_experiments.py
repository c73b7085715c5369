"""Where the results of an experiment come from, and those of the tables and figures that show them."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from recorded import record, record_experiment
from rethinking.errors import UserError
from rethinking.experiments.identity import recipes_of
from rethinking.files import checksum
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.frame import collect, load_results, write_results
from rethinking.results.outputs import write
from rethinking.studies.bias_variance import regression
from rethinking.studies.bias_variance.measures import NETWORKS
from rethinking.studies.registry import STUDIES, experiments, require_experiment
from rethinking.trace.report import trace

PARAMS_FILE = Path(__file__).resolve().parents[1] / "params.yaml"
PARAMS = load_params(PARAMS_FILE, "smoke")
STUDY = STUDIES["bias_variance"]
REGRESSION = require_experiment(PARAMS, "bias_variance", "regression", "all")
DECOMPOSITION = next(each for each in STUDY.experiments(PARAMS) if each.kind == "decomposition")
"""It reads four networks, two of each half of the training examples."""
CLASSICAL = "results/smoke/figures/bias_variance-classical.svg"
OF_NETWORKS = "results/smoke/figures/bias_variance-decomposition.svg"
UNCHANGED = "Nothing has changed since"


def carried_out(root: Path, params: Params = PARAMS, **changes: object) -> None:
    """Leave the results of the regression, which needs no network."""
    experiment = require_experiment(params, "bias_variance", "regression", "all")
    rows = regression.run(SimpleNamespace(settings=experiment.settings))  # type: ignore[arg-type]
    record_experiment(root, params, experiment, rows, **changes)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two experiments, and the figures that show them."""
    root = tmp_path_factory.mktemp("made")
    (root / "params.yaml").write_bytes(PARAMS_FILE.read_bytes())
    for cell in DECOMPOSITION.cells:
        record(root, PARAMS, cell, 2.3, 0.04)
        weights = root / cell.weights_path("smoke")
        weights.parent.mkdir(parents=True)
        weights.write_text(str(cell))
    carried_out(root)
    line = {"label_noise": 0.2, "width": 8, "value": 0.25, "standard_error": 0.01}
    record_experiment(root, PARAMS, DECOMPOSITION, [{"measure": name, **line} for name in NETWORKS])
    found, epochs, _ = collect(PARAMS, list(DECOMPOSITION.cells), root)
    write_results(root / "results/smoke", found, epochs)
    results = load_results(PARAMS, root / "results/smoke", experiments(PARAMS))
    for name in ("classical", "decomposition"):
        write("figure", STUDY, name, results, root / "results/smoke")
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "root"))


def traced(root: Path, file: object) -> str:
    return "\n".join(trace(os.fspath(root / str(file)), root))


# --- the results of an experiment ---


@pytest.mark.parametrize("place", [DECOMPOSITION.table_path("smoke"), DECOMPOSITION.record_path("smoke")])
def test_an_experiment_says_what_it_read_and_how_it_is_carried_out_again(root: Path, place: Path) -> None:
    text = traced(root, place)
    assert text.startswith(f"{place}: the experiment {DECOMPOSITION}, preset smoke\nmade by code ")
    assert "commit 0123456789ab, cpu (a processor), float32, 1 thread, in 1.5 s\n" in text
    assert f"made again by: rethinking experiment {str(DECOMPOSITION).replace('/', ' ')} --preset smoke\n" in text
    for cell in DECOMPOSITION.cells:
        assert f"\n  {cell}, weights " in text
    assert f"\n  data/digits/{DECOMPOSITION.unit}, checksum beefbeefbeef\n" in text
    assert UNCHANGED in text


def test_an_experiment_that_read_nothing_says_so(root: Path) -> None:
    text = traced(root, REGRESSION.table_path("smoke"))
    assert "\n\nfrom its settings alone\n\n" in text
    assert "weights" not in text
    assert "checksum" not in text
    assert UNCHANGED in text


def test_results_that_were_edited_or_are_gone_are_said(root: Path) -> None:
    place = REGRESSION.table_path("smoke")
    (root / place).write_text("degree\n1\n")
    assert f"{place} is not the file that was made then: it was edited or replaced." in traced(root, place)
    (root / place).unlink()
    text = traced(root, place)
    assert f"{place} is missing." in text
    assert UNCHANGED not in text


def test_other_settings_code_and_networks_are_said(root: Path) -> None:
    weights = DECOMPOSITION.cells[0].weights_path("smoke")
    (root / weights).write_text("others")
    text = traced(root, DECOMPOSITION.table_path("smoke"))
    assert f"{weights} holds other weights now." in text
    assert "other settings" not in text
    edit_params(root, "repetitions: 10\n", "repetitions: 11\n")
    assert "It was made under other settings" in traced(root, REGRESSION.table_path("smoke"))
    modules = {"rethinking.studies.bias_variance.regression": "00000000"}
    carried_out(root, modules=modules)
    assert "It was made by other code than the one here now: " in traced(root, REGRESSION.table_path("smoke"))


def test_networks_are_traced_to_the_experiment_that_left_them_and_known_by_their_checksum(root: Path) -> None:
    experiment = next(each for each in experiments(PARAMS) if each.leaves_networks)
    networks = experiment.networks_path("smoke")
    (root / networks).parent.mkdir(parents=True)
    (root / networks).write_bytes(b"networks")
    record_experiment(root, PARAMS, experiment, [{"n": 1}], cells={}, networks=checksum(root / networks))
    text = traced(root, networks)
    assert text.startswith(f"{networks}: the experiment {experiment}, preset smoke\n")
    (root / networks).write_bytes(b"others")
    for place in (networks, experiment.table_path("smoke")):
        assert f"{networks} holds other networks than it left." in traced(root, place)
    (root / networks).unlink()
    assert f"The networks that it left are not here ({networks})." in traced(root, networks)


@pytest.mark.parametrize("folder", ["results", "weights"])
def test_without_a_record_there_is_one_sentence(root: Path, folder: str) -> None:
    ending = {"results": "csv", "weights": "safetensors"}[folder]
    with pytest.raises(UserError, match=r"one-shot/a\.json is missing; run the experiment first") as said:
        traced(root, f"{folder}/smoke/experiments/sparsity/one-shot/a.{ending}")
    assert "\n" not in str(said.value)


def test_an_experiment_that_params_no_longer_name_is_traced_from_its_record(root: Path) -> None:
    old, new = (f"        label_noise: [{noise}]\n      double_descent" for noise in (0.2, 0.4))
    edit_params(root, old, new)
    text = traced(root, DECOMPOSITION.table_path("smoke"))
    assert f"the experiment {DECOMPOSITION}" in text
    assert f"What it would be made of now cannot be told: experiment: found '{DECOMPOSITION}', must be one of" in text


def edit_params(root: Path, old: str, new: str) -> None:
    text = (root / "params.yaml").read_text()
    assert text.count(old) == 1
    (root / "params.yaml").write_text(text.replace(old, new))


# --- figures that show experiments ---


def test_a_figure_of_experiments_alone_names_these_and_no_run(root: Path) -> None:
    text = traced(root, CLASSICAL)
    assert "\n\nfrom 1 experiment:\n  bias_variance/regression/all\n" in text
    assert f"settings {REGRESSION.digest(recipes_of(PARAMS, REGRESSION))}, code " in text
    assert "\n      rethinking experiment bias_variance regression all --preset smoke\n\nNothing has changed" in text
    assert "run:" not in text
    assert "from no run" not in text


def test_a_figure_of_networks_names_the_experiment_and_the_runs_that_trained_them(root: Path) -> None:
    text = traced(root, OF_NETWORKS)
    assert f"from 1 experiment:\n  {DECOMPOSITION}\n" in text
    assert "\n\nfrom 4 runs:\n" in text
    for cell in DECOMPOSITION.cells:
        assert f"\n  {cell}\n" in text
    assert "regression" not in text
    assert UNCHANGED in text


def test_an_experiment_that_was_carried_out_again_is_said(root: Path) -> None:
    carried_out(root, commit="f" * 40)
    text = traced(root, CLASSICAL)
    assert "It was made from other experiments than those here now:\n" in text
    assert "  bias_variance/regression/all: carried out again since" in text
    assert "Made again now, its numbers would be the same." in text
    assert UNCHANGED not in text


def test_experiments_that_came_and_went_are_said(root: Path) -> None:
    """Those of other settings do not count."""
    edit_params(root, "repetitions: 10\n", "repetitions: 11\n")
    text = traced(root, CLASSICAL)
    assert "  bias_variance/regression/all: not here any more, or under other settings" in text
    assert "Made again now, its numbers would be others." in text
    write("figure", STUDY, "classical", load_results(PARAMS, root / "results/smoke"), root / "results/smoke")
    assert "from no run: nothing of what it shows has been run" in traced(root, CLASSICAL)
    carried_out(root, load_params(root / "params.yaml", "smoke"))
    assert "  bias_variance/regression/all: carried out since" in traced(root, CLASSICAL)


@pytest.mark.parametrize(("name", "named"), [("metrics.json", True), ("claims.json", True), ("cells.csv", False)])
def test_what_sums_up_everything_names_the_experiments_and_what_collects_runs_does_not(
    root: Path, name: str, named: bool
) -> None:
    (root / "results/smoke" / name).touch()
    text = traced(root, f"results/smoke/{name}")
    assert ("from 2 experiments:" in text) is named
    assert "from 4 runs:" in text
