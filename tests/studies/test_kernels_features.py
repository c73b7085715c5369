"""Gabor features and random convolutional features, on images whose features are known."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rethinking.studies.kernels.convolutions import (
    Patches,
    drawn_filters,
    fitted_patches,
    responses,
    sampled_patches,
    unfolded,
)
from rethinking.studies.kernels.gabor import gabor_bank, gabor_features


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def grating(wavelength: float, degrees: float, phase: float = 0.0, side: int = 40) -> Tensor:
    """A plane wave (1, 1, side, side) between 0 and 1 that runs along `degrees`."""
    rows, columns = torch.meshgrid(*[torch.arange(side, dtype=torch.float64)] * 2, indexing="ij")
    angle = math.radians(degrees)
    wave = torch.cos(2 * math.pi / wavelength * (columns * math.cos(angle) + rows * math.sin(angle)) + phase)
    return (0.5 + 0.5 * wave).float()[None, None]


def central(images: Tensor, wavelengths: list[float], orientations: int = 4) -> Tensor:
    """Responses in the middle of an image, (wavelengths, orientations)."""
    found = gabor_features(images, wavelengths, orientations, pool=8, stride=16)
    return found.view(len(wavelengths), orientations, -1)[
        :, :, found.shape[1] // (len(wavelengths) * orientations) // 2
    ]


# --- Gabor ---


def test_wavelets_have_length_one_and_do_not_see_a_plain_area() -> None:
    bank = gabor_bank([3.0, 6.0], 8)
    assert bank.shape[:3] == (2, 16, 1)
    assert bank.square().sum(dim=(2, 3, 4)).numpy() == pytest.approx(np.ones((2, 16)), abs=1e-5)
    assert bank.sum(dim=(2, 3, 4)).abs().max() < 1e-5


@pytest.mark.parametrize("wavelength", [4.0, 8.0])
@pytest.mark.parametrize("degrees", [0.0, 45.0, 90.0, 135.0])
def test_the_wavelet_of_its_own_length_and_direction_responds_most(wavelength: float, degrees: float) -> None:
    found = central(grating(wavelength, degrees), [4.0, 8.0])
    best = divmod(int(found.argmax()), 4)
    assert best == ([4.0, 8.0].index(wavelength), int(degrees // 45))


def test_the_response_does_not_depend_on_the_phase() -> None:
    found = [float(central(grating(6.0, 0.0, phase), [6.0])[0, 0]) for phase in (0.0, 0.7, 1.6, 3.0)]
    assert found == pytest.approx([found[0]] * 4, rel=0.02)


def test_a_shift_moves_gabor_features_less_than_pixels() -> None:
    image = torch.zeros(1, 1, 28, 28)
    image[..., 8:20, 13:15] = 1.0
    shifted = image.roll(1, dims=3)

    def moved(first: Tensor, second: Tensor) -> float:
        return float((first - second).norm() / first.norm())

    features = [gabor_features(each, [5.0, 8.0], 8, 4, 4) for each in (image, shifted)]
    assert moved(*features) < 0.7 * moved(image, shifted)


def test_features_do_not_depend_on_the_images_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.rand(7, 3, 12, 12, generator=generator())
    whole = gabor_features(images, [3.0], 2, 3, 3)
    monkeypatch.setattr("rethinking.studies.kernels.gabor.BLOCK", 2)
    assert whole.shape == (7, 2 * 16)
    assert torch.allclose(gabor_features(images, [3.0], 2, 3, 3), whole, atol=1e-6)


# --- random filters ---


def test_patches_have_equal_brightness_and_contrast() -> None:
    images = torch.randint(0, 256, (3, 2, 6, 7), generator=generator()).float()
    found = unfolded(images, 3, contrast=10.0)
    assert found.shape == (3, 4 * 5, 2 * 9)
    assert found.mean(dim=2).abs().max() < 1e-5
    cut = images[1, :, 2:5, 3:6].flatten()  # the patch in row 2 and column 3
    expected = (cut - cut.mean()) / (cut.var(correction=0) + 10.0).sqrt()
    assert torch.allclose(found[1, 2 * 5 + 3], expected, atol=1e-5)


def test_a_plain_patch_is_nothing() -> None:
    assert unfolded(torch.full((1, 1, 4, 4), 77.0), 3, contrast=10.0).abs().max() == 0


def test_sampled_patches_are_of_the_images_and_a_seeds() -> None:
    images = torch.randint(0, 256, (5, 1, 8, 8), generator=generator(), dtype=torch.uint8)
    first, second, other = (sampled_patches(images, 3, 10.0, 50, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    every = unfolded(images.float(), 3, 10.0).flatten(0, 1)
    assert torch.cdist(first.double(), every.double()).min(dim=1).values.max() < 1e-3


def test_whitening_gives_patches_the_identity_as_covariance() -> None:
    mixed = torch.randn(4000, 6, generator=generator()) @ torch.randn(6, 6, generator=generator(1)) + 3.0
    prepared = fitted_patches(mixed, 1e-9)
    white = (mixed - prepared.mean) @ prepared.whitening
    assert torch.cov(white.T).numpy() == pytest.approx(np.eye(6), abs=1e-3)
    assert torch.allclose(prepared.whitening, prepared.whitening.T, atol=1e-5), "ZCA turns back"
    none = fitted_patches(mixed, None)
    assert torch.equal((mixed - none.mean) @ none.whitening, mixed)


@pytest.mark.parametrize("drawn_from", ["patches", "gaussian"])
def test_filters_have_length_one(drawn_from: str) -> None:
    sample = torch.randn(40, 6, generator=generator())
    prepared = fitted_patches(sample, 0.1)
    found = drawn_filters(9, drawn_from, sample, prepared, generator(3))
    assert found.norm(dim=1).tolist() == pytest.approx([1.0] * 9)
    white = (sample - prepared.mean) @ prepared.whitening
    directions = functional.normalize(white, dim=1) @ found.T
    assert bool((directions.max(dim=0).values > 1 - 1e-5).all()) == (drawn_from == "patches")


def test_responses_are_those_of_a_convolution() -> None:
    """Without whitening, the response to a patch is a convolution's, up to the patch's brightness and contrast."""
    images = torch.randint(0, 256, (3, 2, 7, 7), generator=generator()).float()
    filters = torch.randn(4, 2 * 3 * 3, generator=generator(1))
    settings: dict[str, Any] = {"patch": 3, "contrast": 10.0, "threshold": 0.25, "regions": 1}
    found = responses(images, filters, fitted_patches(filters, None), **settings).view(3, 2, 4)
    patches = functional.unfold(images, 3)
    mean, deviation = patches.mean(dim=1), (patches.var(dim=1, correction=0) + 10.0).sqrt()
    plain = functional.conv2d(images, filters.view(4, 2, 3, 3)).flatten(2)
    response = (plain - filters.sum(dim=1)[:, None] * mean[:, None]) / deviation[:, None]
    for number, sign in enumerate((1, -1)):
        expected = torch.relu(sign * response - 0.25).mean(dim=2)
        assert torch.allclose(found[:, number], expected, atol=1e-4)


def test_responses_are_averaged_over_the_parts_of_the_image() -> None:
    """Something in the upper left corner is seen by the features of that part alone."""
    image = torch.zeros(1, 1, 9, 9)
    image[..., :2, :2] = 255.0
    prepared = fitted_patches(torch.randn(5, 4, generator=generator()), None)
    filters = torch.randn(3, 4, generator=generator(1))
    found = responses(image, filters, prepared, patch=2, contrast=10.0, threshold=0.0, regions=2).view(2, 3, 2, 2)
    assert found[:, :, 0, 0].sum() > 0
    assert found.flatten(2)[:, :, 1:].abs().max() == 0


def test_features_are_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.randint(0, 256, (11, 3, 8, 8), generator=generator(), dtype=torch.uint8)
    sample = sampled_patches(images, 3, 10.0, 100, generator())
    prepared: Patches = fitted_patches(sample, 0.1)
    filters = drawn_filters(6, "patches", sample, prepared, generator())
    settings: dict[str, Any] = {"patch": 3, "contrast": 10.0, "threshold": 0.25, "regions": 2}
    whole = responses(images, filters, prepared, **settings)
    assert whole.shape == (11, 2 * 6 * 4)
    assert whole.min() == 0
    monkeypatch.setattr("rethinking.studies.kernels.convolutions.PATCHES_AT_ONCE", 80)
    assert torch.allclose(responses(images, filters, prepared, **settings), whole, atol=1e-5)
