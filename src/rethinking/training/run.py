"""One training run: from a recipe and a variant on disk to a trained network, its history and its summary."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn

from rethinking.data.images import DeviceImages
from rethinking.data.variants import Variant, load_variant
from rethinking.models import build, parameter_count
from rethinking.names import subset_slice
from rethinking.recipe import Recipe
from rethinking.records import Epoch
from rethinking.training import checkpoint
from rethinking.training.devices import Execution
from rethinking.training.interruption import Interruption
from rethinking.training.loop import train
from rethinking.training.optimiser import Optimiser, optimiser_of
from rethinking.training.progress import Progress
from rethinking.training.rhythm import Rhythm

CHECKPOINT_SECONDS = 30.0
"""Wall time between checkpoints: what a run that is killed loses at most, besides an evaluation's block."""


def nothing(_: nn.Module) -> None:
    """Leave the network as it was initialised."""


@dataclass(frozen=True)
class Outcome:
    """What training a recipe gives: the same in all processes of the run."""

    network: nn.Module
    history: list[Epoch]
    parameters: int
    train_examples: int
    variant_digest: str


def run(
    recipe: Recipe,
    data_root: Path,
    execution: Execution,
    folder: Path,
    code: str,
    report: Callable[[Epoch], None],
    interruption: Interruption | None = None,
    prepare: Callable[[nn.Module], None] = nothing,
) -> Outcome:
    """Train `recipe` from the start, or from the checkpoint in `folder` if one of the same identity lies there.

    `code` is the fingerprint of the code that trains: a checkpoint made by other code is not continued. `report` is
    called after each epoch, in the process that leads. `prepare` is called with the network as it was initialised,
    before anything else is done with it: it may give it other weights, or masks. What it does must be part of `code`.

    Checkpoints are written every CHECKPOINT_SECONDS, and when `interruption` asks the run to stop: it then raises
    Interrupted after the current step, and the next call goes on from there. Without an `interruption` of the caller's,
    SIGTERM and SIGINT ask while the run trains. A run that has nothing left to train finishes all the same.

    Raises UserError if the variant is missing or damaged, or a checkpoint cannot be written.
    """
    variant = load_variant(data_root, recipe.dataset, recipe.corruption)
    train_split = split(variant, "train", recipe, execution.device, augment=True)
    train_clean = split(variant, "train", recipe, execution.device) if train_split.augment else train_split
    test_split = split(variant, "test", recipe, execution.device)

    network = initial_network(recipe, variant)
    prepare(network)
    network = network.to(execution.device).to(memory_format=torch.channels_last)
    execution.processes.share(network)
    optimiser = optimiser_of(network, recipe)

    identity = f"{recipe.digest()} {variant.digest} {code}"
    asked = interruption or Interruption()
    rhythm = Rhythm(execution.processes, asked, CHECKPOINT_SECONDS)
    checkpoints = _Checkpoints(folder, identity, recipe, execution, network, optimiser, rhythm)
    progress = checkpoints.progress

    def after_epoch() -> None:
        if execution.processes.leads:
            report(progress.history[-1])
        if not progress.finished(recipe):
            checkpoints.after_step()

    with asked.on_signals() if interruption is None else nullcontext():
        train(
            network,
            optimiser,
            recipe,
            execution,
            train_split,
            train_clean,
            test_split,
            progress,
            after_epoch,
            checkpoints.after_step,
        )
    return Outcome(network, progress.history, parameter_count(network), len(train_split), variant.digest)


def initial_network(recipe: Recipe, variant: Variant) -> nn.Module:
    """Return the recipe's network before training, on the CPU: a seed means the same weights on every device."""
    torch.manual_seed(recipe.derived_seed("initialisation"))
    shape = (variant.train_images.shape[1], recipe.crop_size, recipe.crop_size)
    return build(recipe, shape, len(variant.classes))


@dataclass
class _Checkpoints:
    """Brings a run to where its checkpoint left it, and checkpoints it on the way."""

    folder: Path
    identity: str
    recipe: Recipe
    execution: Execution
    network: nn.Module
    optimiser: Optimiser
    rhythm: Rhythm
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        processes = self.execution.processes
        # Read by one, so that all go on from the same.
        state = processes.of_leader(checkpoint.load(self.folder, self.identity) if processes.leads else None)
        self.progress = Progress.restored(state["progress"], self.recipe, self.execution) if state else Progress()
        if state:
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])

    def after_step(self) -> None:
        """Write a checkpoint if it is time to. Raises Interrupted after writing one if the run is to stop."""
        self.rhythm.after_step(self._save, self._place)

    def _place(self) -> tuple[int, int]:
        return len(self.progress.history), self.progress.epoch.steps if self.progress.epoch else 0

    def _save(self) -> None:
        progress = self.progress.state(self.execution)
        if self.execution.processes.leads:
            network, optimiser = self.network.state_dict(), self.optimiser.state_dict()
            checkpoint.save(
                self.folder, self.identity, {"network": network, "optimiser": optimiser, "progress": progress}
            )


def split(
    variant: Variant, name: Literal["train", "test"], recipe: Recipe, device: torch.device, augment: bool = False
) -> DeviceImages:
    """Return a variant's training or test examples as the recipe shows them to its network.

    Raises UserError if the training set has no such subset.
    """
    images, labels = getattr(variant, f"{name}_images"), getattr(variant, f"{name}_labels")
    images, labels = images[: recipe.train_examples], labels[: recipe.train_examples]
    if name == "train":
        chosen = subset_slice(recipe.train_subset, len(labels))
        images, labels = images[chosen], labels[chosen]
    stored = torch.from_numpy(np.array(images)).to(device)
    return DeviceImages(stored, torch.from_numpy(labels.astype(np.int64)).to(device), recipe, augment)
