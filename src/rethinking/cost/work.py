"""What is timed: stretches of training and blocks of evaluation, through the training code, on images drawn at random.

They have the shape and type of the data set's, which therefore need not be here: what a step costs does not depend on
what images show.
"""

import math
import resource
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rethinking.cost import timing
from rethinking.data.sources import DATASETS
from rethinking.data.variants import ARRAYS, write_variant
from rethinking.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rethinking.data.images import DeviceImages
    from rethinking.training.devices import Execution


def training_stretch(network: "nn.Module", recipe: Recipe, execution: "Execution") -> tuple[Callable[[], object], int]:
    """Return work that takes so many steps, at most an epoch's, about as long as a stretch should; it is warmed up."""
    from rethinking.training.loop import one_epoch
    from rethinking.training.optimiser import optimiser_of
    from rethinking.training.progress import EpochInProgress
    from rethinking.training.recorded import steps_of

    network.train()
    optimiser = optimiser_of(network, recipe)
    epochs = count()

    def epoch_of(batches: int) -> Callable[[], object]:
        split = random_split(recipe, batches * recipe.batch_size, execution, augment=True)
        steps = steps_of(network, optimiser, recipe, execution, split)

        def epoch() -> object:
            network.train()
            begun = EpochInProgress.begin(recipe, execution, len(split), next(epochs))
            return one_epoch(steps, begun)

        return epoch

    # A GPU records its steps after some of them; a single one on a CPU may take seconds.
    few = 1 if execution.device.type == "cpu" else 10
    few_steps = epoch_of(few)
    few_steps()  # chooses kernels and takes memory
    whole_epoch = math.ceil(DATASETS[recipe.dataset].n_train / recipe.batch_size)
    steps = min(whole_epoch, max(few, round(few * timing.STRETCH_SECONDS / timing.timed(few_steps, execution))))
    stretch = epoch_of(steps)
    stretch()
    return stretch, steps


def evaluation_block(network: "nn.Module", recipe: Recipe, execution: "Execution") -> tuple[Callable[[], object], int]:
    """Return work that evaluates so many examples, as training does along the way; it is warmed up."""
    from rethinking.training.evaluate import BLOCK, LARGE_BLOCK, evaluate

    examples = min(BLOCK.get(execution.device.type, LARGE_BLOCK), DATASETS[recipe.dataset].n_train)
    split = random_split(recipe, examples, execution, augment=False)

    def evaluation() -> object:
        return evaluate(network, split, precision=execution.autocast)

    evaluation()
    return evaluation, examples


def training_flops(network: "nn.Module", recipe: Recipe) -> int:
    """Return the floating-point operations that a training step takes for each image.

    Those of matrix products and convolutions, forward and backward, as torch counts them: a multiplication and its
    addition are two.
    """
    from torch.utils.flop_counter import FlopCounterMode

    device = next(network.parameters()).device
    images, _ = random_examples(recipe, recipe.batch_size)
    size = recipe.crop_size
    with FlopCounterMode(display=False) as counted:
        network(images[:, :, :size, :size].float().to(device)).sum().backward()
    for parameter in network.parameters():
        parameter.grad = None
    return int(counted.get_total_flops()) // recipe.batch_size


def matrix_product(execution: "Execution") -> tuple[Callable[[], object], int]:
    """Return work that multiplies large matrices in the precision of training, and its floating-point operations."""
    import torch

    size = 2048 if execution.device.type == "cpu" else 8192
    left, right = torch.randn(2, size, size, dtype=execution.dtype, device=execution.device)
    return lambda: float((left @ right)[0, 0]), 2 * size**3


def random_split(recipe: Recipe, examples: int, execution: "Execution", augment: bool) -> "DeviceImages":
    """Return random examples on the device, as training holds them."""
    from rethinking.data.images import DeviceImages

    images, labels = random_examples(recipe, examples)
    return DeviceImages(images.to(execution.device), labels.to(execution.device), recipe, augment)


def random_examples(recipe: Recipe, examples: int) -> "tuple[Tensor, Tensor]":
    """Return images (n, c, h, w) uint8 and labels (n,) int64, always the same ones."""
    import torch

    dataset, generator = DATASETS[recipe.dataset], torch.Generator().manual_seed(0)
    images = torch.randint(256, (examples, *dataset.image_shape), dtype=torch.uint8, generator=generator)
    return images, torch.randint(len(dataset.classes), (examples,), generator=generator)


def write_random_variant(data_root: Path, dataset: str) -> None:
    """Write a variant `true` of random images, in the shape and type of the data set's."""
    of, rng = DATASETS[dataset], np.random.default_rng(0)
    arrays = [
        drawn
        for size in (of.n_train, of.n_test)
        for drawn in (
            rng.integers(256, size=(size, *of.image_shape), dtype=np.uint8),
            rng.integers(len(of.classes), size=size, dtype=np.uint8),
        )
    ]
    described: dict[str, Any] = {"dataset": dataset, "corruption": "true", "seed": None, "source": {}}
    described["classes"] = list(of.classes)
    write_variant(data_root / dataset / "true", described, zip(ARRAYS, arrays, strict=True))


def peak_memory_bytes(execution: "Execution") -> int:
    """Return the most that this process has taken: of the GPU's memory, or of the machine's on a CPU."""
    if execution.device.type == "cuda":
        import torch

        return int(torch.cuda.max_memory_reserved(execution.device))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
