"""One training run: from a recipe and a variant on disk to a trained network, its history and its summary."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from rethinking.data.images import DeviceImages
from rethinking.data.variants import Variant, load_variant
from rethinking.models import build, parameter_count
from rethinking.recipe import Recipe
from rethinking.records import Epoch
from rethinking.training import checkpoint
from rethinking.training.devices import Execution
from rethinking.training.loop import train
from rethinking.training.optimiser import sgd

CHECKPOINT_SECONDS = 30.0
"""Wall time between checkpoints: what an interruption costs at most, plus an epoch."""


@dataclass(frozen=True)
class Outcome:
    """What training a recipe gives."""

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
) -> Outcome:
    """Train `recipe` from the start, or from the checkpoint in `folder` if one of the same identity lies there.

    `code` is the fingerprint of the code that trains: a checkpoint made by other code is not continued. `report` is
    called after each epoch. Raises UserError if the variant is missing or damaged.
    """
    variant = load_variant(data_root, recipe.dataset, recipe.corruption)
    train_split = _split(variant, "train", recipe, execution, augment=True)
    train_clean = _split(variant, "train", recipe, execution, augment=False) if train_split.augment else train_split
    test_split = _split(variant, "test", recipe, execution, augment=False)

    # Weights are drawn on the CPU: a seed means the same initial network on every device.
    torch.manual_seed(recipe.derived_seed("initialisation"))
    shape = (variant.train_images.shape[1], recipe.crop_size, recipe.crop_size)
    network = build(recipe, shape, len(variant.classes))
    network = network.to(execution.device).to(memory_format=torch.channels_last)
    optimiser = sgd(network, recipe)

    identity = f"{recipe.digest()} {variant.digest} {code}"
    history = checkpoint.restore(folder, identity, network, optimiser)
    saved = time.monotonic()

    def after_epoch(so_far: list[Epoch]) -> None:
        nonlocal saved
        report(so_far[-1])
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            checkpoint.save(folder, identity, network, optimiser, so_far)
            saved = time.monotonic()

    history = train(network, optimiser, recipe, execution, train_split, train_clean, test_split, history, after_epoch)
    return Outcome(network, history, parameter_count(network), len(train_split), variant.digest)


def _split(variant: Variant, name: str, recipe: Recipe, execution: Execution, augment: bool) -> DeviceImages:
    images, labels = getattr(variant, f"{name}_images"), getattr(variant, f"{name}_labels")
    stored = torch.from_numpy(np.array(images[: recipe.train_examples])).to(execution.device)
    return DeviceImages(
        stored,
        torch.from_numpy(labels[: recipe.train_examples].astype(np.int64)).to(execution.device),
        recipe,
        augment,
    )
