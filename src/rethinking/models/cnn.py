"""The convolutional network of five layers of Nakkiran et al. 2019, appendix B."""

from torch import nn

from rethinking.models.initialisation import initialise

POOLS = (1, 2, 2)
"""Max pooling after the first three blocks: 32 -> 32 -> 16 -> 8 pixels, and the fourth pools what is left, 8 -> 1."""


def build(
    image_shape: tuple[int, int, int], classes: int, *, width: int, initialisation: str, dropout: float = 0.0
) -> nn.Sequential:
    """Return four blocks of convolution 3x3, batch normalisation and max pooling, and a linear layer.

    The blocks have `width`, 2, 4 and 8 times `width` channels: 1,557,066 parameters at width 64 with 3 input channels.
    Smaller images are pooled as far as they go.
    """
    inputs, height, breadth = image_shape
    layers: list[nn.Module] = []
    for factor, pool in zip((1, 2, 4), POOLS, strict=True):
        layers += _block(inputs, factor * width)
        if pool > 1 and min(height, breadth) >= pool:
            layers.append(nn.MaxPool2d(pool))
            height, breadth = height // pool, breadth // pool
        inputs = factor * width
    layers += [*_block(inputs, 8 * width), nn.MaxPool2d((height, breadth)), nn.Flatten()]
    network = nn.Sequential(*layers, *([nn.Dropout(dropout)] if dropout else []), nn.Linear(8 * width, classes))
    initialise(network, initialisation)
    return network


def _block(inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False),  # the normalisation has a bias of its own
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]
