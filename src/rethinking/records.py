"""What a run leaves: metrics, history and weights, each whole or absent."""

import csv
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from rethinking.errors import UserError
from rethinking.files import write_json, write_text

Status = Literal["finished", "diverged"]


class Epoch(NamedTuple):
    """One line of a history. Losses are the recipe's (cross-entropies in nats), accuracies fractions."""

    epoch: int
    """Counted from 1."""
    step: int
    """Gradient steps taken by the end of this epoch."""
    learning_rate: float
    """At the epoch's first step."""
    online_loss: float
    """Average over the epoch's batches as they were seen in training."""
    online_accuracy: float
    train_loss: float | None
    """Evaluated at the end of the epoch, without augmentation and dropout; None where the recipe asks for none."""
    train_accuracy: float | None
    test_loss: float
    test_accuracy: float
    """On clean test labels."""
    seconds: float
    """Wall time of the epoch, evaluation included."""

    @property
    def diverged(self) -> bool:
        """Whether the loss has left the finite numbers."""
        return not all(math.isfinite(loss) for loss in (self.online_loss, self.train_loss) if loss is not None)


class Metrics(BaseModel):
    """The summary of one run: `metrics.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cell: str
    preset: str
    status: Status
    epochs: int
    """Epochs trained: fewer than the recipe's if the run diverged."""
    parameters: int
    """Trainable weights and biases."""
    train_examples: int
    train_accuracy: float
    train_loss: float | None
    """None where it is not a finite number."""
    test_accuracy: float
    test_loss: float | None
    best_test_accuracy: float
    """Largest along the run: what early stopping with perfect foresight would have given."""
    best_test_epoch: int
    online_loss: float | None
    online_accuracy: float
    seconds: float
    """Wall time of all epochs."""
    recipe: dict[str, Any]
    recipe_digest: str
    provenance: dict[str, Any]


def finite(value: float) -> float | None:
    """Return `value`, or None for NaN and infinities, which JSON cannot hold."""
    return value if math.isfinite(value) else None


def write_metrics(path: Path, metrics: Metrics) -> None:
    """Write a run's summary, whole or not at all."""
    write_json(path, metrics.model_dump())


def read_metrics(path: Path) -> Metrics:
    """Read a run's summary. Raises UserError if it is missing or damaged."""
    try:
        return Metrics.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing; train the cell first") from None
    except (ValidationError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise UserError(f"{path} is damaged ({first}); delete it and run again") from None


def write_history(path: Path, history: list[Epoch]) -> None:
    """Write one line an epoch, whole or not at all. Numbers keep six significant digits; None is left empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Epoch._fields)
    for epoch in history:
        writer.writerow(format(value, ".6g") if isinstance(value, float) else value for value in epoch)
    write_text(path, text.getvalue())


def _or_none(text: str) -> float | None:
    return float(text) if text else None


_KINDS: dict[str, Callable[[str], Any]] = dict.fromkeys(Epoch._fields, float)
_KINDS |= {"epoch": int, "step": int, "train_loss": _or_none, "train_accuracy": _or_none}


def read_history(path: Path) -> list[Epoch]:
    """Read a history. Raises UserError if it is missing or damaged."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            raise ValueError("it has no epochs")
        return [Epoch(**{name: _KINDS[name](row[name]) for name in Epoch._fields}) for row in rows]
    except FileNotFoundError:
        raise UserError(f"{path} is missing; train the cell first") from None
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise UserError(f"{path} is damaged ({error}); delete it and run again") from None
