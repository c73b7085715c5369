"""Gabor features: how strongly an image has waves of some lengths and directions, here and there.

A Gabor wavelet is a plane wave under a Gaussian window. The length of its complex response does not depend on the
wave's phase, so that it changes little when a stroke moves a little (Daugman 1985); the paper states no parameters.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

WINDOW = 0.56
"""Standard deviation of the window in wavelengths: a bandwidth of one octave."""
BLOCK = 1000
"""Images at a time."""


def gabor_bank(wavelengths: Sequence[float], orientations: int) -> Tensor:
    """Return wavelets (2, F, 1, side, side) float32: even and odd, for each wavelength in pixels each orientation.

    Orientations divide half a turn evenly. Each wavelet has length 1, and an even one mean 0: a plain area has no
    response.
    """
    half = math.ceil(2.5 * WINDOW * max(wavelengths))
    rows, columns = torch.meshgrid(
        *[torch.arange(-half, half + 1, dtype=torch.float64) for _ in range(2)], indexing="ij"
    )
    even: list[Tensor] = []
    odd: list[Tensor] = []
    for wavelength in wavelengths:
        window = torch.exp(-(rows.square() + columns.square()) / (2 * (WINDOW * wavelength) ** 2))
        for number in range(orientations):
            angle = math.pi * number / orientations
            phase = 2 * math.pi / wavelength * (columns * math.cos(angle) + rows * math.sin(angle))
            cosine = phase.cos() - (window * phase.cos()).sum() / window.sum()
            for waves, wave in ((even, cosine), (odd, phase.sin())):
                wavelet = window * wave
                waves.append(wavelet / wavelet.norm())
    return torch.stack([torch.stack(even), torch.stack(odd)])[:, :, None].float()


def gabor_features(images: Tensor, wavelengths: Sequence[float], orientations: int, pool: int, stride: int) -> Tensor:
    """Return the pooled lengths of responses (n, F * places) float32 to images (n, c, h, w) of 0..1.

    Colours are averaged. Responses are as large as the image, black around it; they are averaged over squares of `pool`
    pixels, `stride` pixels apart.
    """
    even, odd = (wavelets.to(images.device) for wavelets in gabor_bank(wavelengths, orientations))
    found = []
    for block in torch.split(images.mean(dim=1, keepdim=True), BLOCK):
        responses = [functional.conv2d(block, wavelets, padding="same") for wavelets in (even, odd)]
        length = torch.hypot(*responses)
        found.append(functional.avg_pool2d(length, pool, stride).flatten(1))
    return torch.cat(found)
