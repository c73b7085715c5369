"""One epoch is one visit to every example; a run is as many epochs as its recipe says."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from rethinking.cells import Cell
from rethinking.data.images import DeviceImages, Part
from rethinking.models import build
from rethinking.params_file import load_params
from rethinking.recipe import Recipe
from rethinking.records import Epoch
from rethinking.training.devices import Execution
from rethinking.training.evaluate import BLOCK, evaluate
from rethinking.training.loop import one_epoch, train
from rethinking.training.optimiser import optimiser_of
from rethinking.training.progress import EpochInProgress, Progress
from rethinking.training.steps import Steps

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke")
CPU = Execution(torch.device("cpu"), torch.float32)


def recipe(model: str = "mlp-1x512", regularizer: str = "none", **changes: object) -> Recipe:
    return PARAMS.recipe(Cell("digits", model, "true", regularizer, 0)).model_copy(update=changes)


class Watched(DeviceImages):
    """Remembers the index of every batch that was taken."""

    def batch(
        self, index: Tensor | slice, generator: torch.Generator | None = None, part: Part | None = None
    ) -> tuple[Tensor, Tensor]:
        if isinstance(index, Tensor):
            self.__dict__.setdefault("taken", []).append(index)
        return super().batch(index, generator, part)

    @property
    def taken(self) -> list[Tensor]:
        found: list[Tensor] = self.__dict__["taken"]
        return found


def examples(resolved: Recipe, count: int = 77, seed: int = 0, augment: bool = False) -> Watched:
    draws = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (count, 1, 8, 8), generator=draws, dtype=torch.uint8)
    labels = torch.randint(10, (count,), generator=draws)
    return Watched(images, labels, resolved, augment)


def network_for(resolved: Recipe) -> nn.Module:
    torch.manual_seed(resolved.derived_seed("initialisation"))
    return build(resolved, (1, resolved.crop_size, resolved.crop_size), 10)


def trained(
    resolved: Recipe, train_split: DeviceImages, execution: Execution = CPU, history: list[Epoch] | None = None
) -> tuple[nn.Module, list[Epoch]]:
    network = network_for(resolved)
    clean, test = examples(resolved), examples(resolved, 20, seed=1)
    progress = Progress(history or [])
    train(network, optimiser_of(network, resolved), resolved, execution, train_split, clean, test, progress)
    return network, progress.history


def timeless(history: list[Epoch]) -> list[Epoch]:
    return [epoch._replace(seconds=0.0) for epoch in history]


def weights(network: nn.Module) -> list[Tensor]:
    return [value for _, value in sorted(network.state_dict().items())]


def test_an_epoch_of_cifar10_has_391_steps() -> None:
    """As the points of the paper's Figure 1a: ceil(50,000 / 128), the last batch holding 80 images."""
    resolved = recipe(batch_size=128, crop_size=1, epochs=1, initial_learning_rate=0.01)
    images = torch.zeros(50_000, 1, 1, 1, dtype=torch.uint8)
    split = Watched(images, torch.zeros(50_000, dtype=torch.int64), resolved, False)
    network = nn.Sequential(nn.Flatten(), nn.Linear(1, 10))
    progress = Progress()
    train(network, optimiser_of(network, resolved), resolved, CPU, split, split, split, progress)
    assert [epoch.step for epoch in progress.history] == [391]
    assert [len(index) for index in split.taken] == [128] * 390 + [80]


def test_every_example_is_seen_once_an_epoch_in_another_order_each_time() -> None:
    resolved = recipe(batch_size=10, epochs=3)
    split = examples(resolved)
    _, history = trained(resolved, split)
    assert [epoch.step for epoch in history] == [8, 16, 24]
    orders = [torch.cat(split.taken[8 * e : 8 * e + 8]).tolist() for e in range(3)]
    assert [sorted(order) for order in orders] == [list(range(77))] * 3
    assert len({tuple(order) for order in orders}) == 3
    assert list(range(77)) not in orders


def test_batch_order_is_the_seeds_not_the_models() -> None:
    orders = []
    for resolved in (recipe(epochs=1), recipe("alexnet", epochs=1), recipe(epochs=1, seed=1)):
        split = examples(resolved)
        trained(resolved, split)
        orders.append(torch.cat(split.taken).tolist())
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]


def test_online_numbers_are_averages_over_examples() -> None:
    """At learning rate zero they are those of the untouched network, whatever the size of the last batch."""
    resolved = recipe(batch_size=38, initial_learning_rate=0.0)  # batches of 38, 38 and 1
    split, network = examples(resolved), network_for(resolved)
    epoch = EpochInProgress.begin(resolved, CPU, len(split), 0)
    loss, accuracy = one_epoch(Steps(network, optimiser_of(network, resolved), resolved, CPU, split), epoch)
    assert [len(index) for index in split.taken] == [38, 38, 1]
    whole = evaluate(network, split)
    assert loss == pytest.approx(whole.loss, rel=1e-5)
    assert accuracy == pytest.approx(whole.accuracy)


def test_online_loss_is_taken_before_each_step() -> None:
    """A single batch: the loss of the initial weights, not of those that the step leaves."""
    resolved = recipe(batch_size=77, epochs=1, initial_learning_rate=0.1)
    split = examples(resolved)
    initial = evaluate(network_for(resolved), split)
    _, (epoch,) = trained(resolved, split)
    assert epoch.online_loss == pytest.approx(initial.loss, rel=1e-5)
    assert epoch.train_loss is not None
    assert epoch.train_loss < epoch.online_loss - 0.01


def test_each_epoch_has_its_learning_rate() -> None:
    resolved = recipe(epochs=3, initial_learning_rate=0.02, learning_rate_decay=0.5)
    network = network_for(resolved)
    optimiser, split, progress, used = optimiser_of(network, resolved), examples(resolved), Progress(), []

    def after_epoch() -> None:
        used.append(optimiser.learning_rate)

    train(network, optimiser, resolved, CPU, split, split, split, progress, after_epoch)
    assert [epoch.learning_rate for epoch in progress.history] == [0.02, 0.01, 0.005]
    assert used == [0.02, 0.01, 0.005]


def test_after_each_epoch_and_each_step_progress_is_as_it_stands() -> None:
    """Two batches an epoch, then one block of each of the two splits that are evaluated."""
    resolved = recipe(epochs=2, batch_size=40, train_evaluation_period=1)
    network, split, progress, seen = network_for(resolved), examples(resolved), Progress(), []

    def notice(kind: str) -> None:
        seen.append((kind, len(progress.history), progress.epoch.steps if progress.epoch else None))

    train(
        network,
        optimiser_of(network, resolved),
        resolved,
        CPU,
        split,
        split,
        examples(resolved, 20, seed=1),
        progress,
        lambda: notice("epoch"),
        lambda: notice("step"),
    )
    of_epochs = [
        [*(("step", epoch, steps) for steps in (1, 2, 2, 2)), ("epoch", epoch + 1, None)] for epoch in range(2)
    ]
    assert seen == of_epochs[0] + of_epochs[1]


# --- evaluation ---


def test_evaluation_changes_nothing_in_the_network() -> None:
    resolved = recipe("inception")
    network, split = network_for(resolved), examples(resolved)
    network.train()
    before = [value.clone() for value in weights(network)]
    first, second = evaluate(network, split), evaluate(network, split)
    assert first == second
    assert network.training
    assert all(torch.equal(a, b) for a, b in zip(before, weights(network), strict=True)), "statistics of BN too"


def test_evaluation_switches_dropout_off() -> None:
    resolved = recipe(regularizer="dropout")
    network, split = network_for(resolved), examples(resolved)
    assert any(isinstance(layer, nn.Dropout) for layer in network.modules())
    assert evaluate(network, split) == evaluate(network, split)


def test_evaluation_is_cross_entropy_in_nats_and_the_share_of_right_answers() -> None:
    """Of a network that always says 2, as sure as e to 1; on labels of which a quarter are 2, over several blocks."""
    layer = nn.Linear(1, 4)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([0.0, 0.0, 1.0, 0.0]))
    network = nn.Sequential(nn.Flatten(), layer)
    count = 2 * BLOCK["cpu"] + 4
    labels = torch.arange(count) % 4
    small = recipe(crop_size=1)
    split = DeviceImages(torch.zeros(count, 1, 1, 1, dtype=torch.uint8), labels, small, False)
    found = evaluate(network, split)
    assert found.accuracy == 0.25
    assert found.loss == pytest.approx(math.log(3 + math.e) - 0.25, rel=1e-5)


# --- determinism ---


@pytest.mark.parametrize(
    ("model", "regularizer"), [("inception", "crop"), ("mlp-3x512", "dropout"), ("alexnet", "flip+rotate")]
)
def test_a_seed_fixes_the_run_bit_for_bit(model: str, regularizer: str) -> None:
    resolved = recipe(model, regularizer)
    (first, history), (again, same), (other, different) = (
        trained(r, examples(r, augment=True)) for r in (resolved, resolved, resolved.model_copy(update={"seed": 1}))
    )
    assert timeless(history) == timeless(same)
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(again), strict=True))
    assert timeless(history) != timeless(different)
    assert any(not torch.equal(a, b) for a, b in zip(weights(first), weights(other), strict=True))


def test_what_was_drawn_elsewhere_before_does_not_matter() -> None:
    resolved = recipe("mlp-1x512", "dropout")
    network = network_for(resolved)
    split, optimiser = examples(resolved), optimiser_of(network, resolved)
    torch.manual_seed(123)
    torch.rand(17)
    progress = Progress()
    train(network, optimiser, resolved, CPU, split, split, examples(resolved, 20, 1), progress)
    assert timeless(progress.history) == timeless(trained(resolved, examples(resolved))[1])


# --- runs that end early, and short precision ---


def test_a_run_that_diverges_ends_with_the_epoch_that_says_so() -> None:
    resolved = recipe(epochs=20, initial_learning_rate=1e6)
    _, history = trained(resolved, examples(resolved))
    assert len(history) < 20
    assert [epoch.diverged for epoch in history] == [False] * (len(history) - 1) + [True]


def test_a_run_that_has_diverged_does_not_go_on() -> None:
    """Interrupted after its last epoch was saved and before its record was written, it is finished all the same."""
    resolved = recipe(epochs=20, initial_learning_rate=1e6)
    _, history = trained(resolved, examples(resolved))
    assert trained(resolved, examples(resolved), history=history)[1] == history


def test_a_finished_history_is_left_alone() -> None:
    resolved = recipe(epochs=2)
    _, history = trained(resolved, examples(resolved))
    assert trained(resolved, examples(resolved), history=history)[1] == history


def test_bfloat16_learns_as_float32_does() -> None:
    resolved = recipe(epochs=5, initial_learning_rate=0.05)
    (_, full), (_, short) = (
        trained(resolved, examples(resolved), Execution(torch.device("cpu"), dtype))
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert full[-1].train_loss is not None
    assert full[-1].train_loss < 0.8 * full[0].online_loss
    assert short[-1].train_loss == pytest.approx(full[-1].train_loss, rel=0.05)
    assert timeless(short) != timeless(full)


def test_the_training_set_is_evaluated_once_a_period_and_at_the_end() -> None:
    """What is trained is the same, and so is all else that the history says."""
    every, some = (trained(recipe(epochs=8, train_evaluation_period=period), examples(recipe())) for period in (1, 3))
    assert [epoch.epoch for epoch in some[1] if epoch.train_loss is not None] == [3, 6, 8]
    assert all(torch.equal(*pair) for pair in zip(weights(every[0]), weights(some[0]), strict=True))
    for full, sparse in zip(timeless(every[1]), timeless(some[1]), strict=True):
        assert sparse.train_loss in (None, full.train_loss)
        assert (sparse.train_loss is None) == (sparse.train_accuracy is None)
        assert sparse == full._replace(train_loss=sparse.train_loss, train_accuracy=sparse.train_accuracy)


def test_a_run_that_diverges_between_evaluations_says_so_and_is_evaluated() -> None:
    resolved = recipe(epochs=20, initial_learning_rate=1e6, train_evaluation_period=20)
    _, history = trained(resolved, examples(resolved))
    assert len(history) < 20
    assert history[-1].diverged
    assert history[-1].train_accuracy is not None


def test_evaluation_is_in_float32_at_the_end_and_in_the_precision_of_training_before() -> None:
    resolved = recipe(epochs=2, initial_learning_rate=0.0)
    _, (first, last) = trained(resolved, examples(resolved), Execution(torch.device("cpu"), torch.bfloat16))
    exact = evaluate(network_for(resolved), examples(resolved, 20, seed=1))
    assert last.test_loss == exact.loss
    assert first.test_loss != exact.loss
    assert first.test_loss == pytest.approx(exact.loss, rel=0.01)
