"""Evaluation, always in float32 and without augmentation."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from rethinking.data.images import DeviceImages

BLOCK = {"cpu": 512}
"""Examples at a time: a CPU is fastest, by a tenth to a third, where activations stay in its cache."""
LARGE_BLOCK = 4096
"""The same on other devices: Inception's activations at the paper's size still fit a small GPU."""


class Evaluation(NamedTuple):
    """Averages over a split."""

    loss: float
    """Softmax cross-entropy, in nats."""
    accuracy: float
    """Fraction of examples whose largest logit is at their label."""


@torch.no_grad()
def evaluate(network: nn.Module, split: DeviceImages) -> Evaluation:
    """Return loss and accuracy of `network` in evaluation mode over all of `split`."""
    was_training = network.training
    network.eval()
    loss = torch.zeros((), device=split.labels.device)
    correct = torch.zeros((), dtype=torch.int64, device=split.labels.device)
    block = BLOCK.get(split.labels.device.type, LARGE_BLOCK)
    for start in range(0, len(split), block):
        images, labels = split.batch(slice(start, start + block))
        logits = network(images)
        loss += functional.cross_entropy(logits, labels, reduction="sum")
        correct += (logits.argmax(dim=1) == labels).sum()
    network.train(was_training)
    return Evaluation(loss.item() / len(split), correct.item() / len(split))
