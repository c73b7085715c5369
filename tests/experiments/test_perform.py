"""Carrying out an experiment: what it leaves, what it refuses, and how it goes on after an interruption."""

import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from rethinking.cells import Cell
from rethinking.errors import UserError
from rethinking.experiments import perform as perform_module
from rethinking.experiments.experiment import Experiment
from rethinking.experiments.identity import recipes_of
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.perform import perform
from rethinking.experiments.records import read_record
from rethinking.files import checksum
from rethinking.params_file import load_params
from rethinking.results.frame import load_results
from rethinking.runs import train_cell
from rethinking.training.evaluate import evaluate, outputs
from rethinking.training.interruption import Interrupted

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke")
CELL = Cell("digits", "mlp-1x512", "true", "none", 0)
EXPERIMENT = Experiment("sparsity", "trial", "all", {"amount": 0.5}, (CELL,), leaves_networks=True)
Run = Callable[[Laboratory], Sequence[dict[str, Any]]]


def linear(network: nn.Module, name: str) -> nn.Linear:
    layer = network.get_submodule(name)
    assert isinstance(layer, nn.Linear)
    return layer


@pytest.fixture(scope="module")
def root(digits_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the digits and one trained network."""
    made = tmp_path_factory.mktemp("experiments")
    (made / "data").symlink_to(digits_root)
    train_cell(PARAMS, CELL, made / "data", made, threads=1)
    return made


@pytest.fixture
def carry_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A function that performs EXPERIMENT with a `run` of the test's own, in place of a study's module."""

    def carried_out(run: Run, experiment: Experiment = EXPERIMENT, **options: Any) -> Any:
        module = types.SimpleNamespace(run=run)
        monkeypatch.setattr(perform_module, "importlib", types.SimpleNamespace(import_module=lambda _: module))
        monkeypatch.setattr(perform_module, "experiment_roots", lambda *_: ("rethinking.experiments.laboratory",))
        monkeypatch.setattr(perform_module, "experiment_code", lambda *_: "code")
        return perform(PARAMS, experiment, root, 1, **options)

    return carried_out


def test_a_networks_weights_and_data_are_those_of_its_run(root: Path, carry_out: Callable[..., Any]) -> None:
    def run(laboratory: Laboratory) -> list[dict[str, Any]]:
        network, test = laboratory.network(CELL), laboratory.examples(CELL, "test")
        found = evaluate(network, test)
        assert outputs(network, test).shape == (len(test), 10)
        assert (outputs(network, test).argmax(dim=1) == test.labels).float().mean().item() == pytest.approx(
            found.accuracy
        )
        return [{"accuracy": found.accuracy, "examples": len(test), "note": None}]

    record = carry_out(run)
    table = root / EXPERIMENT.table_path("smoke")
    accuracy = float(table.read_text().splitlines()[1].split(",")[0])
    assert accuracy == pytest.approx(train_cell(PARAMS, CELL, root / "data", root, threads=1).test_accuracy)
    assert record == read_record(root / EXPERIMENT.record_path("smoke"))
    assert record.cells == {str(CELL): checksum(root / CELL.weights_path("smoke"))}
    assert list(record.variants) == ["digits/true"]
    assert record.table == checksum(table)
    assert not (root / EXPERIMENT.scratch_folder("smoke")).exists()


def test_training_in_an_experiment_is_the_training_of_cells(root: Path, carry_out: Callable[..., Any]) -> None:
    def run(laboratory: Laboratory) -> list[dict[str, Any]]:
        trained = laboratory.train(CELL, "again", lambda network: None)
        other = laboratory.network(CELL).state_dict()
        assert all(torch.equal(tensor, other[name]) for name, tensor in trained.network.state_dict().items())
        laboratory.leave("again", trained.network)
        return [{"epochs": len(trained.history)}]

    carry_out(run)
    left = Laboratory(EXPERIMENT, "smoke", recipes_of(PARAMS, EXPERIMENT), None, root, "").left(EXPERIMENT, "again")  # type: ignore[arg-type]
    assert {name: tuple(tensor.shape) for name, tensor in left.items()} == {
        "1.weight": (512, 49),
        "1.bias": (512,),
        "3.weight": (10, 512),
        "3.bias": (10,),
    }


def test_masked_weights_stay_zero_and_changes_of_the_recipe_count(carry_out: Callable[..., Any]) -> None:
    def halve(network: nn.Module) -> None:
        prune.l1_unstructured(linear(network, "1"), "weight", amount=0.5)  # type: ignore[no-untyped-call]

    def run(laboratory: Laboratory) -> list[dict[str, Any]]:
        trained = laboratory.train(CELL, "halved", halve, epochs=1)
        layer = linear(trained.network, "1")
        assert int((layer.weight == 0).sum()) == 512 * 49 // 2
        return [{"epochs": len(trained.history)}]

    carry_out(run)


def test_after_an_interruption_what_was_finished_is_not_done_again(root: Path, carry_out: Callable[..., Any]) -> None:
    """The second of three trainings is interrupted; the first is taken as it was, and the numbers are the same."""
    trained: list[str] = []

    def run(laboratory: Laboratory, interrupt_at: str = "") -> list[dict[str, Any]]:
        rows = []
        for name in ("first", "second", "third"):
            if name == interrupt_at:
                raise Interrupted(0, 0, 15)
            before = (root / EXPERIMENT.scratch_folder("smoke") / name).exists()
            network, history = laboratory.train(CELL, name, lambda network: None, seed=len(name))
            if not before:
                trained.append(name)
            weight = float(linear(network, "1").weight.detach().sum())
            rows.append({"name": name, "loss": history[-1].train_loss, "weight": weight})
        return rows

    with pytest.raises(Interrupted):
        carry_out(lambda laboratory: run(laboratory, "second"))
    assert trained == ["first"]
    carry_out(run)
    resumed = (root / EXPERIMENT.table_path("smoke")).read_text()
    assert trained == ["first", "second", "third"]
    carry_out(run)
    assert (root / EXPERIMENT.table_path("smoke")).read_text() == resumed


def test_what_was_finished_from_other_weights_is_not_taken(root: Path, carry_out: Callable[..., Any]) -> None:
    def run(laboratory: Laboratory, value: float) -> list[dict[str, Any]]:
        def filled(network: nn.Module) -> None:
            nn.init.constant_(linear(network, "3").bias[1:], value)

        first = laboratory.train(CELL, "one", filled).history[-1].train_loss
        return [{"loss": first}]

    def twice(laboratory: Laboratory) -> list[dict[str, Any]]:
        return [*run(laboratory, 0.0), *run(laboratory, 0.1)]

    carry_out(twice)
    losses = (root / EXPERIMENT.table_path("smoke")).read_text().split()[1:]
    assert len(set(losses)) == 2


def test_changed_settings_or_code_stop_a_job_that_was_planned_before(carry_out: Callable[..., Any]) -> None:
    digest = EXPERIMENT.digest(recipes_of(PARAMS, EXPERIMENT))
    with pytest.raises(UserError, match=r"params\.yaml changed"):
        carry_out(lambda laboratory: [{}], expected=("0" * 16, "code"))
    with pytest.raises(UserError, match="the code changed"):
        carry_out(lambda laboratory: [{}], expected=(digest, "other"))


def test_missing_and_damaged_weights_are_told_of(root: Path, carry_out: Callable[..., Any]) -> None:
    missing = Experiment("sparsity", "trial", "other", {}, (Cell("digits", "mlp-3x512", "true", "none", 0),))
    with pytest.raises(UserError, match=r"mlp-3x512.*weights.safetensors is missing"):
        carry_out(lambda laboratory: [{"n": bool(laboratory.network(missing.cells[0]))}], missing)
    path = root / missing.cells[0].weights_path("smoke")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"weights.safetensors is damaged"):
        carry_out(lambda laboratory: [{"n": bool(laboratory.network(missing.cells[0]))}], missing)


def test_results_of_other_settings_do_not_count(root: Path, carry_out: Callable[..., Any]) -> None:
    folder = root / "results" / "smoke"
    carry_out(lambda laboratory: [{"amount": laboratory.settings["amount"]}])
    for name in ("cells.csv", "histories.csv"):
        (folder / name).write_text("dataset,model,corruption,regularizer,seed\n")
    results = load_results(PARAMS, folder, [EXPERIMENT])
    assert results.experiment("sparsity", "trial")["amount"].tolist() == [0.5]
    assert [record.unit for record in results.experiments_read()] == ["all"]
    assert results.fresh().experiments_read() == []
    changed = Experiment("sparsity", "trial", "all", {"amount": 0.4}, (CELL,), leaves_networks=True)
    assert load_results(PARAMS, folder, [changed]).experiment("sparsity", "trial").empty
    (folder / "experiments" / "sparsity" / "trial" / "all.csv").unlink()
    with pytest.raises(UserError, match=r"all\.csv is missing"):
        results.fresh().experiment("sparsity", "trial")
