"""An interrupted run goes on as if there had been no interruption."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from rethinking.cells import Cell
from rethinking.params_file import load_params
from rethinking.recipe import Recipe
from rethinking.records import Epoch
from rethinking.training import checkpoint
from rethinking.training.devices import Execution
from rethinking.training.optimiser import SGD
from rethinking.training.run import Outcome, run

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke")
CPU = Execution(torch.device("cpu"), torch.float32)
EPOCHS = 4


def recipe(model: str, regularizer: str) -> Recipe:
    return PARAMS.recipe(Cell("digits", model, "true", regularizer, 0)).model_copy(update={"epochs": EPOCHS})


def interrupt_at(last: int) -> Callable[[Epoch], None]:
    def report(epoch: Epoch) -> None:
        if epoch.epoch == last:
            raise KeyboardInterrupt

    return report


@pytest.fixture
def frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save after every epoch, not every half minute."""
    monkeypatch.setattr("rethinking.training.run.CHECKPOINT_SECONDS", -1.0)


def interrupted(resolved: Recipe, data: Path, folder: Path, epoch: int = 3, code: str = "code") -> None:
    """Run until the middle of `epoch`'s end: the checkpoint is that of the epoch before."""
    with pytest.raises(KeyboardInterrupt):
        run(resolved, data, CPU, folder, code, interrupt_at(epoch))
    assert (folder / checkpoint.FILE_NAME).is_file() == (epoch > 1)


def resumed(resolved: Recipe, data: Path, folder: Path, code: str = "code") -> tuple[Outcome, list[int]]:
    """Run to the end; return the outcome and the epochs that were really trained."""
    seen: list[int] = []
    return run(resolved, data, CPU, folder, code, lambda epoch: seen.append(epoch.epoch)), seen


def timeless(outcome: Outcome) -> list[Epoch]:
    return [epoch._replace(seconds=0.0) for epoch in outcome.history]


@pytest.mark.usefixtures("frequent")
@pytest.mark.parametrize(
    ("model", "regularizer"),
    [("inception", "crop"), ("mlp-3x512", "dropout"), ("alexnet", "flip+rotate"), ("inception-nobn", "wd")],
)
def test_a_resumed_run_ends_bit_for_bit_like_an_uninterrupted_one(
    digits_root: Path, tmp_path: Path, model: str, regularizer: str
) -> None:
    resolved = recipe(model, regularizer)
    whole, _ = resumed(resolved, digits_root, tmp_path / "whole")
    interrupted(resolved, digits_root, tmp_path / "parts", epoch=3)
    interrupted(resolved, digits_root, tmp_path / "parts", epoch=4)
    torch.rand(3)  # another process draws other numbers before it goes on
    parts, seen = resumed(resolved, digits_root, tmp_path / "parts")
    assert seen == [4]
    assert timeless(parts) == timeless(whole)
    states = [outcome.network.state_dict() for outcome in (whole, parts)]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert parts.variant_digest == whole.variant_digest


@pytest.mark.usefixtures("frequent")
def test_a_checkpoint_of_other_code_settings_or_data_is_not_continued(digits_root: Path, tmp_path: Path) -> None:
    resolved = recipe("mlp-1x512", "none")
    interrupted(resolved, digits_root, tmp_path)
    other = resolved.model_copy(update={"momentum": 0.5})
    for changed, code in ((resolved, "other code"), (other, "code")):
        interrupted(resolved, digits_root, tmp_path)
        outcome, seen = resumed(changed, digits_root, tmp_path, code)
        assert seen == [1, 2, 3, 4]
        assert timeless(outcome) == timeless(resumed(changed, digits_root, tmp_path / "fresh", "fresh")[0])


@pytest.mark.usefixtures("frequent")
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_checkpoint_starts_the_run_again(digits_root: Path, tmp_path: Path, share: float) -> None:
    resolved = recipe("mlp-1x512", "none")
    interrupted(resolved, digits_root, tmp_path)
    path = tmp_path / checkpoint.FILE_NAME
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert resumed(resolved, digits_root, tmp_path)[1] == [1, 2, 3, 4]


@pytest.mark.usefixtures("frequent")
def test_an_interruption_in_the_first_epoch_leaves_nothing(digits_root: Path, tmp_path: Path) -> None:
    interrupted(recipe("mlp-1x512", "none"), digits_root, tmp_path, epoch=1)
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_are_not_written_every_epoch(digits_root: Path, tmp_path: Path) -> None:
    """An epoch may take a tenth of a second; writing the state of a large network takes longer."""
    resumed(recipe("mlp-1x512", "none"), digits_root, tmp_path)
    assert list(tmp_path.iterdir()) == []


def tiny() -> tuple[nn.Linear, SGD]:
    network = nn.Linear(3, 2)
    optimiser = SGD(list(network.parameters()), [], weight_decay=0.0, momentum=0.9, learning_rate=0.1)
    torch.autograd.backward(network(torch.ones(1, 3)).sum())
    optimiser.step()
    return network, optimiser


HISTORY = [Epoch(1, 12, 0.1, 2.3, 0.1, 2.2, 0.2, 2.2, 0.15, 0.5)]


def test_a_checkpoint_holds_weights_momentum_and_history(tmp_path: Path) -> None:
    (network, optimiser), (other, fresh) = tiny(), tiny()
    checkpoint.save(tmp_path, "identity", network, optimiser, HISTORY)
    assert checkpoint.restore(tmp_path, "identity", other, fresh) == HISTORY
    assert torch.equal(other.weight, network.weight)
    assert all(torch.equal(*pair) for pair in zip(optimiser.velocities, fresh.velocities, strict=True))
    assert optimiser.velocities[0].any()


def test_without_a_checkpoint_nothing_is_restored(tmp_path: Path) -> None:
    network, optimiser = tiny()
    before = network.weight.detach().clone()
    assert checkpoint.restore(tmp_path, "identity", network, optimiser) == []
    checkpoint.save(tmp_path, "identity", tiny()[0], optimiser, HISTORY)
    assert checkpoint.restore(tmp_path, "another", network, optimiser) == []
    assert torch.equal(network.weight, before)


@pytest.mark.parametrize(
    "content", [b"", b"no checkpoint", b"PK\x03\x04" + bytes(100), b"\x80\x02}", bytes(1000)], ids=range(5)
)
def test_what_is_no_checkpoint_is_not_used(tmp_path: Path, content: bytes) -> None:
    (tmp_path / checkpoint.FILE_NAME).write_bytes(content)
    assert checkpoint.restore(tmp_path, "identity", *tiny()) == []


def test_a_finished_run_discards_its_checkpoint(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, "identity", *tiny(), HISTORY)
    checkpoint.discard(tmp_path)
    checkpoint.discard(tmp_path)
    assert list(tmp_path.iterdir()) == []
