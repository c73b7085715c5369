"""Stochastic gradient descent on least squares with fewer equations than unknowns, and where it ends.

From w_0 each step adds a multiple of one example, so that w - w_0 stays in the span of the examples. Of all w that
interpolate there is one in w_0 plus this span: the one nearest to w_0, and, for w_0 = 0, the one of smallest norm
(Zhang et al. 2017, section 5).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

Array = NDArray[np.float64]


class State(NamedTuple):
    """The weights after so many steps."""

    step: int
    weights: Array


def smallest_norm(examples: Array, targets: Array) -> Array:
    """Return, of the weights (d, c) that minimise |X w - y|^2 for X (n, d) and y (n, c), those of smallest norm."""
    found: Array = linalg.lstsq(examples, targets)[0]
    return found


def nearest(examples: Array, targets: Array, start: Array) -> Array:
    """Return, of the weights (d, c) that minimise |X w - y|^2, those that are nearest to `start` (d, c)."""
    return start + smallest_norm(examples, targets - examples @ start)


def outside_span(examples: Array, weights: Array) -> Array:
    """Return the part of weights (d, c) that is at right angles to all examples (n, d): what no step can change."""
    return weights - smallest_norm(examples, examples @ weights)


def descend(
    examples: Array, targets: Array, start: Array, rate: float, steps: int, seed: int, shown: list[int]
) -> Iterator[State]:
    """Yield the weights at each of the numbers of steps `shown`, which rise from 0.

    A step takes one example x and goes `rate` times (y - w^T x) x; each epoch takes all examples in a new random order.
    """
    rng, weights, at = np.random.default_rng(seed), start.copy(), set(shown)
    if 0 in at:
        yield State(0, weights.copy())
    step = 0
    while step < steps:
        for number in rng.permutation(len(examples))[: steps - step]:
            x = examples[number]
            weights += np.outer(rate * x, targets[number] - x @ weights)
            step += 1
            if step in at:
                yield State(step, weights.copy())


def spread(steps: int, points: int = 60) -> list[int]:
    """Return 0 and numbers of steps up to `steps`, about evenly apart on a logarithmic scale."""
    return [0, *np.unique(np.geomspace(1, steps, points).round().astype(int)).tolist()]
