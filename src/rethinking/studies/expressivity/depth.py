"""Networks of any depth k, width O(n/k) and O(n + d) weights (Zhang et al. 2017, corollary 1).

The first layer is one unit that holds z = <a, x>, which all further layers pass on. Each of the k - 2 layers after it
has the hinges of one stretch of the n thresholds, and two units with what the stretches before have summed up: a
rectified unit is never negative, so that one holds the positive and one the negative part. No two connections share a
weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from rethinking.errors import UserError
from rethinking.studies.expressivity.theorem import BLOCK, Array, Points, TwoLayer

CARRIED = 3
"""Units of a layer beside its hinges: the position, and the sum so far in two parts."""


@dataclass(frozen=True)
class Layer:
    """An affine map; rectified in every layer but the last."""

    weights: sparse.csr_array
    """(outputs, inputs)"""
    biases: Array
    """(outputs,)"""


@dataclass(frozen=True)
class Deep:
    """A feed-forward network of rectified linear units with one output."""

    layers: Sequence[Layer]

    @property
    def depth(self) -> int:
        """How many layers have weights."""
        return len(self.layers)

    @property
    def width(self) -> int:
        """How many units the widest hidden layer has."""
        return max(len(layer.biases) for layer in self.layers[:-1])

    @property
    def parameters(self) -> int:
        """How many weights and biases are not zero, and so are there at all."""
        return sum(int(layer.weights.count_nonzero() + np.count_nonzero(layer.biases)) for layer in self.layers)

    def __call__(self, points: Points) -> Array:
        """Return its outputs (m,) at points (m, d), layer by layer."""
        return np.concatenate([self._block(points[start : start + BLOCK]) for start in range(0, len(points), BLOCK)])

    def _block(self, points: Points) -> Array:
        units = points.astype(np.float64).T
        for layer in self.layers[:-1]:
            units = np.maximum(layer.weights @ units + layer.biases[:, None], 0.0)
        last = self.layers[-1]
        return np.asarray((last.weights @ units + last.biases[:, None])[0])


def deepened(network: TwoLayer, depth: int) -> Deep:
    """Return a network of so many layers that is the same function. Raises UserError for a depth below 3."""
    if depth < 3:
        raise UserError(f"a network of depth {depth}: give 3 or more, of which one layer projects and one sums up")
    start = network.thresholds[0]
    stretches = np.array_split(np.arange(len(network.thresholds)), depth - 2)
    layers = [Layer(sparse.csr_array(network.direction[None, :]), np.array([-start]))]
    before: Array | None = None
    for stretch in stretches:
        layers.append(_hinges(network.thresholds[stretch] - start, before))
        before = network.weights[stretch]
    assert before is not None
    layers.append(Layer(sparse.csr_array(np.concatenate([[0.0, 1.0, -1.0], before])[None, :]), np.zeros(1)))
    return Deep(layers)


def _hinges(thresholds: Array, before: Array | None) -> Layer:
    """Return a layer: position, both parts of the sum, and a hinge at each of `thresholds`.

    `before` are the output weights of the hinges of the layer before it; None where that is the position alone.
    """
    inputs = 1 if before is None else CARRIED + len(before)
    position = sparse.csr_array(([1.0], ([0], [0])), shape=(1, inputs))
    sums = np.zeros((2, inputs))
    if before is not None:
        total = np.concatenate([[0.0, 1.0, -1.0], before])
        sums = np.stack([total, -total])
    hinges = sparse.csr_array(
        (np.ones(len(thresholds)), (np.arange(len(thresholds)), np.zeros(len(thresholds), dtype=np.int64))),
        shape=(len(thresholds), inputs),
    )
    weights = sparse.csr_array(sparse.vstack([position, sparse.csr_array(sums), hinges]))
    return Layer(weights, np.concatenate([np.zeros(CARRIED), -thresholds]))
