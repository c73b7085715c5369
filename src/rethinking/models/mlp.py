"""Multilayer perceptrons of Zhang et al. 2017, appendix A: hidden layers of 512 rectified linear units."""

import math

from torch import nn

from rethinking.models.initialisation import initialise


def build(
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    depth: int,
    width: int,
    initialisation: str,
    dropout: float = 0.0,
) -> nn.Sequential:
    """Return `depth` hidden layers of `width` units and a linear output.

    At CIFAR-10 size (3, 28, 28) with width 512: 1,209,866 parameters at depth 1, 1,735,178 at depth 3 (Table 1).
    """
    layers: list[nn.Module] = [nn.Flatten()]
    inputs = math.prod(image_shape)
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
        inputs = width
    network = nn.Sequential(*layers, nn.Linear(inputs, classes))
    initialise(network, initialisation)
    return network
