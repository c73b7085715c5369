"""Evaluation, without augmentation: in float32, except that on the way it may be in the precision of training."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rethinking.data.images import DeviceImages
from rethinking.training.distributed import ALONE, Processes
from rethinking.training.losses import summed_loss

BLOCK = {"cpu": 512}
"""Examples at a time: a CPU is fastest, by a tenth to a third, where activations stay in its cache."""
LARGE_BLOCK = 4096
"""The same on other devices: Inception's activations at the paper's size still fit a small GPU."""

FLOAT32: AbstractContextManager[object] = nullcontext()


class Evaluation(NamedTuple):
    """Averages over a split."""

    loss: float
    """The recipe's: softmax cross-entropy, in nats, or squared error."""
    accuracy: float
    """Fraction of examples whose largest logit is at their label."""


@torch.no_grad()
def evaluate(
    network: nn.Module,
    split: DeviceImages,
    processes: Processes = ALONE,
    after_block: Callable[[], None] = lambda: None,
    precision: AbstractContextManager[object] = FLOAT32,
) -> Evaluation:
    """Return loss and accuracy of `network` in evaluation mode over all of `split`, of which each process takes a part.

    `after_block` is called after each block of examples, equally often in all processes. `precision` is the context in
    which the network computes.
    """
    was_training = network.training
    network.eval()
    loss = torch.zeros((), device=split.labels.device)
    correct = torch.zeros((), dtype=torch.int64, device=split.labels.device)
    block = BLOCK.get(split.labels.device.type, LARGE_BLOCK)
    part, longest = processes.part(len(split)), math.ceil(len(split) / processes.size)
    for start in range(part.start, part.start + longest, block):
        images, labels = split.batch(slice(start, min(start + block, part.stop)))
        with precision:
            logits = network(images).float()
        loss += summed_loss(split.recipe, logits, labels)
        correct += (logits.argmax(dim=1) == labels).sum()
        after_block()
    processes.add_up(loss)
    processes.add_up(correct)
    network.train(was_training)
    return Evaluation(loss.item() / len(split), correct.item() / len(split))


@torch.no_grad()
def outputs(network: nn.Module, split: DeviceImages) -> Tensor:
    """Return the outputs (n, classes), on the CPU, of `network` in evaluation mode for all of `split`."""
    was_training = network.training
    network.eval()
    block = BLOCK.get(split.labels.device.type, LARGE_BLOCK)
    found = [network(split.batch(slice(start, start + block))[0]).cpu() for start in range(0, len(split), block)]
    network.train(was_training)
    return torch.cat(found)
