"""Masks, and the experiments that train under them: what is pruned stays so, and what is left is what it should be."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from rethinking.cells import Cell
from rethinking.experiments.experiment import Experiment
from rethinking.experiments.identity import recipes_of
from rethinking.experiments.laboratory import Laboratory, Trained
from rethinking.experiments.measuring import training_on
from rethinking.experiments.perform import perform
from rethinking.params_file import load_params
from rethinking.records import Epoch
from rethinking.runs import train_cell
from rethinking.studies.sparsity.measuring import after_training
from rethinking.studies.sparsity.one_shot import recalibrate
from rethinking.studies.sparsity.pruning import (
    impose,
    make_permanent,
    masks_of,
    prune_to,
    shuffled,
    weights,
    weights_left,
)
from rethinking.studies.sparsity.tickets import other_seed, shown
from rethinking.studies.sparsity.vocabulary import GLOBAL, LAYER_WISE
from rethinking.training.devices import choose
from rethinking.training.interruption import Interrupted
from rethinking.training.optimiser import learning_rate

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke")
MLP = Cell("digits", "mlp-1x512", "true", "none", 0)
INCEPTION = Cell("digits", "inception", "true", "none", 0)


def convolutional(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 8), nn.Linear(8, 3)
    )


def magnitudes(network: nn.Module, masks: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The magnitudes of the weights that stay, and of those that go, of a network that was not pruned."""
    pairs = [(network.get_submodule(name).weight.abs(), mask) for name, mask in masks.items()]  # type: ignore[operator]
    kept, gone = ([w[m == flag] for w, m in pairs] for flag in (1, 0))
    return torch.cat(kept), torch.cat(gone)


# --- masks ---


@given(fraction=st.floats(0.01, 1.0), seed=st.integers(0, 20))
@settings(max_examples=25)
def test_global_pruning_leaves_the_largest_weights_of_all(fraction: float, seed: int) -> None:
    network = convolutional(seed)
    prune_to(network, fraction, GLOBAL)
    masks = masks_of(network)
    assert weights(masks) == 36 + 288 + 24
    assert weights_left(masks) == max(1, round(fraction * 348))
    kept, gone = magnitudes(convolutional(seed), masks)
    assert gone.numel() == 0 or kept.min() >= gone.max()


@given(fraction=st.floats(0.01, 1.0), seed=st.integers(0, 20))
@settings(max_examples=25)
def test_layer_wise_pruning_leaves_the_same_fraction_of_every_layer(fraction: float, seed: int) -> None:
    network = convolutional(seed)
    prune_to(network, fraction, LAYER_WISE)
    for name, mask in masks_of(network).items():
        assert int(mask.sum()) == max(1, round(fraction * mask.numel()))
        kept, gone = magnitudes(convolutional(seed), {name: mask})
        assert gone.numel() == 0 or kept.min() >= gone.max()


def test_one_threshold_differs_from_one_a_layer_where_layers_differ_in_scale() -> None:
    networks = [convolutional() for _ in range(2)]
    for network, scope in zip(networks, (GLOBAL, LAYER_WISE), strict=True):
        with torch.no_grad():
            network.get_submodule("4").weight.mul_(0.01)  # type: ignore[operator]
        prune_to(network, 60 / 348, scope)
    one, each = (masks_of(network)["4"] for network in networks)
    assert int(one.sum()) == 0
    assert int(each.sum()) == round(288 * 60 / 348)


@pytest.mark.parametrize("scope", [GLOBAL, LAYER_WISE])
def test_what_was_pruned_stays_pruned_in_further_rounds(scope: str) -> None:
    network, before = convolutional(), None
    for round_ in range(1, 6):
        prune_to(network, 0.6**round_, scope)
        masks = masks_of(network)
        if before is not None:
            assert all((mask <= before[name]).all() for name, mask in masks.items())
            assert weights_left(masks) < weights_left(before)
        before = masks
        with torch.no_grad():  # in between, weights change: also those that do not count
            for layer in (network.get_submodule("0"), network.get_submodule("4"), network.get_submodule("5")):
                layer.weight_orig.add_(torch.randn_like(layer.weight_orig))  # type: ignore[operator, arg-type]


def test_pruning_ranks_weights_as_they_are_not_as_of_the_last_forward_pass() -> None:
    network = convolutional()
    prune_to(network, 0.9, GLOBAL)
    with torch.no_grad():
        network.get_submodule("5").weight_orig.mul_(1e-6)  # type: ignore[operator]
    prune_to(network, 0.5, GLOBAL)
    assert int(masks_of(network)["5"].sum()) == 0


def test_more_than_is_left_cannot_be_left() -> None:
    network = convolutional()
    for fraction in (0.3, 0.8):
        prune_to(network, fraction, GLOBAL)
        assert weights_left(masks_of(network)) == round(0.3 * 348)


def test_networks_in_channels_last_are_pruned_alike() -> None:
    plain, last = convolutional(), convolutional().to(memory_format=torch.channels_last)
    for network in (plain, last):
        prune_to(network, 0.4, GLOBAL)
    assert all(torch.equal(mask, masks_of(last)[name]) for name, mask in masks_of(plain).items())


def test_an_unknown_scope_is_an_error() -> None:
    with pytest.raises(ValueError, match="no scope 'everywhere'"):
        prune_to(convolutional(), 0.5, "everywhere")


def test_permanent_zeros_are_where_the_masks_were_and_nothing_else_changes() -> None:
    network, whole = convolutional(), convolutional()
    prune_to(network, 0.5, GLOBAL)
    masks, images = masks_of(network), torch.randn(2, 1, 3, 3)
    masked = network.eval()(images)
    make_permanent(network)
    state = network.state_dict()
    assert set(state) == set(whole.state_dict())
    for name, tensor in whole.state_dict().items():
        layer = name.removesuffix(".weight")
        expected = tensor * masks[layer] if layer in masks and name.endswith("weight") else tensor
        assert torch.equal(state[name], expected)
    assert torch.equal(network(images), masked)
    assert all((mask == 1).all() for mask in masks_of(network).values())


def test_random_masks_leave_as_many_weights_of_every_layer() -> None:
    network = convolutional()
    prune_to(network, 0.3, GLOBAL)
    masks = masks_of(network)
    first, again, other = (shuffled(masks, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    for name, mask in masks.items():
        assert first[name].shape == mask.shape
        assert int(first[name].sum()) == int(mask.sum())
        assert torch.equal(first[name], again[name])
    assert any(not torch.equal(first[name], masks[name]) for name in masks)
    assert any(not torch.equal(first[name], other[name]) for name in masks)
    fresh = convolutional()
    impose(fresh, first)
    assert weights_left(masks_of(fresh)) == weights_left(masks)


# --- experiments ---


@pytest.fixture(scope="module")
def root(digits_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the digits and two trained networks."""
    made = tmp_path_factory.mktemp("sparsity")
    (made / "data").symlink_to(digits_root)
    for cell in (MLP, INCEPTION):
        train_cell(PARAMS, cell, made / "data", made, threads=1)
    return made


def rows(root: Path, experiment: Experiment) -> pd.DataFrame:
    perform(PARAMS, experiment, root, 1)
    return pd.read_csv(root / experiment.table_path("smoke"), dtype={"corruption": "str"})


def laboratory(root: Path, experiment: Experiment) -> Laboratory:
    return Laboratory(experiment, "smoke", recipes_of(PARAMS, experiment), choose("cpu", "float32", 1), root, "")


ONE_SHOT = Experiment("sparsity", "one-shot", "test", {"fractions_left": [0.5, 0.1]}, (INCEPTION,))
RETRAINING = Experiment(
    "sparsity", "retraining", "test", {"fractions_left": [0.5, 0.2], "epochs": None, "scopes": [GLOBAL]}, (MLP,)
)
ITERATIVE = Experiment(
    "sparsity",
    "iterative",
    "test",
    {"pruned_per_round": 0.5, "rounds": 3, "epochs": 1, "scopes": [GLOBAL, LAYER_WISE]},
    (MLP,),
    leaves_networks=True,
)
TICKETS = Experiment(
    "sparsity",
    "tickets",
    "test",
    {"pruned_per_round": 0.5, "rounds": 2, "epochs": 2, "seed": 101, "draws": 2},
    (MLP,),
)


def test_pruning_at_once_measures_the_network_of_the_run_first(root: Path) -> None:
    found = rows(root, ONE_SHOT)
    assert len(found) == 3 * 2 + 3
    whole = found[(found["round"] == 0) & ~found["recalibrated"]]
    run = train_cell(PARAMS, INCEPTION, root / "data", root, threads=1)
    assert set(whole["train_accuracy"]) == {float(f"{run.train_accuracy:.6g}")}
    assert set(whole["test_accuracy"]) == {float(f"{run.test_accuracy:.6g}")}
    assert found["fraction_left"].to_numpy() == pytest.approx([1, 1, 0.5, 0.5, 0.1, 0.1, 1, 0.5, 0.1], abs=2e-3)
    assert (found["weights_left"] / found["weights"]).to_numpy() == pytest.approx(found["fraction_left"].to_numpy())


def test_measuring_statistics_anew_changes_no_weight(root: Path) -> None:
    lab = laboratory(root, ONE_SHOT)
    network, train = lab.network(INCEPTION), lab.examples(INCEPTION, "train")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    recalibrate(network, train)
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed
    assert {name.rsplit(".", 1)[1] for name in changed} <= {"running_mean", "running_var", "num_batches_tracked"}
    first = next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    convolution = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    mean = convolution(train.batch(slice(None))[0]).mean(dim=(0, 2, 3))
    assert torch.allclose(first.running_mean, mean, atol=1e-4)  # type: ignore[arg-type]
    assert not network.training


def test_training_on_goes_on_at_the_last_rate(root: Path) -> None:
    lab = laboratory(root, RETRAINING)
    recipe = lab.recipes[MLP]
    changed = recipe.model_copy(update=training_on(recipe, 128, lab.settings["epochs"]))
    rates = {learning_rate(changed, epoch, 0) for epoch in range(changed.epochs)}
    assert rates == {recipe.initial_learning_rate * recipe.learning_rate_decay ** (recipe.epochs - 1)}
    assert changed.epochs == recipe.epochs
    assert len(rows(root, RETRAINING)) == 3


def test_training_on_starts_from_the_networks_weights(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = watch(monkeypatch)
    rows(root, RETRAINING)
    whole = laboratory(root, RETRAINING).network(MLP).state_dict()
    for state in prepared.values():
        for name, tensor in whole.items():
            assert torch.equal(state[name if name in state else f"{name}_orig"], tensor)


def test_pruned_weights_stay_zero_through_training_and_rounds(root: Path) -> None:
    found = rows(root, ITERATIVE)
    assert list(found["round"]) == [0, 1, 2, 3] * 2
    assert found["fraction_left"].to_numpy() == pytest.approx([1, 0.5, 0.25, 0.125] * 2, abs=1e-3)
    by_round = found[found["scope"] == GLOBAL].set_index("round")
    before = None
    for round_ in (1, 2, 3):
        left = laboratory(root, ITERATIVE).left(ITERATIVE, f"round-{round_}")
        assert set(left) == {"1.weight", "1.bias", "3.weight", "3.bias"}
        nonzero = {name: tensor != 0 for name, tensor in left.items() if name.endswith("weight")}
        assert sum(int(mask.sum()) for mask in nonzero.values()) == by_round.loc[round_, "weights_left"]
        if before is not None:
            assert all((nonzero[name] <= before[name]).all() for name in nonzero)
        before = nonzero


def watch(monkeypatch: pytest.MonkeyPatch, fail_at: str | None = None) -> dict[str, dict[str, Tensor]]:
    """Note each network that an experiment trains, as it is before training; be interrupted at one of them."""
    seen: dict[str, dict[str, Tensor]] = {}
    train = Laboratory.train

    def watched(
        self: Laboratory, cell: Cell, name: str, prepare: Callable[[nn.Module], None], **changes: object
    ) -> Trained:
        if name == fail_at:
            raise Interrupted(0, 0, 15)

        def prepare_and_note(network: nn.Module) -> None:
            prepare(network)
            seen[name] = {key: tensor.clone() for key, tensor in network.state_dict().items()}

        return train(self, cell, name, prepare_and_note, **changes)

    monkeypatch.setattr(Laboratory, "train", watched)
    return seen


def test_tickets_begin_where_training_began_and_controls_elsewhere(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = watch(monkeypatch)
    found = rows(root, TICKETS)
    first = prepared["dense.round-0.draw-0"]
    for round_ in (1, 2):
        ticket = prepared[f"ticket.round-{round_}.draw-0"]
        for name in ("1", "3"):
            assert torch.equal(ticket[f"{name}.weight_orig"], first[f"{name}.weight"])
            assert torch.equal(ticket[f"{name}.bias"], first[f"{name}.bias"])
        others = [prepared[f"reinitialised.round-{round_}.draw-{draw}"] for draw in (0, 1)]
        for other in others:
            assert torch.equal(other["1.weight_mask"], ticket["1.weight_mask"])
            assert not torch.equal(other["1.weight_orig"], first["1.weight"])
        assert not torch.equal(others[0]["1.weight_orig"], others[1]["1.weight_orig"])
        for draw in (0, 1):
            random = prepared[f"random-mask.round-{round_}.draw-{draw}"]
            assert torch.equal(random["1.weight_orig"], first["1.weight"])
            assert not torch.equal(random["1.weight_mask"], ticket["1.weight_mask"])
            assert random["1.weight_mask"].sum() == ticket["1.weight_mask"].sum()
    masks = [prepared[f"ticket.round-{round_}.draw-0"]["1.weight_mask"] for round_ in (1, 2)]
    assert (masks[1] <= masks[0]).all()
    assert found.groupby("method")["round"].agg(["min", "max"]).to_dict("index") == {
        "dense": {"min": 0, "max": 0},
        **{name: {"min": 1, "max": 2} for name in ("random-mask", "reinitialised", "ticket")},
    }
    assert set(found["seed"]) == {101}
    assert set(found["epoch"]) == {1, 2}


@pytest.mark.parametrize(
    ("experiment", "at"),
    [(ITERATIVE, "layer-wise.round-2"), (TICKETS, "random-mask.round-1.draw-1"), (RETRAINING, "global.0.2")],
    ids=["iterative", "tickets", "retraining"],
)
def test_an_interrupted_chain_goes_on_to_the_same_rows(
    root: Path, monkeypatch: pytest.MonkeyPatch, experiment: Experiment, at: str
) -> None:
    perform(PARAMS, experiment, root, 1)
    paths = [root / experiment.table_path("smoke"), root / experiment.networks_path("smoke")]
    whole = [path.read_bytes() for path in paths if path.exists()]
    with monkeypatch.context() as patched:
        watch(patched, fail_at=at)
        with pytest.raises(Interrupted):
            perform(PARAMS, experiment, root, 1)
    perform(PARAMS, experiment, root, 1)
    assert [path.read_bytes() for path in paths if path.exists()] == whole


def history(epochs: int, loss: float = 1.0) -> list[Epoch]:
    return [Epoch(i + 1, i, 0.1, loss, 0.5, loss, 0.123456789, loss, 0.25, 1.0) for i in range(epochs)]


def test_a_history_is_shown_at_its_first_epochs_its_tens_and_its_last() -> None:
    assert [epoch.epoch for epoch in shown(history(24))] == [1, 2, 3, 5, 7, 10, 20, 24]
    assert [epoch.epoch for epoch in shown(history(4))] == [1, 2, 3, 4]


def test_a_training_that_diverged_says_so() -> None:
    assert after_training(history(3)) == {
        "train_accuracy": 0.123457,
        "test_accuracy": 0.25,
        "epochs": 3,
        "status": "finished",
    }
    assert after_training(history(2, float("inf")))["status"] == "diverged"


def test_a_chain_ends_where_training_diverges(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = Laboratory.train

    def diverging(self: Laboratory, cell: Cell, name: str, *args: Any, **changes: Any) -> Trained:
        trained = train(self, cell, name, *args, **changes)
        ends = name in ("global.round-2", "ticket.round-1.draw-0")
        return Trained(trained.network, history(1, float("nan"))) if ends else trained

    monkeypatch.setattr(Laboratory, "train", diverging)
    found = rows(root, ITERATIVE)
    assert list(found["round"]) == [0, 1, 2, 0, 1, 2, 3]
    assert list(found["status"]) == ["finished"] * 2 + ["diverged"] + ["finished"] * 4
    assert rows(root, TICKETS)["round"].max() == 1


def seeds() -> Iterator[int]:
    return (other_seed(trial, draw) for trial in range(20) for draw in (*range(5), *range(1000, 1005)))


def test_every_trial_and_draw_has_a_seed_of_its_own() -> None:
    found = list(seeds())
    assert len(set(found)) == len(found)
    assert all(0 <= seed < 2**31 for seed in found)
