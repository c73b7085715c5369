"""How stored images become what a network sees: scaled, cropped, augmented, whitened."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage, stats
from torch import Tensor

from rethinking.cells import Cell
from rethinking.data.images import (
    DeviceImages,
    Part,
    center_crop,
    flip_and_rotate,
    is_augmented,
    random_crop,
    whiten,
)
from rethinking.params_file import load_params
from rethinking.recipe import Recipe

REGULARIZERS = ("none", "crop", "wd", "crop+wd", "dropout", "flip+rotate", "crop+flip")
PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "paper")


def recipe(regularizer: str = "none") -> Recipe:
    return PARAMS.recipe(Cell("cifar10", "mlp-1x512", "true", regularizer, 0))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stored(count: int = 6, size: int = 32) -> Tensor:
    return torch.randint(256, (count, 3, size, size), generator=generator(9), dtype=torch.uint8)


def coordinates(count: int, size: int = 32) -> Tensor:
    """Images (count, 2, size, size) whose pixels hold their row and their column."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return torch.stack([rows, columns]).expand(count, 2, size, size).contiguous()


# --- whitening ---


def standardised_by_tensorflow(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """`tf.image.per_image_standardization` as TensorFlow documents it: (x - mean) / max(stddev, 1/sqrt(N))."""
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    std = images.std(axis=(1, 2, 3), keepdims=True)
    result: NDArray[np.float64] = (images - mean) / np.maximum(std, 1 / np.sqrt(images[0].size))
    return result


@pytest.mark.parametrize("shape", [(3, 28, 28), (1, 28, 28), (1, 7, 7)])
@pytest.mark.parametrize("contrast", [1.0, 0.3, 0.01, 0.0])
def test_whitening_is_tensorflows(shape: tuple[int, int, int], contrast: float) -> None:
    """At contrast 0.01 the deviation is below the floor, which then divides."""
    images = 0.4 + contrast * (np.random.default_rng(0).random((5, *shape)) - 0.5)
    found = whiten(torch.from_numpy(images).float()).numpy()
    np.testing.assert_allclose(found, standardised_by_tensorflow(images), atol=1e-4)


def test_a_whitened_image_has_mean_zero_and_population_deviation_one() -> None:
    white = whiten(stored().float() / 255).double().flatten(1)
    torch.testing.assert_close(white.mean(dim=1), torch.zeros(6, dtype=torch.float64), rtol=0, atol=1e-6)
    torch.testing.assert_close(white.std(dim=1, correction=0), torch.ones(6, dtype=torch.float64), rtol=0, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_constant_image_becomes_zeros(value: float) -> None:
    white = whiten(torch.full((2, 3, 28, 28), value))
    assert white.isfinite().all()
    assert white.abs().max() < 1e-4


def test_an_image_is_whitened_on_its_own_and_over_all_its_channels() -> None:
    images = stored().float() / 255
    images[:, 0] += 1  # a channel of its own mean keeps it
    white = whiten(images)
    torch.testing.assert_close(white[2:3], whiten(images[2:3]))
    assert (white[:, 0].mean(dim=(1, 2)) > 0.5).all()


def test_contrast_and_brightness_are_whitened_away() -> None:
    images = stored().float() / 255
    torch.testing.assert_close(whiten(0.3 * images + 0.2), whiten(images), rtol=1e-4, atol=1e-4)


# --- cropping ---


def test_the_central_28_of_32_pixels_begin_at_the_third() -> None:
    cropped = center_crop(coordinates(1), 28)
    assert torch.equal(cropped, coordinates(1)[:, :, 2:30, 2:30])


def test_a_crop_of_the_full_size_is_the_image() -> None:
    images = stored()
    assert torch.equal(center_crop(images, 32), images)
    assert torch.equal(random_crop(images, 32, generator()), images)


def offsets(count: int, seed: int) -> Tensor:
    """Draw crops and return each one's (row, column) of origin; every crop is checked to be a true window."""
    cropped = random_crop(coordinates(count), 28, generator(seed))
    assert cropped.shape == (count, 2, 28, 28)
    origin = cropped[:, :, :1, :1]
    assert torch.equal(cropped - origin, coordinates(count, 28))
    return origin.view(count, 2)


def test_random_crops_are_windows_at_each_of_the_25_places_equally_often() -> None:
    rows, columns = offsets(10_000, seed=1).T
    counts = torch.bincount(5 * rows + columns, minlength=25)
    assert len(counts) == 25
    assert stats.chisquare(counts.numpy()).pvalue > 1e-4


def test_images_of_a_batch_are_cropped_independently() -> None:
    """Neighbours agree in row and column one time in twenty-five, as independent draws do."""
    drawn = offsets(10_000, seed=2)
    agree = (drawn[1:] == drawn[:-1]).all(dim=1).double().mean().item()
    assert agree == pytest.approx(0.04, abs=4 * np.sqrt(0.04 * 0.96 / 10_000))


def test_the_seed_draws_the_crops() -> None:
    first, again, other = (random_crop(stored(50), 28, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_all_channels_of_an_image_are_cropped_alike() -> None:
    images = stored()[:, :1].expand(-1, 3, -1, -1)
    cropped = random_crop(images, 28, generator())
    assert torch.equal(cropped[:, 0], cropped[:, 1])
    assert torch.equal(cropped[:, 0], cropped[:, 2])


# --- flips and rotations ---


def blob(count: int, row: float = 0.0, column: float = 8.0, size: int = 33) -> Tensor:
    """Smooth spots (count, 1, size, size) at a place measured from the centre, in pixels."""
    axis = torch.arange(size) - (size - 1) / 2
    rows, columns = axis[:, None] - row, axis[None, :] - column
    return torch.exp(-(rows**2 + columns**2) / 8).expand(count, 1, size, size).contiguous()


def place(images: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the spots' (rows, columns) measured from the centre."""
    size = images.shape[2]
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    weights = images[:, 0].double() / images[:, 0].double().sum(dim=(1, 2), keepdim=True)
    rows = (weights * axis[:, None]).sum(dim=(1, 2))
    columns = (weights * axis[None, :]).sum(dim=(1, 2))
    return rows.numpy(), columns.numpy()


def test_without_rotation_an_image_or_its_mirror_image_is_left() -> None:
    images = (stored(1000, size=8).float() / 255).contiguous()
    turned = flip_and_rotate(images, 0.0, generator())
    same = (turned - images).abs().amax(dim=(1, 2, 3)) < 1e-5
    mirrored = (turned - images.flip(3)).abs().amax(dim=(1, 2, 3)) < 1e-5
    assert (same ^ mirrored).all()
    assert mirrored.double().mean().item() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(1000))


def test_half_of_the_images_are_mirrored_and_angles_are_uniform_up_to_25_degrees() -> None:
    """A spot to the right of the centre stays at its distance, goes to either side, and turns."""
    rows, columns = place(flip_and_rotate(blob(4000), 25.0, generator(5)))
    np.testing.assert_allclose(np.hypot(rows, columns), 8, atol=0.05)
    assert (columns < 0).mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(4000))
    angles = np.degrees(np.arctan2(rows, np.abs(columns)))
    assert np.abs(angles).max() < 25.3
    assert stats.kstest(angles, stats.uniform(-25, 50).cdf).pvalue > 1e-4
    side, turn = columns < 0, rows < 0
    assert (side == turn).mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(4000)), "drawn independently"


def test_a_rotation_is_scipys_by_the_same_angle() -> None:
    """The angle is measured on a spot and applied by scipy to an image without any symmetry."""
    scene = blob(40) + 0.6 * blob(40, row=5, column=-3) + 0.3 * blob(40, row=-6, column=-6)
    rows, columns = place(flip_and_rotate(blob(40), 25.0, generator(6)))
    turned = flip_and_rotate(scene, 25.0, generator(6)).numpy()
    mirrored = columns < 0
    assert 0 < mirrored.sum() < 40
    for i in range(40):
        source = scene[i, 0].numpy()[:, ::-1] if mirrored[i] else scene[i, 0].numpy()
        slope = np.degrees(np.arctan2(rows[i], abs(columns[i])))
        angle = slope if mirrored[i] else -slope  # scipy's positive angle turns counter-clockwise
        expected = ndimage.rotate(source, angle, reshape=False, order=1)
        np.testing.assert_allclose(turned[i, 0], expected, atol=0.02)


def test_what_comes_in_from_outside_is_black() -> None:
    turned = flip_and_rotate(torch.ones(200, 3, 32, 32), 25.0, generator(7))
    assert turned[:, :, 8:24, 8:24].min() > 1 - 1e-5
    assert turned[:, :, 0, 0].min() == 0


def test_the_seed_draws_flips_and_rotations() -> None:
    images = stored().float() / 255
    first, again, other = (flip_and_rotate(images, 25.0, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


# --- a split on the device ---


def split(augment: bool, regularizer: str, images: Tensor | None = None) -> DeviceImages:
    images = stored(100) if images is None else images
    return DeviceImages(images, torch.arange(len(images)), recipe(regularizer), augment)


def test_images_are_scaled_then_cropped_then_whitened() -> None:
    """Whitening before the crop would use the border's pixels; scaling twice would fall below the floor."""
    images = stored(100)
    images[:, :, :2] = 0
    prepared, labels = split(False, "none", images).batch(slice(10, 20))
    crops = images.numpy()[10:20, :, 2:30, 2:30].astype(np.float64) / 255
    np.testing.assert_allclose(prepared.numpy(), standardised_by_tensorflow(crops), atol=1e-5)
    assert labels.tolist() == list(range(10, 20))
    other_order = center_crop(whiten(images[10:20].float() / 255), 28)
    assert (prepared - other_order).abs().max() > 0.1


def test_float_images_are_prepared_like_whole_numbers() -> None:
    """Gaussian noise is stored as float16, in the same units."""
    as_bytes, as_floats = (split(False, "none", images).batch(slice(None))[0] for images in (stored(), stored().half()))
    torch.testing.assert_close(as_bytes, as_floats)


@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_only_crops_and_rotations_show_other_images(regularizer: str) -> None:
    augmented = regularizer in ("crop", "crop+wd", "flip+rotate", "crop+flip")
    assert is_augmented(recipe(regularizer)) == augmented
    plain = split(False, "none").batch(slice(None))[0]
    shown = split(True, regularizer).batch(slice(None), generator())[0]
    assert shown.shape == plain.shape
    assert torch.equal(shown, plain) != augmented


@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_evaluation_is_never_augmented(regularizer: str) -> None:
    plain = split(False, "none").batch(slice(None))[0]
    assert torch.equal(split(False, regularizer).batch(slice(None))[0], plain)
    assert torch.equal(split(False, regularizer).batch(slice(None), generator())[0], plain)


@pytest.mark.parametrize("regularizer", ["crop", "flip+rotate"])
def test_an_augmented_image_is_another_one_each_time(regularizer: str) -> None:
    images = split(True, regularizer)
    draws = generator()
    first, second = (images.batch(slice(None), draws)[0] for _ in range(2))
    changed = (first != second).flatten(1).any(dim=1).double().mean()
    assert changed > 0.9


@pytest.mark.parametrize("regularizer", ["crop", "flip+rotate"])
def test_augmented_images_are_whitened_after_augmentation(regularizer: str) -> None:
    shown = split(True, regularizer).batch(slice(None), generator())[0].double().flatten(1)
    torch.testing.assert_close(shown.mean(dim=1), torch.zeros(100, dtype=torch.float64), rtol=0, atol=1e-5)
    torch.testing.assert_close(shown.std(dim=1, correction=0), torch.ones(100, dtype=torch.float64), rtol=0, atol=1e-5)


def test_rotated_images_are_cropped_in_the_centre() -> None:
    """Flip and rotation are one regularizer, random crops another."""
    images = stored(20)
    still = replace(
        split(True, "flip+rotate", images), recipe=recipe("flip+rotate").model_copy(update={"rotation_degrees": 0.0})
    )
    shown = still.batch(slice(None), generator())[0]
    plain = split(False, "none", images).batch(slice(None))[0]
    for image, own in zip(shown, plain, strict=True):
        assert torch.allclose(image, own, atol=1e-4) or torch.allclose(image, own.flip(2), atol=1e-4)


def test_augmentation_without_a_generator_is_an_error() -> None:
    with pytest.raises(ValueError, match="need a generator"):
        split(True, "crop").batch(slice(None))


@pytest.mark.parametrize("regularizer", ["crop", "flip+rotate"])
@pytest.mark.parametrize("sizes", [[50, 50], [64, 36, 0], [1, 99]])
def test_parts_of_a_batch_are_augmented_as_the_whole(regularizer: str, sizes: list[int]) -> None:
    """Each process draws for all; what it draws afterwards is the same, too."""
    images, index = split(True, regularizer), torch.arange(100).flip(0)
    draws = [generator() for _ in range(1 + len(sizes))]
    whole, labels = images.batch(index, draws[0])
    starts = [sum(sizes[:position]) for position in range(len(sizes))]
    parts = [Part(start, start + size, 100) for start, size in zip(starts, sizes, strict=True)]
    found = [images.batch(index[part.place], own, part) for part, own in zip(parts, draws[1:], strict=True)]
    torch.testing.assert_close(torch.cat([shown for shown, _ in found]), whole)
    assert torch.equal(torch.cat([of_part for _, of_part in found]), labels)
    assert len({tuple(torch.rand(3, generator=own).tolist()) for own in draws}) == 1


def test_examples_are_taken_in_the_order_asked_for() -> None:
    images = split(False, "none")
    index = torch.tensor([5, 3, 99, 5])
    taken, labels = images.batch(index)
    assert labels.tolist() == [5, 3, 99, 5]
    assert torch.equal(taken[0], taken[3])
    assert torch.equal(taken[1], images.batch(slice(3, 4))[0][0])
    assert len(images) == 100


def test_blocks_of_preparation_leave_no_seam() -> None:
    """More images than are prepared at a time."""
    many: Any = torch.randint(256, (8200, 1, 4, 4), generator=generator(), dtype=torch.uint8)
    small = recipe().model_copy(update={"crop_size": 4})
    prepared = DeviceImages(many, torch.zeros(8200, dtype=torch.int64), small, False).batch(slice(None))[0]
    torch.testing.assert_close(prepared, whiten(many.float() / 255))
