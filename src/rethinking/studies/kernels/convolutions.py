"""Features of one convolutional layer whose filters are drawn at random (Coates & Ng 2012; Zhang et al. 2017).

Patches are brought to equal brightness and contrast, and whitened; a filter's response to them, of either sign, passes
a threshold and is averaged over each part of the image. A filter gives 2 * regions^2 features.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from rethinking.studies.kernels.gram import parts

PATCHES_AT_ONCE = 100_000
"""Patches whose responses are in memory at a time, and from which the whitening is computed."""


class Patches(NamedTuple):
    """How a patch is prepared: p -> (p / contrast - mean) @ whitening."""

    mean: Tensor
    """(values,)"""
    whitening: Tensor
    """(values, values)"""


def unfolded(images: Tensor, patch: int, contrast: float) -> Tensor:
    """Return all patches (n, places, values) of images (n, c, h, w) of 0..255, with equal brightness and contrast.

    (p - mean) / sqrt(variance + contrast), of the patch's own values.
    """
    found = functional.unfold(images, patch).transpose(1, 2)
    centred = found - found.mean(dim=2, keepdim=True)
    return centred / (centred.square().mean(dim=2, keepdim=True) + contrast).sqrt()


def sampled_patches(images: Tensor, patch: int, contrast: float, count: int, generator: torch.Generator) -> Tensor:
    """Return `count` patches (count, values) at random places of random images (n, c, h, w) of 0..255."""
    # On the CPU, so that a seed is the same patches on every device.
    chosen, top, left = (
        torch.randint(limit, (count, 1, 1, 1), generator=generator)
        for limit in (len(images), images.shape[2] - patch + 1, images.shape[3] - patch + 1)
    )
    window, channels = torch.arange(patch), torch.arange(images.shape[1])[:, None, None]
    cut = images[chosen, channels, top + window[:, None], left + window]
    return unfolded(cut.float(), patch, contrast)[:, 0]


def fitted_patches(sample: Tensor, whitening: float | None) -> Patches:
    """Return how patches are prepared, from a sample (count, values): ZCA whitening, or none at all.

    ZCA turns to the principal axes, divides by sqrt(eigenvalue + whitening), and turns back.
    """
    values = sample.shape[1]
    if whitening is None:
        return Patches(sample.new_zeros(values), torch.eye(values, dtype=sample.dtype, device=sample.device))
    mean = sample.mean(dim=0)
    eigenvalues, axes = torch.linalg.eigh(torch.cov((sample - mean).double().T))
    matrix = axes @ torch.diag((eigenvalues.clamp(min=0) + whitening).rsqrt()) @ axes.T
    return Patches(mean, matrix.to(sample.dtype))


def drawn_filters(count: int, drawn_from: str, sample: Tensor, prepared: Patches, generator: torch.Generator) -> Tensor:
    """Return filters (count, values) of length 1: prepared patches of the sample, or normal numbers."""
    if drawn_from == "patches":
        chosen = torch.randint(len(sample), (count,), generator=generator)
        found = (sample[chosen] - prepared.mean) @ prepared.whitening
    else:
        found = torch.randn(count, sample.shape[1], generator=generator)
    lengths: Tensor = found.norm(dim=1, keepdim=True)
    return found / lengths.clamp(min=1e-12)


def responses(
    images: Tensor, filters: Tensor, prepared: Patches, patch: int, contrast: float, threshold: float, regions: int
) -> Tensor:
    """Return features (n, 2 * F * regions^2) float32 of images (n, c, h, w) of 0..255: max(0, +-response - threshold).

    All tensors are on one device. Parts of the image are those of adaptive pooling.
    """
    height, width = images.shape[2] - patch + 1, images.shape[3] - patch + 1
    found = []
    for block in parts(len(images), max(1, PATCHES_AT_ONCE // (height * width))):
        patches = unfolded(images[block].float(), patch, contrast)
        response = ((patches - prepared.mean) @ prepared.whitening) @ filters.T
        maps = response.transpose(1, 2).reshape(len(patches), len(filters), height, width)
        pooled = [
            functional.adaptive_avg_pool2d((sign * maps - threshold).clamp_(min=0), regions).flatten(1)
            for sign in (1, -1)
        ]
        found.append(torch.cat(pooled, dim=1))
    return torch.cat(found)
