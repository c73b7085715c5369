"""A recipe: everything that determines the outcome of one training run, and nothing else.

Three kinds of settings are kept apart. A recipe is what identifies a run; how it is executed (device, precision,
threads) lives in `training.devices`; where a half-finished run stands lives in `training.checkpoint`.
"""

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

SeedPurpose = Literal["initialisation", "batch order", "augmentation", "dropout"]


class Recipe(BaseModel):
    """The resolved settings of one cell.

    `model` holds the architecture's name under "architecture" and the keyword arguments of its `build`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    corruption: str
    corruption_seed: int | None
    """None for the original data, which no seed has a say in."""
    crop_size: int
    """Height and width of the network's input, in pixels, cut out of the stored image."""
    train_examples: int | None
    """Use only the first this many training (and test) examples; None for all."""

    model: dict[str, str | int | float | bool]

    random_crop: bool
    weight_decay: float
    weight_decay_layers: Literal["all", "hidden-linear"]
    dropout: float
    flip: bool
    rotation_degrees: float
    """Largest rotation to either side, in degrees; 0 for none."""

    epochs: int
    batch_size: int
    initial_learning_rate: float
    learning_rate_decay: float
    """Factor per epoch."""
    momentum: float

    seed: int

    # Settings that came later. Each has the value that it had when there was no choice, and counts only where it has
    # another one: recipes keep their digests, and runs their validity, when the project learns something new.

    train_subset: str | None = None
    """Train on a part of the training examples, see `names.subset_slice`, after `train_examples` has applied. Test
    examples are all the same."""
    loss: Literal["cross-entropy", "squared"] = "cross-entropy"
    """The squared loss is that of the outputs against the labels as one-hot vectors, averaged over classes."""
    optimiser: Literal["sgd", "adam"] = "sgd"
    learning_rate_schedule: Literal["exponential", "step", "inverse-sqrt"] = "exponential"
    """What becomes of the initial rate, see `training.optimiser.learning_rate`."""
    learning_rate_period: int = 1
    """Epochs between two steps down ("step"), gradient steps at one rate ("inverse-sqrt")."""
    train_evaluation_period: int = 1
    """Epochs from one evaluation on the training set to the next. The last epoch has one in any case, and every epoch
    has one on the test set."""

    def digest(self) -> str:
        """Return 16 hexadecimal digits that change whenever any setting changes."""
        canonical = json.dumps(self.model_dump(exclude_defaults=True), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def derived_seed(self, purpose: SeedPurpose, epoch: int = 0) -> int:
        """Return a 63-bit seed of its own for each purpose and epoch.

        Every epoch seeds its generators afresh, so a run resumed between epochs continues exactly as an uninterrupted
        one without their states, on any device. The corruption has its own seed and is not derived from this one.
        """
        name = f"{self.seed}/{purpose}/{epoch}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1

    def differences(self, other: dict[str, Any]) -> list[str]:
        """Name the settings in which `other`, a recipe as stored in a record, differs: "epochs 40 -> 60"."""
        mine = self.model_dump(mode="json")
        later = {name: field.default for name, field in type(self).model_fields.items() if not field.is_required()}
        other = later | other
        return [
            f"{key} {other.get(key)} -> {mine.get(key)}"
            for key in sorted(mine.keys() | other.keys())
            if mine.get(key) != other.get(key)
        ]
