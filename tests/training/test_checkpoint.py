"""A checkpoint is whole and of the same run, or it is not used."""

import random
from pathlib import Path

import pytest
import torch

from resuming import CPU, After, assert_alike, finished, recipe
from rethinking.recipe import Recipe
from rethinking.records import Epoch
from rethinking.training import checkpoint
from rethinking.training.interruption import Interrupted
from rethinking.training.progress import EpochInProgress, Progress
from rethinking.training.run import run

STATE = {"weights": {"a": torch.arange(6.0)}, "history": [{"epoch": 1, "loss": 0.5}], "epoch": None}


def written(folder: Path) -> bytes:
    """Write a checkpoint of STATE and return its content."""
    checkpoint.save(folder, "identity", STATE)
    return (folder / checkpoint.FILE_NAME).read_bytes()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- the file ---


def test_a_checkpoint_holds_its_state(tmp_path: Path) -> None:
    written(tmp_path)
    found = checkpoint.load(tmp_path, "identity")
    assert found is not None
    assert torch.equal(found["weights"]["a"], torch.arange(6.0))
    assert (found["history"], found["epoch"]) == (STATE["history"], None)


def test_without_a_checkpoint_of_this_identity_there_is_none(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path, "identity") is None
    written(tmp_path)
    assert checkpoint.load(tmp_path, "another") is None
    assert checkpoint.load(tmp_path / "nowhere", "identity") is None


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.99])
def test_a_truncated_checkpoint_is_not_used(tmp_path: Path, share: float) -> None:
    content = written(tmp_path)
    (tmp_path / checkpoint.FILE_NAME).write_bytes(content[: int(share * len(content))])
    assert checkpoint.load(tmp_path, "identity") is None


def test_a_single_damaged_bit_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    """Torch alone would load other weights without a word."""
    content, draws = written(tmp_path), random.Random(0)
    for position in [0, len(content) - 1, *(draws.randrange(len(content)) for _ in range(100))]:
        damaged = bytearray(content)
        damaged[position] ^= 1 << draws.randrange(8)
        (tmp_path / checkpoint.FILE_NAME).write_bytes(damaged)
        assert checkpoint.load(tmp_path, "identity") is None, f"byte {position}"


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"no checkpoint", b"PK\x03\x04" + bytes(100), b"\x80\x02}", checkpoint.FORMAT, bytes(1000)],
    ids=range(7),
)
def test_what_is_no_checkpoint_is_not_used(tmp_path: Path, content: bytes) -> None:
    (tmp_path / checkpoint.FILE_NAME).write_bytes(content)
    assert checkpoint.load(tmp_path, "identity") is None


def test_checkpoints_of_older_formats_are_not_used(tmp_path: Path) -> None:
    """The first one had no number: what torch saves, as it is."""
    torch.save({"identity": "identity", **STATE}, tmp_path / checkpoint.FILE_NAME)
    assert checkpoint.load(tmp_path, "identity") is None
    (tmp_path / checkpoint.FILE_NAME).write_bytes(
        written(tmp_path).replace(checkpoint.FORMAT, b"rethinking checkpoint 1")
    )
    assert checkpoint.load(tmp_path, "identity") is None


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(tmp_path: Path) -> None:
    """Something in the state cannot be saved: as when a process ends in the middle of it."""
    before = written(tmp_path)
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save(tmp_path, "identity", {"open": (_ for _ in ())})
    assert (tmp_path / checkpoint.FILE_NAME).read_bytes() == before
    assert names(tmp_path) == {checkpoint.FILE_NAME}


def test_what_killed_processes_left_is_removed_at_the_start_and_at_the_end(tmp_path: Path) -> None:
    others = {"checkpoint.pt.old", ".history.csv.abcd.part", ".checkpoint.pt", "checkpoint.part"}
    for start in (True, False):
        written(tmp_path)
        for name in {*others, ".checkpoint.pt.a1b2c3d4.part", ".checkpoint.pt.z_9.part"}:
            (tmp_path / name).write_bytes(b"half")
        if start:
            assert checkpoint.load(tmp_path, "identity") is not None
            assert names(tmp_path) == {*others, checkpoint.FILE_NAME}
        else:
            checkpoint.discard(tmp_path)
            assert names(tmp_path) == others
    checkpoint.discard(tmp_path)


# --- what runs do with it ---


def interrupted(resolved: Recipe, data: Path, folder: Path, looks: int = 8, code: str = "code") -> None:
    with pytest.raises(Interrupted):
        run(resolved, data, CPU, folder, code, lambda epoch: None, After(looks))
    assert names(folder) == {checkpoint.FILE_NAME}


def test_a_checkpoint_of_other_code_or_settings_is_not_continued(digits_root: Path, tmp_path: Path) -> None:
    other = recipe(momentum=0.5)
    for changed, code in ((recipe(), "other code"), (other, "code")):
        interrupted(recipe(), digits_root, tmp_path)
        outcome, seen = finished(changed, digits_root, tmp_path, code)
        assert seen == [1, 2, 3]
        assert_alike(outcome, finished(changed, digits_root, tmp_path / "fresh", "fresh")[0])


@pytest.mark.parametrize("share", [0.1, 0.99])
def test_a_damaged_checkpoint_starts_the_run_again(digits_root: Path, tmp_path: Path, share: float) -> None:
    interrupted(recipe(), digits_root, tmp_path)
    path = tmp_path / checkpoint.FILE_NAME
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 1
    path.write_bytes(content)
    outcome, seen = finished(recipe(), digits_root, tmp_path)
    assert seen == [1, 2, 3]
    assert_alike(outcome, finished(recipe(), digits_root, tmp_path / "fresh")[0])


def kill_at(epoch: int, resolved: Recipe, data: Path, folder: Path) -> None:
    """End a run at the end of an epoch in a way that no handler notices."""

    def report(ended: Epoch) -> None:
        if ended.epoch == epoch:
            raise MemoryError

    with pytest.raises(MemoryError):
        run(resolved, data, CPU, folder, "code", report)


def test_checkpoints_are_not_written_after_every_step(digits_root: Path, tmp_path: Path) -> None:
    """A step may take a millisecond; writing the state of a large network takes a thousand times as long."""
    kill_at(3, recipe(), digits_root, tmp_path)
    assert names(tmp_path) == set()


def test_the_time_between_checkpoints_may_be_set(
    digits_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETHINKING_CHECKPOINT_SECONDS", "0")
    kill_at(2, recipe(), digits_root, tmp_path)
    assert names(tmp_path) == {checkpoint.FILE_NAME}
    assert finished(recipe(), digits_root, tmp_path)[1] == [2, 3]
    monkeypatch.setenv("RETHINKING_CHECKPOINT_SECONDS", "often")
    with pytest.raises(Exception, match="RETHINKING_CHECKPOINT_SECONDS=often: must be a number of seconds"):
        finished(recipe(), digits_root, tmp_path)


# --- progress under other circumstances ---


def begun(resolved: Recipe, loss: float, correct: int) -> EpochInProgress:
    epoch = EpochInProgress.begin(resolved, CPU, 128, 1)
    epoch.steps, epoch.loss_sum, epoch.correct = 2, torch.tensor(loss), torch.tensor(correct)
    return epoch


def test_the_sums_of_several_processes_are_one_processs(tmp_path: Path) -> None:
    resolved = recipe()
    state = Progress([], begun(resolved, 1.5, 3)).state(CPU)
    state["epoch"]["processes"] += Progress([], begun(resolved, 2.25, 4)).state(CPU)["epoch"]["processes"]
    epoch = Progress.restored(state, resolved, CPU).epoch
    assert epoch is not None
    assert (epoch.number, epoch.steps, epoch.loss_sum.item(), epoch.correct.item()) == (1, 2, 3.75, 7)


def test_on_a_device_of_another_kind_every_example_is_still_visited_once() -> None:
    """The order is the other device's; its generators' states mean nothing here."""
    resolved = recipe("mlp-3x512", "dropout")
    state = Progress([], begun(resolved, 1.5, 3)).state(CPU)
    order = torch.arange(128).flip(0)
    state["epoch"] |= {"device": "cuda", "order": order, "augmentation": torch.zeros(16, dtype=torch.uint8)}
    state["epoch"]["processes"][0]["random"] = {"cuda": torch.zeros(16, dtype=torch.uint8)}
    epoch = Progress.restored(state, resolved, CPU).epoch
    assert epoch is not None
    assert torch.equal(epoch.order, order)
    drawn, seed = torch.rand(3), resolved.derived_seed("dropout", 1)
    assert torch.equal(drawn, torch.rand(3, generator=torch.Generator().manual_seed(seed)))
