"""Initial weights. The paper does not state its own; `params.yaml` says which of these each model uses."""

from torch import nn

SCHEMES = ("glorot", "he", "truncated-normal", "torch")


def initialise(network: nn.Module, scheme: str) -> None:
    """Draw the weights of all convolutional and linear layers from torch's global generator, in module order.

    - "torch": what the layers drew when they were made (uniform, +-1/sqrt(fan in), biases too); nothing is changed.
    - "he": normal, variance 2 / fan in (He et al. 2015); biases 0.
    - "glorot": uniform, variance 2 / (fan in + fan out) (Glorot & Bengio 2010); biases 0. TensorFlow's default.
    - "truncated-normal": TensorFlow's CIFAR-10 tutorial: cut at two standard deviations, which are 0.05 for
      convolutions, 0.04 for hidden linear layers and 1/192 for the last; biases 0 for the first convolution and
      the last layer, 0.1 between.
    """
    if scheme == "torch":
        return
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    for position, layer in enumerate(layers):
        bias = 0.0
        match scheme:
            case "he":
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            case "glorot":
                nn.init.xavier_uniform_(layer.weight)
            case "truncated-normal":
                last = position == len(layers) - 1
                std = 1 / 192 if last else 0.05 if isinstance(layer, nn.Conv2d) else 0.04
                nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)
                bias = 0.0 if last or (position == 0 and isinstance(layer, nn.Conv2d)) else 0.1
            case _:
                raise ValueError(f"unknown initialisation {scheme!r}, must be one of {SCHEMES}")
        if layer.bias is not None:
            nn.init.constant_(layer.bias, bias)
