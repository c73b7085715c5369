"""Architectures, one a file. A file's `build` makes the network; `params.yaml` gives each model its name and options.

There is no list to keep: `build("alexnet", ...)` is `rethinking.models.alexnet.build(...)`. So the code that a
cell depends on is found from its recipe, and a new architecture changes nothing for the others.
"""

import importlib

from torch import nn

from rethinking.recipe import Recipe


def build(recipe: Recipe, image_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Return the recipe's untrained network: (n, c, crop, crop) float32 images in, (n, classes) logits out.

    `image_shape` is (channels, height, width) of the network's input, after cropping. Weights are drawn from torch's
    global generator: seed it first.
    """
    options = dict(recipe.model)
    architecture = importlib.import_module(f"rethinking.models.{options.pop('architecture')}")
    network: nn.Module = architecture.build(image_shape, classes, dropout=recipe.dropout, **options)
    return network


def parameter_count(network: nn.Module) -> int:
    """Return the number of trainable weights and biases, as counted in Table 1 of Zhang et al. 2017."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
