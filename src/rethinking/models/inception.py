"""The small Inception of Zhang et al. 2017, figure 3, with and without batch normalisation."""

import torch
from torch import Tensor, nn

from rethinking.models.initialisation import initialise


def convolution(inputs: int, outputs: int, kernel_size: int, stride: int, batch_norm: bool) -> nn.Sequential:
    """Return a conv module: convolution, batch normalisation, ReLU.

    Convolutions have biases and batch normalisation has no affine parameters: the only choice that gives the
    paper's count, and the reason why it prints the same count with and without batch normalisation.
    """
    normalisation = [nn.BatchNorm2d(outputs, affine=False)] if batch_norm else []
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size, stride, padding=kernel_size // 2), *normalisation, nn.ReLU()
    )


class Inception(nn.Module):
    """A 1x1 and a 3x3 conv module side by side: (n, inputs, h, w) -> (n, narrow + wide, h, w)."""

    def __init__(self, inputs: int, narrow: int, wide: int, batch_norm: bool) -> None:
        super().__init__()
        self.narrow = convolution(inputs, narrow, 1, 1, batch_norm)
        self.wide = convolution(inputs, wide, 3, 1, batch_norm)

    def forward(self, images: Tensor) -> Tensor:
        """Concatenate both modules' channels."""
        return torch.cat([self.narrow(images), self.wide(images)], dim=1)


class Downsample(nn.Module):
    """A strided 3x3 conv module beside a max pooling: (n, inputs, h, w) -> (n, inputs + outputs, h/2, w/2)."""

    def __init__(self, inputs: int, outputs: int, batch_norm: bool) -> None:
        super().__init__()
        self.convolution = convolution(inputs, outputs, 3, 2, batch_norm)
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """Concatenate both paths' channels."""
        return torch.cat([self.convolution(images), self.pool(images)], dim=1)


def build(
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    width: float,
    batch_norm: bool,
    initialisation: str,
    dropout: float = 0.0,
) -> nn.Sequential:
    """Return the network of figure 3: 28x28 -> 14x14 -> 7x7 -> mean over positions -> linear.

    With width 1 and three input channels: 1,649,402 parameters, with or without batch normalisation (Table 1).
    """
    layers: list[nn.Module] = []
    channels = image_shape[0]

    def scaled(size: int) -> int:
        return max(1, round(size * width))

    def inception(narrow: int, wide: int) -> None:
        nonlocal channels
        layers.append(Inception(channels, scaled(narrow), scaled(wide), batch_norm))
        channels = scaled(narrow) + scaled(wide)

    def downsample(outputs: int) -> None:
        nonlocal channels
        layers.append(Downsample(channels, scaled(outputs), batch_norm))
        channels += scaled(outputs)

    layers.append(convolution(channels, scaled(96), 3, 1, batch_norm))
    channels = scaled(96)
    inception(32, 32)
    inception(32, 48)
    downsample(80)
    inception(112, 48)
    inception(96, 64)
    inception(80, 80)
    inception(48, 96)
    downsample(96)
    inception(176, 160)
    inception(176, 160)
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if dropout:
        layers.append(nn.Dropout(dropout))
    network = nn.Sequential(*layers, nn.Linear(channels, classes))
    initialise(network, initialisation)
    return network
