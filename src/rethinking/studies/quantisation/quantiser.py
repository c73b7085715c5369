"""Uniform symmetric quantisation of weights, and its straight-through gradient for training while they are rounded.

A weight is stored as a whole number, its code, between -limit and limit = 2^(bits - 1) - 1, times a scale that all
weights of a row share: of a layer, or of one of its output channels. The scale puts the row's largest weight at the
limit, so that none is cut off. Two bits leave -1, 0 and 1.

The same grid as torchao's primitives for symmetric mapping, to which a test holds it: these take seconds to import, and
have no gradient.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn.utils import parametrize

from rethinking.studies.quantisation.vocabulary import PER_CHANNEL, PER_TENSOR

WEIGHT = "weight"


class Quantised(NamedTuple):
    """A weight as it is stored; both lie in rows: one a layer, or one an output channel."""

    codes: Tensor
    """(rows, weights of a row) int8."""
    scales: Tensor
    """(rows, 1) float32, positive."""

    def weight(self) -> Tensor:
        """Return what the codes stand for, (rows, weights of a row)."""
        return self.codes * self.scales


def limit(bits: int) -> int:
    """Return the largest code. Raises ValueError for less than 2 bits, which leave zero alone, and for more than 8."""
    if not 2 <= bits <= 8:
        raise ValueError(f"found {bits} bits, must be 2 to 8")
    return int(2 ** (bits - 1) - 1)


def rows(weight: Tensor, granularity: str) -> int:
    """Return how many scales a weight (outputs, ...) has."""
    if granularity not in (PER_TENSOR, PER_CHANNEL):
        raise ValueError(f"there is no granularity '{granularity}'")
    return len(weight) if granularity == PER_CHANNEL else 1


@torch.no_grad()
def quantise(weight: Tensor, bits: int, granularity: str) -> Quantised:
    """Return the nearest codes to a weight (outputs, ...) float32: no weight moves by more than half its scale."""
    flat = weight.reshape(rows(weight, granularity), -1)
    # A row of zeros has a scale, too.
    scales = (flat.abs().amax(dim=1, keepdim=True) / limit(bits)).clamp_min(torch.finfo(flat.dtype).smallest_normal)
    # Training that diverges leaves what is no number: it has no code.
    return Quantised((flat / scales).nan_to_num(0).round().to(torch.int8), scales)


class _StraightThrough(torch.autograd.Function):
    """Rounds in the forward pass; the gradient passes as if it had not (Bengio et al. 2013)."""

    @staticmethod
    def forward(ctx: FunctionCtx, weight: Tensor, bits: int, granularity: str) -> Tensor:
        return quantise(weight, bits, granularity).weight().view(weight.shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient, None, None


class Rounded(nn.Module):
    """A parametrisation of a weight: the layer computes with what is left after rounding, and trains what is not."""

    def __init__(self, bits: int, granularity: str) -> None:
        super().__init__()
        self.bits, self.granularity = bits, granularity

    def forward(self, weight: Tensor) -> Tensor:
        """Return the rounded weight, in the shape of `weight`."""
        rounded: Tensor = _StraightThrough.apply(weight, self.bits, self.granularity)
        return rounded


def layers(network: nn.Module) -> dict[str, nn.Conv2d | nn.Linear]:
    """Return the layers whose weights are quantised, by name: biases and batch normalisation stay as they are."""
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)}


def train_rounded(network: nn.Module, bits: int, granularity: str) -> None:
    """Let all layers compute with rounded weights from now on."""
    for layer in layers(network).values():
        parametrize.register_parametrization(layer, WEIGHT, Rounded(bits, granularity))


def make_permanent(network: nn.Module) -> None:
    """Leave the rounded weights as ordinary ones."""
    for layer in layers(network).values():
        if parametrize.is_parametrized(layer, WEIGHT):
            parametrize.remove_parametrizations(layer, WEIGHT, leave_parametrized=True)
