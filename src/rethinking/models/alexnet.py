"""The small AlexNet of Zhang et al. 2017, appendix A, in the dimensions of TensorFlow's CIFAR-10 tutorial."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from rethinking.models.initialisation import initialise


class ResponseNorm(nn.Module):
    """Local response normalisation over windows of 2 * radius + 1 channels, with TensorFlow's parameters.

    (n, c, h, w) -> (n, c, h, w): x / (1 + alpha * sum of squares in the window) ** 0.75. The window's sum is a product
    with a banded matrix: torch's own layer goes through a three-dimensional pooling and takes several times as long.
    """

    band: Tensor

    def __init__(self, channels: int, radius: int, alpha: float) -> None:
        super().__init__()
        position = torch.arange(channels)
        near = (position[:, None] - position[None, :]).abs() <= radius
        self.register_buffer("band", alpha * near.float()[:, :, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Normalise; always in float32, whose range the squares need."""
        with torch.autocast(images.device.type, enabled=False):
            values = images.float()
            scale = functional.conv2d(values * values, self.band).add(1).rsqrt()
            return values * scale * scale.sqrt()  # s**-0.75 = s**-0.5 * s**-0.25


def build(
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    width: float,
    initialisation: str,
    dropout: float = 0.0,
) -> nn.Sequential:
    """Return two modules of convolution 5x5, max pooling 3x3 and response normalisation, then three linear layers.

    At CIFAR-10 size (3, 28, 28) with width 1: 1,387,786 parameters (Table 1). The paper does not print the number
    of channels; 64 in both convolutions is the choice that gives exactly this count.
    """
    channels, height, breadth = image_shape
    filters, hidden_1, hidden_2 = (max(1, round(size * width)) for size in (64, 384, 192))

    def convolution(inputs: int) -> list[nn.Module]:
        return [
            nn.Conv2d(inputs, filters, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
            ResponseNorm(filters, radius=4, alpha=0.001 / 9),
        ]

    def linear(inputs: int, outputs: int) -> list[nn.Module]:
        return [nn.Linear(inputs, outputs), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]

    positions = math.ceil(height / 4) * math.ceil(breadth / 4)  # 28 -> 14 -> 7
    network = nn.Sequential(
        *convolution(channels),
        *convolution(filters),
        nn.Flatten(),
        *linear(filters * positions, hidden_1),
        *linear(hidden_1, hidden_2),
        nn.Linear(hidden_2, classes),
    )
    initialise(network, initialisation)
    return network
