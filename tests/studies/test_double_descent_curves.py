"""What is read off curves, and exact least squares on random features: cases with known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethinking.data.corruptions import wrong_labels
from rethinking.studies.double_descent.curves import (
    clean_error,
    noisy_error,
    noisy_scale,
    peak,
    rise,
    smoothed,
    threshold,
)
from rethinking.studies.double_descent.fourier import LeastSquares, draw_frequencies, fourier_features
from rethinking.studies.double_descent.random_features import errors

ERRORS = st.lists(st.floats(0, 1), min_size=1, max_size=12)


# --- curves ---


def test_the_peak_of_double_descent_is_the_inner_maximum_not_the_left_end() -> None:
    found = peak([0.9, 0.3, 0.5, 0.6, 0.2])
    assert (found.before, found.top, found.after) == (1, 3, 4)
    assert (found.rise, found.fall) == pytest.approx((0.3, 0.4))
    assert found.height == pytest.approx(0.3)


@given(ERRORS)
def test_a_monotone_curve_has_no_peak(values: list[float]) -> None:
    assert peak(sorted(values)).height == 0
    assert peak(sorted(values, reverse=True)).height == 0


@given(ERRORS)
def test_no_point_stands_higher_above_both_sides_than_the_peak(values: list[float]) -> None:
    found = peak(values)
    assert found.before <= found.top <= found.after
    for place, value in enumerate(values):
        assert min(value - min(values[: place + 1]), value - min(values[place:])) <= found.height + 1e-12


@given(ERRORS)
def test_the_rise_is_the_largest_increase(values: list[float]) -> None:
    found = rise(values)
    assert found.size == values[found.end] - values[found.start] >= 0
    assert all(later - value <= found.size for i, value in enumerate(values) for later in values[i:])
    assert rise(sorted(values, reverse=True)).size == 0


@pytest.mark.parametrize("measure", [peak, rise])
def test_a_curve_without_points_is_an_error(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(ValueError, match="without points"):
        measure([])


def test_the_threshold_is_the_first_size_that_fits_up_to_ten_percent() -> None:
    assert threshold([1, 2, 4, 8], [0.4, 0.11, 0.1, 0.0]) == 4
    assert threshold([1, 2], [0.4, 0.3]) is None


def test_smoothing_averages_neighbours_and_nothing_else() -> None:
    assert smoothed([1, 2, 3, 7], 3) == pytest.approx([2, 4])
    assert smoothed([0.5], 1) == pytest.approx([0.5])


# --- noisy test labels ---


@pytest.mark.parametrize("probability", [0.1, 0.2, 0.7])
def test_the_formula_is_the_error_on_labels_that_are_really_drawn(probability: float) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=400_000, dtype=np.uint8)
    predictions = wrong_labels(labels, 0.23, 10, rng)
    drawn = float((predictions != wrong_labels(labels, probability, 10, rng)).mean())
    clean = float((predictions != labels).mean())
    assert noisy_error(clean, probability) == pytest.approx(drawn, abs=0.004)  # five standard errors


@given(st.floats(0, 1), st.floats(0, 0.85))
def test_noisy_and_clean_errors_are_each_others_inverse(error: float, probability: float) -> None:
    assert clean_error(noisy_error(error, probability), probability) == pytest.approx(error, abs=1e-9)


def test_differences_shrink_by_the_scale_and_guessing_stays_guessing() -> None:
    assert noisy_error(0.5, 0.2) - noisy_error(0.3, 0.2) == pytest.approx(0.2 * noisy_scale(0.2))
    assert noisy_error(0.9, 0.2) == pytest.approx(0.9)
    assert noisy_error(0.0, 0.15) == 0.15


# --- least squares ---


def problem(examples: int, features: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(examples + 1000 * features)
    return rng.standard_normal((examples, features)), rng.standard_normal((examples, 3))


@pytest.mark.parametrize(("examples", "features"), [(20, 7), (20, 20), (20, 60)])
def test_without_a_penalty_it_is_the_solution_of_smallest_norm(examples: int, features: int) -> None:
    matrix, targets = problem(examples, features)
    found = LeastSquares(matrix.copy()).weights(targets)
    assert found == pytest.approx(np.linalg.pinv(matrix) @ targets, rel=1e-6, abs=1e-8)
    if features >= examples:
        assert matrix @ found == pytest.approx(targets, abs=1e-7)


def test_any_other_interpolating_solution_has_a_larger_norm() -> None:
    matrix, targets = problem(10, 30)
    found = LeastSquares(matrix.copy()).weights(targets)
    null = np.linalg.svd(matrix)[2][10:].T
    for seed in range(5):
        other = found + null @ np.random.default_rng(seed).standard_normal((20, 3))
        assert matrix @ other == pytest.approx(targets, abs=1e-8)
        assert np.linalg.norm(other) > np.linalg.norm(found)


@pytest.mark.parametrize(("examples", "features"), [(20, 7), (20, 60)])
def test_a_penalty_gives_the_solution_of_ridge_regression(examples: int, features: int) -> None:
    matrix, targets = problem(examples, features)
    expected = np.linalg.solve(matrix.T @ matrix + 0.3 * np.eye(features), matrix.T @ targets)
    assert LeastSquares(matrix.copy()).weights(targets, 0.3) == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_dependent_features_are_no_reason_to_blow_up() -> None:
    matrix, targets = problem(20, 5)
    twice = LeastSquares(np.hstack([matrix, matrix])).weights(targets)
    assert twice[:5] == pytest.approx(twice[5:])
    assert twice[:5] * 2 == pytest.approx(LeastSquares(matrix.copy()).weights(targets))


def test_inner_products_of_many_features_are_the_gaussian_kernel() -> None:
    rng = np.random.default_rng(0)
    examples = rng.standard_normal((6, 4))
    features = fourier_features(examples, draw_frequencies(4, 200_000, 1.5, rng), 200_000)
    distances = np.square(examples[:, None] - examples[None]).sum(axis=2)
    assert features @ features.T == pytest.approx(np.exp(-distances / (2 * 1.5**2)), abs=0.015)


def test_models_with_fewer_features_have_the_first_of_them() -> None:
    rng = np.random.default_rng(0)
    examples, frequencies = rng.standard_normal((3, 4)), draw_frequencies(4, 10, 1.0, rng)
    few, many = (fourier_features(examples, frequencies, count) * np.sqrt(count) for count in (4, 10))
    assert few == pytest.approx(many[:, :4])


def test_test_error_has_its_peak_where_features_equal_examples() -> None:
    """The phenomenon itself, on a linear target: the error at N = n is many times that on either side."""
    rng = np.random.default_rng(1)
    train, test = rng.standard_normal((60, 5)), rng.standard_normal((300, 5))
    direction = rng.standard_normal((5, 1))
    frequencies = draw_frequencies(5, 600, 3.0, rng)
    noisy = train @ direction + 0.3 * rng.standard_normal((60, 1))
    squared = {}
    for count in (20, 60, 600):
        weights = LeastSquares(fourier_features(train, frequencies, count)).weights(noisy)
        outputs = fourier_features(test, frequencies, count) @ weights
        squared[count] = float(np.square(outputs - test @ direction).mean())
    assert squared[60] > 10 * max(squared[20], squared[600])


def test_errors_are_of_the_largest_output_and_of_all_outputs() -> None:
    outputs = np.array([[1.0, 0.0], [0.4, 0.6], [0.8, 0.0]])
    found = errors(outputs, np.array([0, 1, 1]))
    assert found.zero_one == pytest.approx(1 / 3)
    assert found.squared == pytest.approx((0 + 0.32 + 1.64) / 3)
