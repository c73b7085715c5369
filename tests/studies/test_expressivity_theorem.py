"""Theorem 1 and corollary 1: that the networks are what they are said to be, against linear algebra and fractions."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import linalg

from rethinking.errors import UserError
from rethinking.studies.expressivity.depth import deepened
from rethinking.studies.expressivity.theorem import (
    ATTEMPTS,
    CHOICES,
    Array,
    Sample,
    TwoLayer,
    alternating,
    exact_error,
    midway,
    project,
    represent,
    separated,
    smallest_eigenvalue,
)

SIZES = [1, 2, 3, 10, 200]
LABELS: dict[str, Callable[[np.random.Generator, int], NDArray[Any]]] = {
    "classes": lambda rng, n: rng.integers(10, size=n),
    "signs": lambda rng, n: rng.choice([-1, 1], size=n),
    "zero and one": lambda rng, n: rng.integers(2, size=n),
    "all alike": lambda rng, n: np.full(n, 3),
    "zeros": lambda rng, n: np.zeros(n, dtype=np.int64),
    "zeros first": lambda rng, n: np.where(np.arange(n) < n // 2, 0, 7),
    "reals": lambda rng, n: rng.standard_normal(n) * 100,
}


def pixels(n: int, d: int, seed: int = 0) -> NDArray[np.uint8]:
    """Points of whole numbers, all different for d of 4 or more."""
    points = np.random.default_rng(seed).integers(256, size=(n, d), dtype=np.uint8)
    points[:, 0] = np.arange(n) % 256
    points[:, min(1, d - 1)] = np.arange(n) // 256 if d > 1 else points[:, 0]
    return points


def made(n: int, d: int, labels: str, whole: bool) -> tuple[NDArray[Any], NDArray[Any], Sample]:
    rng = np.random.default_rng(n * d)
    points = pixels(n, d) if whole else rng.standard_normal((n, d))
    values = LABELS[labels](rng, n)
    return points, values, separated(points, values, rng)


def by_definition(network: TwoLayer, position: float) -> Fraction:
    """The network as its numbers stand, in fractions: nothing is rounded."""
    hinges = zip(network.weights.tolist(), network.thresholds.tolist(), strict=True)
    return sum((Fraction(w) * max(Fraction(position) - Fraction(b), Fraction(0)) for w, b in hinges), Fraction(0))


# --- theorem 1 ---


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("d", [4, 30])
@pytest.mark.parametrize("n", SIZES)
def test_whole_numbers_are_taken_without_error_by_2n_plus_d_weights(n: int, d: int, labels: str) -> None:
    points, values, sample = made(n, d, labels, whole=True)
    network = represent(sample)
    assert network.parameters == 2 * n + d
    if labels == "reals":
        rounding = np.spacing(np.abs(sample.positions).max())
        assert exact_error(network, sample) <= 2 * np.abs(network.weights).max() * rounding
        return
    assert (network(points) == values).all()
    assert (network.along(sample.positions) == sample.values).all()
    assert exact_error(network, sample) == 0


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("n", SIZES)
def test_real_points_are_taken_but_for_rounding(n: int, labels: str, choice: str) -> None:
    points, values, sample = made(n, 5, labels, whole=False)
    network = represent(sample, CHOICES[choice])
    assert network.parameters == 2 * n + 5
    steepest = float(np.abs(network.weights).max(initial=0))
    allowed = 1e-14 * (1 + steepest) * n  # a rounding of positions, as steep as the function is, for each hinge
    assert np.abs(network(points) - values).max() <= allowed
    assert np.abs(network.along(sample.positions) - sample.values).max() <= allowed
    assert exact_error(network, sample) <= allowed


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("n", [2, 3, 10, 200])
def test_the_weights_solve_the_papers_triangular_system(n: int, choice: str) -> None:
    """Against SciPy's solver, on points at whole places, where the system is well conditioned."""
    rng = np.random.default_rng(n)
    places = np.sort(rng.choice(50 * n, n, replace=False)).astype(np.float64)
    values = rng.integers(10, size=n).astype(np.float64)
    values[0] = 4
    thresholds, weights = CHOICES[choice](places, values)
    assert thresholds[0] < places[0]
    assert (places[:-1] < thresholds[1:]).all()
    assert (thresholds[1:] < places[1:]).all()
    system = np.maximum(places[:, None] - thresholds[None, :], 0.0)
    assert (np.triu(system, 1) == 0).all()
    assert system @ weights == pytest.approx(values, abs=1e-6)
    assert linalg.solve_triangular(system, values, lower=True) == pytest.approx(weights, rel=1e-6, abs=1e-6)
    network = TwoLayer(np.ones(1), thresholds, weights)
    assert smallest_eigenvalue(network, places) == pytest.approx(np.linalg.eigvals(system).real.min())


def test_thresholds_lie_in_the_middle_half_of_their_gaps_and_slopes_alternate() -> None:
    _, _, sample = made(200, 10, "classes", whole=True)
    thresholds, weights = alternating(sample.positions, sample.values)
    gaps = np.diff(sample.positions)
    off = np.abs(thresholds[1:] - (sample.positions[:-1] + gaps / 2))
    assert (off <= gaps / 4).all()
    first = int(np.flatnonzero(weights)[0])
    slopes = np.cumsum(weights)[first:]
    assert set(np.abs(slopes)) == {abs(slopes[0])}
    assert (np.diff(np.sign(slopes)) != 0).all()
    assert np.log2(abs(slopes[0])) % 1 == 0


def test_prefix_sums_are_the_definition_everywhere() -> None:
    """Between the points and outside as well, against fractions."""
    for whole in (True, False):
        _, _, sample = made(40, 6, "classes", whole)
        for thresholds in CHOICES.values():
            network = represent(sample, thresholds)
            ends = sample.positions[[0, -1]]
            between = np.random.default_rng(1).uniform(ends[0] - 2, ends[1] + 2, 50)
            exact = [float(by_definition(network, position)) for position in between]
            scale = 1 + np.abs(exact).max()
            assert network.along(between) == pytest.approx(exact, abs=1e-9 * scale)


def test_the_error_without_rounding_is_that_of_fractions() -> None:
    for whole in (True, False):
        _, _, sample = made(60, 4, "reals", whole)
        network = represent(sample, midway)
        errors = [
            abs(by_definition(network, z) - Fraction(y)) for z, y in zip(sample.positions, sample.values, strict=True)
        ]
        assert exact_error(network, sample) == pytest.approx(float(max(errors)), rel=1e-12)
        assert exact_error(network, sample) > 0


def test_a_wrong_network_has_an_error() -> None:
    _, _, sample = made(50, 4, "classes", whole=True)
    network = represent(sample)
    wrong = TwoLayer(network.direction, network.thresholds, network.weights * (1 + 2**-20))
    assert exact_error(wrong, sample) > 0
    assert np.abs(wrong.along(sample.positions) - sample.values).max() > 0


def test_a_threshold_that_nearly_coincides_with_a_point_costs_alternating_networks_little() -> None:
    """Two points a millionth of the range apart: what a narrow gap costs is lost once, and does not add up."""
    rng = np.random.default_rng(0)
    positions = np.sort(np.concatenate([rng.uniform(0, 1, 2000), [0.5, 0.5 + 1e-9]]))
    values = rng.integers(10, size=len(positions)).astype(np.float64)
    sample = Sample(np.ones(1), positions, values, 0)
    assert exact_error(represent(sample), sample) <= 2 * np.abs(represent(sample).weights).max() * 2**-53


# --- points ---


def test_projections_of_whole_numbers_are_exact() -> None:
    points = pixels(500, 300)
    direction = np.random.default_rng(0).integers(-(2**20), 2**20, 300).astype(np.float64)
    exact = points.astype(object) @ direction.astype(np.int64).astype(object)
    assert project(points, direction).astype(np.int64).tolist() == exact.tolist()


def test_equal_points_with_one_label_need_one_hinge() -> None:
    points = pixels(30, 5)
    twice, values = np.concatenate([points, points[:7]]), np.arange(30) % 10
    labels = np.concatenate([values, values[:7]])
    sample = separated(twice, labels, np.random.default_rng(0))
    network = represent(sample)
    assert (sample.duplicates, network.parameters) == (7, 2 * 30 + 5)
    assert (network(twice) == labels).all()


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_equal_points_with_different_labels_are_refused_by_name(kind: type) -> None:
    points: NDArray[Any] = pixels(30, 5).astype(kind)
    points[17] = points[4]
    labels = np.arange(30) % 10
    with pytest.raises(
        UserError, match="points 4 and 17 are equal and have the values 4 and 7: no function takes both"
    ):
        separated(points, labels, np.random.default_rng(0))


def test_a_direction_that_does_not_separate_is_drawn_again() -> None:
    """Points on a line through many directions' blind spots: of two columns, the first is seen in sums alone."""

    class Blind:
        """Draws a direction that sees nothing first."""

        def __init__(self) -> None:
            self.drawn = 0

        def integers(self, low: int, high: int, size: int, endpoint: bool) -> NDArray[np.int64]:
            self.drawn += 1
            return np.zeros(size, dtype=np.int64) if self.drawn < 3 else np.arange(1, size + 1)

    rng: Any = Blind()
    sample = separated(pixels(20, 3), np.arange(20), rng)
    assert rng.drawn == 3
    assert len(sample.positions) == 20

    rng.drawn = -ATTEMPTS
    with pytest.raises(UserError, match=f"no direction among {ATTEMPTS} tells these 20 points apart"):
        separated(pixels(20, 3), np.arange(20), rng)


def test_points_and_values_must_be_as_many() -> None:
    with pytest.raises(UserError, match="3 points and 2 values"):
        separated(pixels(3, 4), np.arange(2), np.random.default_rng(0))
    with pytest.raises(UserError, match="0 points"):
        separated(pixels(0, 4), np.arange(0), np.random.default_rng(0))


# --- corollary 1 ---


def dense_forward(layers: list[tuple[Array, Array]], points: NDArray[Any]) -> Array:
    units = points.astype(np.float64)
    for weights, biases in layers[:-1]:
        units = np.maximum(units @ weights.T + biases, 0)
    return np.asarray(units @ layers[-1][0].T + layers[-1][1])[:, 0]


@pytest.mark.parametrize("labels", ["classes", "signs", "zeros first"])
@pytest.mark.parametrize("depth", [3, 4, 7, 30])
@pytest.mark.parametrize("n", [1, 5, 100])
def test_networks_of_any_depth_take_the_same_labels(n: int, depth: int, labels: str) -> None:
    points, values, sample = made(n, 6, labels, whole=True)
    network = deepened(represent(sample), depth)
    assert (network(points) == values).all()
    assert network.depth == depth
    assert network.width <= n / (depth - 2) + 4
    assert network.parameters <= 4 * n + 6 + 10 * depth


def test_a_deep_network_is_the_same_function_away_from_the_points_too() -> None:
    points, _, sample = made(50, 6, "classes", whole=True)
    network = represent(sample)
    others = np.random.default_rng(5).integers(-1000, 1000, size=(200, 6))
    for depth in (3, 9):
        deep = deepened(network, depth)
        assert deep(others) == pytest.approx(network(others), rel=1e-9, abs=1e-6)
        layers = [(layer.weights.toarray(), layer.biases) for layer in deep.layers]
        assert deep(points) == pytest.approx(dense_forward(layers, points), abs=1e-6)


def test_a_deep_network_shares_no_weight() -> None:
    """What it is counted by is what its layers hold: each shape fits the one before it."""
    _, _, sample = made(40, 6, "classes", whole=True)
    deep = deepened(represent(sample), 6)
    shapes = [layer.weights.shape for layer in deep.layers]
    assert shapes[0] == (1, 6)
    assert shapes[-1][0] == 1
    assert all(before[0] == after[1] for before, after in pairwise(shapes))
    assert all(len(layer.biases) == layer.weights.shape[0] for layer in deep.layers)


def test_too_shallow_a_network_is_refused() -> None:
    _, _, sample = made(10, 4, "classes", whole=True)
    with pytest.raises(UserError, match="depth 2: give 3 or more"):
        deepened(represent(sample), 2)
