"""The corruptions of Zhang et al. 2017, section 2.1, as pure functions of arrays and a random stream.

Images are `(n, c, h, w)`, labels `(n,)`. Every corruption is drawn once and then fixed: redrawing labels
each epoch would make them unlearnable.
"""

import hashlib
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rethinking.errors import UserError

PIXEL_CORRUPTIONS = ("shuffled-pixels", "random-pixels", "gaussian")

_PARTIAL = re.compile(r"labels-p(?!00)(\d\d)")  # the percentage, two digits: labels-p05, labels-p90
_WRONG = re.compile(r"wrong-labels-p(?!00)(\d\d)")

# Images worked on at a time: bounds the temporary arrays to some tens of MB at CIFAR-10's size.
_BLOCK = 4096


def is_label_corruption(corruption: str) -> bool:
    """Whether `corruption` replaces labels and leaves the images alone."""
    return corruption == "random-labels" or any(name.fullmatch(corruption) for name in (_PARTIAL, _WRONG))


def require_corruption(corruption: str) -> None:
    """Raise UserError, naming what is allowed, unless `corruption` is one."""
    if corruption != "true" and corruption not in PIXEL_CORRUPTIONS and not is_label_corruption(corruption):
        raise UserError(
            f"{corruption!r} is not a corruption; allowed are true, labels-p01 to labels-p99, random-labels, "
            f"wrong-labels-p01 to wrong-labels-p99, {', '.join(PIXEL_CORRUPTIONS)}"
        )


def label_corruption_probability(corruption: str) -> float:
    """Return the probability with which a training label is replaced: 0.3 for `labels-p30` and `wrong-labels-p30`.

    It is 1 for `random-labels`, and 0 for `true` and the pixel corruptions, which keep the labels. Raises
    UserError for any other name.
    """
    require_corruption(corruption)
    if corruption == "random-labels":
        return 1.0
    partial = _PARTIAL.fullmatch(corruption) or _WRONG.fullmatch(corruption)
    return int(partial[1]) / 100 if partial else 0.0


def replaces_by_wrong_labels(corruption: str) -> bool:
    """Whether `corruption` replaces labels by another class always, and never by the same one."""
    return _WRONG.fullmatch(corruption) is not None


def label_corruption_name(probability: float) -> str:
    """Return the corruption that redraws labels with `probability`, in whole percents: `true` for 0.

    Raises UserError for any other probability: the name could not tell it from its neighbour.
    """
    return {0: "true", 100: "random-labels"}.get(percent := _percent(probability), f"labels-p{percent:02d}")


def wrong_labels_name(probability: float) -> str:
    """Return the corruption that replaces labels by wrong ones with `probability` below 1: `true` for 0.

    Raises UserError for a probability that is not in whole percents.
    """
    return f"wrong-labels-p{percent:02d}" if (percent := _percent(probability)) else "true"


def _percent(probability: float) -> int:
    percent = round(100 * probability)
    if not 0 <= percent <= 100 or abs(100 * probability - percent) > 1e-6:
        raise UserError(f"{probability} is no probability in whole percents between 0 and 1")
    return percent


def random_stream(seed: int, dataset: str, corruption: str, split: str) -> np.random.Generator:
    """Return the random stream of one variant's split: `train`, `test` or, where both share a draw, `both`.

    The name is hashed (with SHA-256: Python's own hash differs between processes), so no two variants
    share a stream. In particular the sweep over p is not nested: the labels redrawn at p = 0.3 are no subset
    of those redrawn at 0.4, so that the points of a curve over p are independent samples, as separate draws
    at every p are.
    """
    name = "/".join([str(seed), dataset, corruption, split])
    entropy = int.from_bytes(hashlib.sha256(name.encode()).digest())
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def corrupt_labels(
    labels: NDArray[np.uint8], probability: float, classes: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return labels each of which, independently with `probability`, is replaced by a uniformly random class.

    The new class may equal the old one, so a fraction (1 - 1/classes) * probability really changes
    (Zhang et al. 2017, section 2.1; other papers always draw a wrong class instead).
    """
    redrawn = rng.random(labels.shape) < probability  # random() is below 1, so probability 1 redraws every label
    replacements = rng.integers(classes, size=labels.shape, dtype=np.uint8)
    return np.where(redrawn, replacements, labels)


def wrong_labels(
    labels: NDArray[np.uint8], probability: float, classes: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return labels each of which, independently with `probability`, is replaced by a uniformly random other class.

    The label noise of Nakkiran et al. 2019: a fraction `probability` really changes.
    """
    replaced = rng.random(labels.shape) < probability
    shift = rng.integers(1, classes, size=labels.shape, dtype=np.uint8)
    return np.where(replaced, (labels.astype(np.int64) + shift) % classes, labels).astype(np.uint8)


def pixel_permutation(height: int, width: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return one `(height * width,)` permutation of pixel positions, for shuffle_pixels on every split."""
    return rng.permutation(height * width)


def shuffle_pixels(images: NDArray[np.uint8], permutation: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return `images` with one permutation of pixel positions applied to all.

    Position i of an image (row by row) receives the pixel that was at `permutation[i]`; a pixel's channels
    stay together.
    """
    n, c, h, w = images.shape
    # take() leaves the result in C order, which indexing with [:, :, permutation] does not.
    return np.take(images.reshape(n, c, h * w), permutation, axis=2).reshape(images.shape)


def permute_pixels_per_image(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return `images` each with its own permutation of pixel positions; a pixel's channels stay together."""
    n, c, h, w = images.shape
    pixels = images.reshape(n, c, h * w)
    permuted = np.empty_like(pixels, order="C")
    for start in range(0, n, _BLOCK):
        block = pixels[start : start + _BLOCK]
        positions = np.tile(np.arange(h * w), (len(block), 1))
        rng.permuted(positions, axis=1, out=positions)
        permuted[start : start + _BLOCK] = np.take_along_axis(block, positions[:, None, :], axis=2)
    return permuted.reshape(images.shape)


def channel_statistics(images: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the population standard deviation of every channel, each `(c,)`, in 0..255 units.

    They come from the exact histogram of each channel, so that they are the same to the last bit wherever
    they are computed: a sum of floats would depend on its order.
    """
    histogram = np.zeros((images.shape[1], 256), dtype=np.int64)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        histogram += [np.bincount(block[:, channel].ravel(), minlength=256) for channel in range(block.shape[1])]
    values = np.arange(256)
    count = histogram.sum(axis=1)
    mean = (histogram @ values) / count
    variance = (histogram @ values**2) / count - mean**2
    return mean, np.sqrt(variance)


def gaussian_images(
    shape: tuple[int, int, int, int], mean: NDArray[Any], std: NDArray[Any], rng: np.random.Generator
) -> NDArray[np.float16]:
    """Return `(n, c, h, w)` images of independent Gaussian pixels with the given `(c,)` mean and deviation.

    In 0..255 units and not clamped: clamping to the range of pixels would change the mean and the variance
    that Zhang et al. match to the data set's.

    They are kept as float16, half of float32's disk space (370 MB instead of 740 MB for CIFAR-10): its 11
    bits round values below 256 by at most 1/16 and those below 512 by 1/8, less than the rounding of
    ordinary images to whole numbers (CIFAR-10's deviation is about 64).
    """
    n, c, h, w = shape
    images = np.empty(shape, dtype=np.float16)
    scale = std.astype(np.float32).reshape(c, 1, 1)
    offset = mean.astype(np.float32).reshape(c, 1, 1)
    for start in range(0, n, _BLOCK):
        noise = rng.standard_normal((min(_BLOCK, n - start), c, h, w), dtype=np.float32)
        images[start : start + _BLOCK] = noise * scale + offset
    return images
