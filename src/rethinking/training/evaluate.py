"""Evaluation, always in float32 and without augmentation."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from rethinking.data.images import DeviceImages

BLOCK = 4096
"""Examples at a time: as fast as any larger on a CPU, and Inception's activations fit a small GPU."""


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
    for start in range(0, len(split), BLOCK):
        images, labels = split.batch(slice(start, start + BLOCK))
        logits = network(images)
        loss += functional.cross_entropy(logits, labels, reduction="sum")
        correct += (logits.argmax(dim=1) == labels).sum()
    network.train(was_training)
    return Evaluation(loss.item() / len(split), correct.item() / len(split))
