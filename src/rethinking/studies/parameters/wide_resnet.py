"""Wide residual networks for images of 32x32 pixels (Zagoruyko & Komodakis 2016, Table 1)."""

from torch import nn

from rethinking.models.resnet import Block

FIRST_CHANNELS, STAGES = 16, 3


def wide_resnet(depth: int, factor: int, channels: int, classes: int) -> nn.Sequential:
    """Return WRN-`depth`-`factor`: (n, channels, h, w) images in, (n, classes) logits out.

    Three stages of (depth - 4) / 6 blocks with 16, 32 and 64 times `factor` channels, activation before convolution.
    With 3 channels and 10 classes WRN-28-10 has 36,479,194 parameters. Raises ValueError for a depth that is not
    6 n + 4.
    """
    blocks, rest = divmod(depth - 4, 2 * STAGES)
    if rest or blocks < 1:
        raise ValueError(f"depth: found {depth}, must be 6 n + 4")
    layers: list[nn.Module] = [nn.Conv2d(channels, FIRST_CHANNELS, 3, padding=1, bias=False)]
    inputs = FIRST_CHANNELS
    for stage in range(STAGES):
        outputs = FIRST_CHANNELS * factor * 2**stage
        for number in range(blocks):
            layers.append(Block(inputs, outputs, stride=2 if stage and not number else 1, pre_activation=True))
            inputs = outputs
    layers += [nn.BatchNorm2d(inputs), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(inputs, classes))
