"""What is read off a curve of errors: its peak, where training data begin to be fitted, errors on noisy labels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FITTED = 0.1
"""A train error at which data count as fitted: the level of Nakkiran et al. 2019's effective model complexity."""


class Peak(NamedTuple):
    """The peak of a curve, in the curve's unit; positions count from 0."""

    before: int
    """Where the curve is lowest before the peak."""
    top: int
    after: int
    """Where it is lowest after the peak."""
    rise: float
    fall: float

    @property
    def height(self) -> float:
        """The smaller of rise and fall: 0 for a curve that only falls, or only rises."""
        return min(self.rise, self.fall)


def peak(errors: Sequence[float]) -> Peak:
    """Return the peak whose height is largest, the first of equals. Raises ValueError for an empty curve.

    For an inner point, rise is its error above the lowest one before it and fall that above the lowest one after it. On
    a curve without a point that is above both, `top` is where the curve is largest and the height 0.
    """
    if not len(errors):
        raise ValueError("a curve without points has no peak")
    values = np.asarray(errors, dtype=float)
    found = [_peak_at(values, top) for top in range(len(values))]
    best = max(each.height for each in found)
    return next(each for each in found if each.height == best) if best > 0 else _peak_at(values, int(values.argmax()))


def _peak_at(values: NDArray[np.float64], top: int) -> Peak:
    before, after = int(values[: top + 1].argmin()), top + int(values[top:].argmin())
    return Peak(before, top, after, float(values[top] - values[before]), float(values[top] - values[after]))


class Rise(NamedTuple):
    """The largest increase along a curve, between two of its points; positions count from 0."""

    start: int
    end: int
    size: float


def rise(errors: Sequence[float]) -> Rise:
    """Return the largest increase from a point to a later one; for a curve that never rises, 0, at its first point.

    Raises ValueError for an empty curve.
    """
    if not len(errors):
        raise ValueError("a curve without points does not rise")
    pairs = [(i, j) for i in range(len(errors)) for j in range(i, len(errors))]
    start, end = max(pairs, key=lambda pair: errors[pair[1]] - errors[pair[0]])
    return Rise(start, end, float(errors[end] - errors[start]))


def threshold(sizes: Sequence[int], train_errors: Sequence[float], level: float = FITTED) -> int | None:
    """Return the first size whose train error, on the labels as trained on, is at most `level`; None if none is.

    There the effective model complexity of Nakkiran et al. 2019, the largest number of examples that are fitted up to
    this error, reaches the number of examples at hand.
    """
    return next((size for size, error in zip(sizes, train_errors, strict=True) if error <= level), None)


def smoothed(values: Sequence[float], window: int) -> NDArray[np.float64]:
    """Return the means of all stretches of `window` neighbours: window - 1 values fewer than there were."""
    return np.convolve(np.asarray(values, dtype=float), np.ones(window) / window, mode="valid")


def noisy_error(clean: float, probability: float, classes: int = 10) -> float:
    """Return the error on labels that are replaced by a wrong one, uniformly, with `probability`; its expectation.

    A right prediction becomes wrong with that probability, a wrong one becomes right if the label is replaced by just
    this class: p (1 - e) + e (1 - p / (classes - 1)).
    """
    return probability + clean * noisy_scale(probability, classes)


def clean_error(noisy: float, probability: float, classes: int = 10) -> float:
    """Return the error on true labels that has this expectation on noisy ones: the inverse of `noisy_error`."""
    return (noisy - probability) / noisy_scale(probability, classes)


def noisy_scale(probability: float, classes: int = 10) -> float:
    """Return by how much differences of errors shrink on noisy labels."""
    return 1 - probability * classes / (classes - 1)
