"""Two-layer networks of 2n + d weights that take any n values on n points (Zhang et al. 2017, theorem 1, appendix C).

    c(x) = sum_j w_j max(<a, x> - b_j, 0),    b_1 < z_1 < b_2 < z_2 < ... < b_n < z_n,    z_i = <a, x_i> in rising order

The weights solve A w = y with A_ij = max(z_i - b_j, 0), which is lower triangular. The paper leaves the thresholds open
between these limits, and they decide what becomes of the solution in floating point: see `alternating`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rethinking.errors import UserError
from rethinking.studies.expressivity.vocabulary import ALTERNATING, MIDWAY

Array = NDArray[np.float64]
Points = NDArray[Any]

BLOCK = 128
"""Points at a time: in double precision, all of a data set's would take gigabytes, and so would their hidden units."""

SPREAD = 2**20
"""Largest entry of a first direction of whole numbers. Projections of 50,000 images onto it rarely coincide, and what
is computed from them stays far below 2^53, up to which double precision holds every whole number."""
ATTEMPTS = 20


@dataclass(frozen=True)
class TwoLayer:
    """A network of one hidden layer whose units share their incoming weights."""

    direction: Array
    """a, (d,)"""
    thresholds: Array
    """b, (n,), rising"""
    weights: Array
    """w, (n,)"""

    @property
    def parameters(self) -> int:
        """How many numbers it consists of: 2n + d for n distinct points."""
        return len(self.direction) + len(self.thresholds) + len(self.weights)

    def along(self, positions: Array) -> Array:
        """Return its outputs (m,) where <a, x> takes the given values (m,), in O((m + n) log n) and O(m + n) memory.

        Between two thresholds it is linear: slopes and values there are prefix sums.
        """
        slopes = np.cumsum(self.weights)
        values = np.concatenate([[0.0], np.cumsum(slopes[:-1] * np.diff(self.thresholds))])
        piece = np.searchsorted(self.thresholds, positions, side="right") - 1
        inside = values[piece] + slopes[piece] * (positions - self.thresholds[piece])
        return np.where(piece < 0, 0.0, inside)

    def __call__(self, points: Points) -> Array:
        """Return its outputs (m,) at points (m, d) as the definition says, unit by unit: O(m n)."""
        positions = project(points, self.direction)
        blocks = (positions[start : start + BLOCK, None] for start in range(0, len(positions), BLOCK))
        return np.concatenate([np.maximum(block - self.thresholds, 0.0) @ self.weights for block in blocks])


class Sample(NamedTuple):
    """Distinct points along a direction that tells them apart, in rising order, with the values to take there."""

    direction: Array
    positions: Array
    """z, (n,), rising"""
    values: Array
    """y, (n,)"""
    duplicates: int
    """How many points were left out, being equal to others with the same value."""

    @property
    def smallest_gap(self) -> float:
        """The least distance of two neighbours; infinite for a single point."""
        return float(np.diff(self.positions).min()) if len(self.positions) > 1 else math.inf

    @property
    def relative_gap(self) -> float:
        """The same in units of the range that the positions take."""
        return self.smallest_gap / float(np.ptp(self.positions)) if len(self.positions) > 1 else math.inf


Thresholds = Callable[[Array, Array], tuple[Array, Array]]
"""From positions z and values y, both (n,), to thresholds b and the weights w that go with them."""


def project(points: Points, direction: Array) -> Array:
    """Return <a, x> (n,) for points (n, d).

    Without rounding for whole numbers whose sums stay below 2^53.
    """
    blocks = (points[start : start + BLOCK] for start in range(0, len(points), BLOCK))
    return np.concatenate([block.astype(np.float64) @ direction for block in blocks])


def separated(points: Points, values: NDArray[Any], rng: np.random.Generator) -> Sample:
    """Return the points (n, d) along a random direction on which no two different ones coincide, in O(n (d + log n)).

    Whole numbers get a direction of whole numbers, others a Gaussian one. Raises UserError if equal points have
    different values: then there is no such function; or if no direction was found.
    """
    if len(points) != len(values) or not len(points):
        raise UserError(f"{len(points)} points and {len(values)} values: give as many of these as of those, at least 1")
    whole = np.issubdtype(points.dtype, np.integer)
    for attempt in range(ATTEMPTS):
        limit = SPREAD << attempt if whole else 0
        drawn = (
            rng.integers(-limit, limit, points.shape[1], endpoint=True)
            if whole
            else rng.standard_normal(points.shape[1])
        )
        direction = np.asarray(drawn, dtype=np.float64)
        positions = project(points, direction)
        order = np.argsort(positions, kind="stable")
        kept = _distinct(points, positions, values, order)
        if kept is not None:
            return Sample(direction, positions[kept], np.asarray(values[kept], np.float64), len(points) - len(kept))
    raise UserError(f"no direction among {ATTEMPTS} tells these {len(points)} points apart in double precision")


def _distinct(
    points: Points, positions: Array, values: NDArray[Any], order: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """Return `order` without repetitions of a point, or None if different points share a position."""
    ties = np.flatnonzero(np.diff(positions[order]) == 0) + 1
    repeated = np.zeros(len(order), dtype=bool)
    repeated[ties] = True
    for place in ties:
        one, other = order[place - 1], order[place]
        if not np.array_equal(points[one], points[other]):
            return None
        if values[one] != values[other]:
            first, second = sorted((int(one), int(other)))
            raise UserError(
                f"points {first} and {second} are equal and have the values {values[first]:g} and {values[second]:g}: "
                "no function takes both; leave one of them out"
            )
    return np.asarray(order[~repeated], dtype=np.int64)


def alternating(positions: Array, values: Array) -> tuple[Array, Array]:
    """Return thresholds and weights of a function whose slope is in turn S and -S, in O(n).

    The lines of slope S and -S through two neighbouring points meet midway, off by (y_{i+1} - y_i) / 2S: the threshold
    is put there. S is the power of two that keeps all thresholds in the middle half of their gaps. So all weights are
    2S or -2S but the first, and nothing is lost by multiplying with them. Positions and values that are whole numbers
    of moderate size give thresholds without rounding, and an exact network. Otherwise each threshold makes up for what
    rounding has done before, so that errors do not add up.
    """
    z, y = positions.tolist(), values.tolist()
    gaps, steps = np.diff(positions), np.diff(values)
    begin = next((place for place, value in enumerate(y) if value), len(y))
    if begin == len(y):
        return _before(positions), np.zeros(len(y))
    steepest = float(np.abs(steps / gaps).max()) if len(y) > 1 else 0.0
    # The first line comes from zero: it has half of the gap before the first value that is not zero.
    steepest = max(steepest, abs(y[begin]) / (2 * (z[begin] - float(_before(positions)[begin]))))
    slope = math.copysign(2.0 ** math.ceil(math.log2(2 * steepest)), y[begin])
    thresholds, weights = _before(positions).tolist(), [0.0] * len(y)
    thresholds[begin], weights[begin] = z[begin] - y[begin] / slope, slope
    reached = slope * (z[begin] - thresholds[begin])
    for place in range(begin + 1, len(y)):
        left, right = z[place - 1], z[place]
        threshold = left + (right - left) / 2 + (y[place] - reached) / (2 * slope)
        # Both differences are of near numbers, and hence exact.
        reached += slope * ((threshold - left) - (right - threshold))
        thresholds[place], weights[place] = threshold, -2 * slope
        slope = -slope
    return np.array(thresholds), np.array(weights)


def midway(positions: Array, values: Array) -> tuple[Array, Array]:
    """Return thresholds midway between neighbours, the first choice that comes to mind, and their weights, in O(n).

    Each slope is twice that between the points less the slope before: what one narrow gap needs stays in all that
    follow, with its rounding.
    """
    thresholds = _before(positions)
    slopes = np.empty(len(values))
    reached, slope = 0.0, 0.0
    z, y, b = positions.tolist(), values.tolist(), thresholds.tolist()
    for place in range(len(y)):
        if place:
            reached += slope * (b[place] - z[place - 1])
        slope = (y[place] - reached) / (z[place] - b[place])
        slopes[place], reached = slope, y[place]
    return thresholds, np.diff(slopes, prepend=0.0)


CHOICES: dict[str, Thresholds] = {ALTERNATING: alternating, MIDWAY: midway}


def _before(positions: Array) -> Array:
    """Return the middles of the gaps before each position; the first has a gap as wide as that after it, or of 1."""
    gaps = np.diff(positions)
    return positions - np.concatenate([gaps[:1] if len(gaps) else np.ones(1), gaps]) / 2


def represent(sample: Sample, thresholds: Thresholds = alternating) -> TwoLayer:
    """Return the network that takes the sample's values, in O(n)."""
    chosen, weights = thresholds(sample.positions, sample.values)
    return TwoLayer(sample.direction, chosen, weights)


def smallest_eigenvalue(network: TwoLayer, positions: Array) -> float:
    """Return the smallest eigenvalue of the system's triangular matrix: min_i (z_i - b_i) (lemma 1)."""
    return float((positions - network.thresholds).min())


def exact_error(network: TwoLayer, sample: Sample) -> float:
    """Return the largest error of the network as its numbers stand, in integer arithmetic: without any rounding."""
    places = _binary_places(sample.positions, network.thresholds)
    weight_places = _binary_places(network.weights)
    value_places = _binary_places(sample.values)
    shift = max(places + weight_places, value_places)
    slope, offset, worst = 0, 0, 0
    columns = (sample.positions.tolist(), network.thresholds.tolist(), network.weights.tolist(), sample.values.tolist())
    for position, threshold, weight, value in zip(*columns, strict=True):
        scaled = int(math.ldexp(weight, weight_places))
        slope += scaled
        offset += scaled * int(math.ldexp(threshold, places))
        output = slope * int(math.ldexp(position, places)) - offset
        target = int(math.ldexp(value, value_places)) << (shift - value_places)
        worst = max(worst, abs((output << (shift - places - weight_places)) - target))
    return worst / (1 << shift)


def _binary_places(*arrays: Array) -> int:
    """Return how many binary places after the point these numbers have at most."""
    exponents = [np.frexp(array[array != 0])[1].min() for array in arrays if (array != 0).any()]
    return max(0, 53 - int(min(exponents))) if exponents else 0
