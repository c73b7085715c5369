"""Random Fourier features and exact least squares on them, in double precision.

With N features sqrt(2/N) cos(Wx + b), W normal with deviation 1/bandwidth and b uniform, inner products tend to the
Gaussian kernel exp(-|x - y|^2 / (2 bandwidth^2)) as N grows (Rahimi & Recht 2007).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

Array = NDArray[np.float64]


class Frequencies(NamedTuple):
    """What features are drawn at random; the first N rows are the features of the model with N."""

    weights: Array
    """(N, values)"""
    phases: Array
    """(N,)"""


def draw_frequencies(values: int, features: int, bandwidth: float, rng: np.random.Generator) -> Frequencies:
    """Return the frequencies of so many features of examples with so many values each."""
    weights = rng.standard_normal((features, values)) / bandwidth
    return Frequencies(weights, rng.uniform(0, 2 * np.pi, features))


def fourier_features(examples: Array, frequencies: Frequencies, features: int) -> Array:
    """Return the first `features` features (n, features) of `examples` (n, values)."""
    angles = examples @ frequencies.weights[:features].T
    angles += frequencies.phases[:features]
    np.cos(angles, out=angles)
    angles *= np.sqrt(2 / features)
    return angles


class LeastSquares:
    """Least squares on one matrix of features, for any targets and any ridge penalty, from one decomposition."""

    def __init__(self, features: Array) -> None:
        """`features` is (n, N) and is overwritten."""
        left, self.singular, self.right = linalg.svd(features, full_matrices=False, overwrite_a=True)
        self.left_t = left.T
        # What is smaller is noise of the arithmetic, as in numpy's own pseudo-inverse of least squares.
        self.smallest = np.finfo(np.float64).eps * max(features.shape) * self.singular[0]

    def weights(self, targets: Array, penalty: float = 0.0) -> Array:
        """Return the weights (N, outputs) that minimise |features w - targets|^2 + penalty |w|^2.

        Without a penalty it is, of all weights that minimise the squares, those of the smallest norm: for at least as
        many independent features as examples, the interpolating weights of smallest norm.
        """
        if penalty:
            factors = self.singular / (self.singular**2 + penalty)
        else:
            kept = self.singular > self.smallest
            factors = np.divide(1, self.singular, out=np.zeros_like(self.singular), where=kept)
        found: Array = self.right.T @ (factors[:, None] * (self.left_t @ targets))
        return found
