"""What the tests of checkpoints and interruptions share: small runs, stopped and brought to their end."""

import signal
from pathlib import Path

import torch

from rethinking.cells import Cell
from rethinking.params_file import load_params
from rethinking.recipe import Recipe
from rethinking.records import Epoch
from rethinking.training.devices import Execution
from rethinking.training.interruption import Interruption
from rethinking.training.run import Outcome, run

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke")
CPU = Execution(torch.device("cpu"), torch.float32)


def recipe(model: str = "mlp-1x512", regularizer: str = "none", **changes: object) -> Recipe:
    """Return a run of 3 epochs of 4 steps, the last on a smaller batch, each with evaluations of 2 blocks."""
    defaults: dict[str, object] = {"epochs": 3, "batch_size": 40, "train_evaluation_period": 1}
    cell = Cell("digits", model, "true", regularizer, 0)
    return PARAMS.recipe(cell).model_copy(update=defaults | changes)


class After(Interruption):
    """Asks by itself once a run has looked that many times: after each step, evaluated block and epoch."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        super().__init__()

    @property
    def signal_number(self) -> int | None:
        self.looks -= 1
        return signal.SIGTERM if self.looks < 0 else None

    @signal_number.setter
    def signal_number(self, value: int | None) -> None:
        pass


def finished(resolved: Recipe, data: Path, folder: Path, code: str = "code") -> tuple[Outcome, list[int]]:
    """Run to the end; return the outcome and the epochs that ended here."""
    seen: list[int] = []
    return run(resolved, data, CPU, folder, code, lambda epoch: seen.append(epoch.epoch)), seen


def timeless(outcome: Outcome) -> list[Epoch]:
    return [epoch._replace(seconds=0.0) for epoch in outcome.history]


def assert_alike(one: Outcome, other: Outcome) -> None:
    """Both have the same history, time aside, and the same weights and statistics, bit for bit."""
    assert timeless(one) == timeless(other)
    mine, others = one.network.state_dict(), other.network.state_dict()
    assert mine.keys() == others.keys()
    assert [name for name in mine if not torch.equal(mine[name], others[name])] == []
