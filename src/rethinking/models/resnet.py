"""Residual networks for small images (He et al. 2016), at any width.

Nakkiran et al. 2019 train 18 layers with the activation before each convolution, Yang et al. 2020 34 layers with the
activation after it.
"""

from torch import Tensor, nn
from torch.nn import functional

from rethinking.models.initialisation import initialise

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
"""Blocks of two convolutions in each stage, by depth."""


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut: (n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""

    def __init__(self, inputs: int, outputs: int, stride: int, pre_activation: bool) -> None:
        super().__init__()
        self.pre_activation = pre_activation
        self.norm1 = nn.BatchNorm2d(inputs if pre_activation else outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut: nn.Module | None = None
        if stride > 1 or inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = projection if pre_activation else nn.Sequential(projection, nn.BatchNorm2d(outputs))

    def forward(self, images: Tensor) -> Tensor:
        """Add the convolutions' result to what the shortcut brings."""
        if self.pre_activation:
            active = functional.relu(self.norm1(images))
            beside: Tensor = images if self.shortcut is None else self.shortcut(active)
            changed: Tensor = self.conv2(functional.relu(self.norm2(self.conv1(active))))
            return changed + beside
        beside = images if self.shortcut is None else self.shortcut(images)
        changed = self.norm2(self.conv2(functional.relu(self.norm1(self.conv1(images)))))
        return functional.relu(changed + beside)


def build(
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    depth: int,
    width: int,
    pre_activation: bool,
    initialisation: str,
    dropout: float = 0.0,
) -> nn.Sequential:
    """Return a residual network whose four stages have `width`, 2, 4 and 8 times `width` channels.

    With 3 input channels and width 64: 11,171,146 parameters at depth 18 with `pre_activation`, 21,282,122 at depth 34
    without.
    """
    layers: list[nn.Module] = [nn.Conv2d(image_shape[0], width, 3, padding=1, bias=False)]
    if not pre_activation:
        layers += [nn.BatchNorm2d(width), nn.ReLU()]
    inputs = width
    for stage, blocks in enumerate(BLOCKS[depth]):
        for number in range(blocks):
            outputs, stride = width * 2**stage, 2 if stage and not number else 1
            layers.append(Block(inputs, outputs, stride, pre_activation))
            inputs = outputs
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), *([nn.Dropout(dropout)] if dropout else [])]
    network = nn.Sequential(*layers, nn.Linear(inputs, classes))
    initialise(network, initialisation)
    return network
