"""A run that is asked to stop stops after its step, and goes on as if it had not."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
import torch

from resuming import CPU, After, assert_alike, finished, recipe
from rethinking.data.variants import load_variant
from rethinking.records import Epoch
from rethinking.training import checkpoint
from rethinking.training.interruption import SIGNALS, Interrupted, Interruption
from rethinking.training.run import Outcome, run

CELLS = [("mlp-3x512", "dropout"), ("alexnet", "dropout"), ("alexnet", "crop"), ("inception", "flip+rotate")]
# An epoch of a run of 3: looks after its 4 steps, 2 evaluated blocks, and its end, but for the last one.
PLACES = [(0, 0, 1), (1, 0, 2), (3, 0, 4), (4, 0, 4), (5, 0, 4), (6, 1, 0), (7, 1, 1), (9, 1, 3), (19, 2, 4)]

wholes: dict[tuple[str, str], Outcome] = {}


def whole(model: str, regularizer: str, data: Path, folder: Path) -> Outcome:
    """Return an uninterrupted run, trained once."""
    if (model, regularizer) not in wholes:
        wholes[model, regularizer] = finished(recipe(model, regularizer), data, folder / "whole")[0]
    return wholes[model, regularizer]


@pytest.mark.parametrize(("looks", "epochs", "steps"), PLACES)
@pytest.mark.parametrize(("model", "regularizer"), CELLS)
def test_a_run_interrupted_after_any_step_ends_bit_for_bit_like_an_uninterrupted_one(
    digits_root: Path, tmp_path: Path, model: str, regularizer: str, looks: int, epochs: int, steps: int
) -> None:
    resolved = recipe(model, regularizer)
    with pytest.raises(Interrupted) as stopped:
        run(resolved, digits_root, CPU, tmp_path, "code", lambda epoch: None, After(looks))
    assert (stopped.value.epochs, stopped.value.steps) == (epochs, steps)
    torch.rand(3)  # another process draws other numbers before it goes on
    outcome, seen = finished(resolved, digits_root, tmp_path)
    assert seen == list(range(epochs + 1, 4))
    assert_alike(outcome, whole(model, regularizer, digits_root, tmp_path))


@pytest.mark.parametrize(("model", "regularizer"), CELLS)
def test_a_run_may_be_interrupted_again_and_again(
    digits_root: Path, tmp_path: Path, model: str, regularizer: str
) -> None:
    """Three looks are the least that lead anywhere: two blocks are evaluated at a stretch, or again."""
    stops = 0
    while True:
        interruption = After(3 + stops % 2)
        try:
            outcome = run(
                recipe(model, regularizer), digits_root, CPU, tmp_path, "code", lambda epoch: None, interruption
            )
            break
        except Interrupted:
            stops += 1
            assert stops < 20
    assert stops >= 5
    assert_alike(outcome, whole(model, regularizer, digits_root, tmp_path))


def test_the_seconds_of_an_epoch_are_those_that_were_spent_on_it(digits_root: Path, tmp_path: Path) -> None:
    resolved = recipe(epochs=1)
    identity = f"{resolved.digest()} {load_variant(digits_root, 'digits', 'true').digest} code"
    started = time.perf_counter()
    with pytest.raises(Interrupted):
        run(resolved, digits_root, CPU, tmp_path, "code", lambda epoch: None, After(2))
    state = checkpoint.load(tmp_path, identity)
    assert state is not None
    spent = state["progress"]["epoch"]["seconds"]
    assert 0 < spent < time.perf_counter() - started
    state["progress"]["epoch"]["seconds"] = 100.0
    checkpoint.save(tmp_path, identity, state)
    started = time.perf_counter()
    (epoch,) = finished(resolved, digits_root, tmp_path)[0].history
    assert 100 < epoch.seconds < 100 + time.perf_counter() - started


# --- who may ask, and how ---


def asking(how: Callable[[], None], at: int) -> Callable[[Epoch], None]:
    """Report epochs to somebody who asks at the end of one of them."""

    def report(epoch: Epoch) -> None:
        if epoch.epoch == at:
            how()

    return report


def sending(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


@contextmanager
def handler_of_its_own(number: signal.Signals, handler: object) -> Iterator[None]:
    before = signal.signal(number, handler)  # type: ignore[arg-type]
    try:
        yield
    finally:
        signal.signal(number, before)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in SIGNALS]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_the_run_after_its_step(
    digits_root: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    before = handlers()
    with pytest.raises(Interrupted, match=r"^interrupted after epoch 2$") as stopped:
        run(recipe(), digits_root, CPU, tmp_path, "code", asking(sending(number), 2))
    assert stopped.value.exit_status == status
    assert handlers() == before
    outcome, seen = finished(recipe(), digits_root, tmp_path)
    assert seen == [3]
    assert_alike(outcome, finished(recipe(), digits_root, tmp_path / "whole")[0])


def test_a_place_within_an_epoch_is_named_by_step_and_epoch() -> None:
    assert str(Interrupted(3, 12, signal.SIGTERM)) == "interrupted after step 12 of epoch 4"


def test_a_run_that_has_nothing_left_to_train_finishes(digits_root: Path, tmp_path: Path) -> None:
    outcome = run(recipe(), digits_root, CPU, tmp_path, "code", asking(sending(signal.SIGTERM), 3))
    assert_alike(outcome, finished(recipe(), digits_root, tmp_path / "whole")[0])


def test_handlers_are_put_back_however_a_run_ends(digits_root: Path, tmp_path: Path) -> None:
    calls: list[int] = []

    def mine(number: int, frame: FrameType | None) -> None:
        calls.append(number)

    def fail() -> None:
        assert mine not in handlers()
        raise MemoryError

    with handler_of_its_own(signal.SIGTERM, mine):
        before = handlers()
        finished(recipe(), digits_root, tmp_path / "finished")
        assert handlers() == before
        with pytest.raises(MemoryError):
            run(recipe(), digits_root, CPU, tmp_path / "failed", "code", asking(fail, 1))
        assert handlers() == before
        os.kill(os.getpid(), signal.SIGTERM)
        assert calls == [signal.SIGTERM]


def test_a_signal_that_the_process_ignores_stays_ignored(digits_root: Path, tmp_path: Path) -> None:
    """A shell's background job is not to be stopped by a Ctrl-C that is meant for another."""
    with handler_of_its_own(signal.SIGINT, signal.SIG_IGN):
        outcome = run(recipe(), digits_root, CPU, tmp_path, "code", asking(sending(signal.SIGINT), 1))
    assert len(outcome.history) == 3


def test_whoever_brings_an_interruption_handles_the_signals(digits_root: Path, tmp_path: Path) -> None:
    before = handlers()

    def check() -> None:
        assert handlers() == before

    run(recipe(), digits_root, CPU, tmp_path, "code", asking(check, 1), Interruption())


def test_a_run_in_another_thread_is_asked_by_a_call(digits_root: Path, tmp_path: Path) -> None:
    """Only the main thread may handle signals, and only it may change how they are handled."""
    interruption = Interruption()
    ended: list[Outcome | Interrupted] = []

    def train(asked: Interruption | None, report: Callable[[Epoch], None]) -> None:
        try:
            ended.append(run(recipe(), digits_root, CPU, tmp_path, "code", report, asked))
        except Interrupted as error:
            ended.append(error)

    for asked, report in ((interruption, asking(interruption.request, 1)), (None, lambda epoch: None)):
        thread = threading.Thread(target=train, args=(asked, report))
        thread.start()
        thread.join()
    assert isinstance(ended[0], Interrupted)
    assert ended[0].exit_status == 143
    assert isinstance(ended[1], Outcome)
    assert_alike(ended[1], finished(recipe(), digits_root, tmp_path / "whole")[0])
