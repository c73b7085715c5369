"""Stochastic gradient descent and its schedule (Zhang et al. 2017, appendix A)."""

import torch
from torch import nn

from rethinking.recipe import Recipe


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """Return the learning rate of an epoch, counted from 0: initial rate times decay ** epoch."""
    return recipe.initial_learning_rate * recipe.learning_rate_decay**epoch


def sgd(network: nn.Module, recipe: Recipe) -> torch.optim.SGD:
    """Return SGD with momentum, decaying the weights (never the biases) of the layers that the recipe names.

    The coefficient multiplies the weights in the gradient: a penalty of weight_decay/2 * |w|^2.
    """
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for layer in network.modules():
        chosen = recipe.weight_decay_layers == "all" or isinstance(layer, nn.Linear)
        for name, parameter in layer.named_parameters(recurse=False):
            (decayed if chosen and name == "weight" else free).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=learning_rate(recipe, 0),
        momentum=recipe.momentum,
        fused=True,
    )
