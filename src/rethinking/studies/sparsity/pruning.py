"""Magnitude pruning (Han et al. 2015) with `torch.nn.utils.prune`: what of a network's weights stays, and where.

Weights are those of convolutional and linear layers; biases and batch normalisation are never pruned. A mask holds one
where a weight stays and zero where it was pruned, in the shape of the layer's weight.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from rethinking.studies.sparsity.vocabulary import GLOBAL, LAYER_WISE

Masks = Mapping[str, Tensor]
"""By the name of the layer, in the order of the network's modules."""


def layers(network: nn.Module) -> dict[str, nn.Conv2d | nn.Linear]:
    """Return the layers whose weights may be pruned, by name."""
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)}


def masks_of(network: nn.Module) -> dict[str, Tensor]:
    """Return each layer's mask: all ones where nothing was pruned."""
    return {
        name: dict(layer.named_buffers()).get("weight_mask", torch.ones_like(layer.weight)).clone()
        for name, layer in layers(network).items()
    }


def weights_left(masks: Masks) -> int:
    """Return how many weights stay."""
    return sum(int(mask.sum()) for mask in masks.values())


def weights(masks: Masks) -> int:
    """Return how many weights there were before pruning."""
    return sum(mask.numel() for mask in masks.values())


def prune_to(network: nn.Module, fraction_left: float, scope: str) -> None:
    """Mask the weights that are smallest in magnitude until `fraction_left` of all weights stay, to rounding.

    Weights that are masked already stay so: more than is left cannot be asked for, and is left as it is. "global" has
    one threshold for all layers; "layer-wise" leaves the same fraction of every layer, and no layer without a weight.
    """
    # torch's global pruning flattens weights as views, which channels_last ones do not allow.
    network.to(memory_format=torch.contiguous_format)
    masks = masks_of(network)
    # torch keeps the masked weights of the last forward pass, and ranks those: after a gradient step, or where weights
    # were loaded since, they are old. Masking anew brings them up to date.
    make_permanent(network)
    impose(network, masks)
    if scope == GLOBAL:
        amount = weights_left(masks) - max(1, round(fraction_left * weights(masks)))
        pairs = [(layer, "weight") for layer in layers(network).values()]
        prune.global_unstructured(pairs, pruning_method=prune.L1Unstructured, amount=max(0, amount))
    elif scope == LAYER_WISE:
        for name, layer in layers(network).items():
            amount = int(masks[name].sum()) - max(1, round(fraction_left * masks[name].numel()))
            prune.l1_unstructured(layer, "weight", amount=max(0, amount))  # type: ignore[no-untyped-call]
    else:
        raise ValueError(f"there is no scope '{scope}'")


def impose(network: nn.Module, masks: Masks) -> None:
    """Mask the weights of a network that has no masks yet."""
    for name, layer in layers(network).items():
        prune.custom_from_mask(layer, "weight", masks[name].to(layer.weight.device))  # type: ignore[no-untyped-call]


def make_permanent(network: nn.Module) -> None:
    """Turn masks into zeros among the weights: the network is an ordinary one again."""
    for layer in layers(network).values():
        if prune.is_pruned(layer):
            prune.remove(layer, "weight")  # type: ignore[no-untyped-call]


def shuffled(masks: Masks, generator: torch.Generator) -> dict[str, Tensor]:
    """Return masks that leave as many weights of each layer, in random places; drawn on the CPU."""
    found = {}
    for name, mask in masks.items():
        places = torch.randperm(mask.numel(), generator=generator)
        found[name] = mask.cpu().flatten()[places].view(mask.shape)
    return found
