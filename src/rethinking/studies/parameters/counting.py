"""Experiment: building networks at their published size, and counting their parameters."""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from rethinking.experiments.records import Row
from rethinking.models import alexnet, inception, mlp, parameter_count
from rethinking.studies.parameters.wide_resnet import wide_resnet

if TYPE_CHECKING:
    from rethinking.experiments.laboratory import Laboratory

CIFAR10_CHANNELS, CIFAR10_CROP, CIFAR10_CLASSES = 3, 28, 10

PAPERS = {"alexnet": alexnet, "inception": inception, "mlp": mlp}


def run(laboratory: "Laboratory") -> list[Row]:
    """Return a row a network: its parameters, and the running means and variances of its batch normalisation."""
    return [counted(network) for network in laboratory.settings["networks"]]


def counted(network: dict[str, Any]) -> Row:
    """Return the row of one network, which is described as `catalogue.Network.settings` does."""
    built = build(network["builder"], dict(network["options"]))
    return {
        "network": network["network"],
        "parameters": parameter_count(built),
        "running_statistics": running_statistics(built),
    }


def build(builder: str, options: dict[str, Any]) -> nn.Module:
    """Return an untrained network at the size of its data set. Raises ValueError if nothing builds it.

    Large ones take no memory: they lie on torch's meta device, which has shapes and no values.
    """
    match builder:
        case "paper":
            architecture = PAPERS[options.pop("architecture")]
            shape = (CIFAR10_CHANNELS, CIFAR10_CROP, CIFAR10_CROP)
            built: nn.Module = architecture.build(shape, CIFAR10_CLASSES, initialisation="torch", **options)
            return built
        case "wide-resnet":
            with torch.device("meta"):
                return wide_resnet(options["depth"], options["factor"], CIFAR10_CHANNELS, CIFAR10_CLASSES)
        case "torchvision":
            return _torchvision(options.pop("name"), options)
    raise ValueError(f"builder: found {builder!r}, must be paper, wide-resnet or torchvision")


def running_statistics(network: nn.Module) -> int:
    """Return how many running means and variances a network has, one of each for every normalised channel."""
    return sum(
        buffer.numel()
        for name, buffer in network.named_buffers()
        if name.rpartition(".")[2] in ("running_mean", "running_var")
    )


def _torchvision(name: str, options: dict[str, Any]) -> nn.Module:
    from torchvision import models  # slow to import

    if name == "inception_v3":
        options["init_weights"] = False  # as it will not be trained; else torchvision warns that this takes long
    with torch.device("meta"):
        network: nn.Module = models.get_model(name, weights=None, **options)
    return network
