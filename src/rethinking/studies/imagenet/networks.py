"""Torchvision's networks, with dropout where the study wants it."""

from typing import Any

from torch import Tensor, nn
from torchvision import models

AUXILIARY: dict[str, dict[str, Any]] = {"inception_v3": {"aux_logits": True, "init_weights": True}}
"""What an architecture is asked for beside the number of classes."""


def build(architecture: str, classes: int, dropout: float) -> nn.Module:
    """Return an untrained network that drops so many of the inputs of its last layer in training.

    Inception V3 and AlexNet have such layers, and the probability becomes that of all of them; the others get one.
    Weights are drawn from torch's global generator.
    """
    network: nn.Module = models.get_model(
        architecture, weights=None, num_classes=classes, **AUXILIARY.get(architecture, {})
    )
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Dropout)]
    for layer in layers:
        layer.p = dropout
    if not layers:
        name, last = [(name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.Linear)][-1]
        network.set_submodule(name, nn.Sequential(nn.Dropout(dropout), last))
    return network


def outputs(network: nn.Module, images: Tensor) -> list[Tensor]:
    """Return outputs (n, classes) for images: the network's, then those of classifiers that only training has."""
    found = network(images)
    return list(found) if isinstance(found, tuple) else [found]


def decayed_and_free(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the weights of convolutions and linear layers, which weight decay is on, and all other parameters."""
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for layer in network.modules():
        for name, parameter in layer.named_parameters(recurse=False):
            weight = name == "weight" and isinstance(layer, nn.Conv2d | nn.Linear)
            (decayed if weight else free).append(parameter)
    return decayed, free
