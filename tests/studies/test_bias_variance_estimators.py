"""The estimators of bias and variance, on simulated networks of known bias and variance, and on polynomials."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rethinking.studies.bias_variance.estimators import Array, Decomposition, decompose, jackknife
from rethinking.studies.bias_variance.regression import decomposed, fitted, run, target

BIAS, SAMPLING, OPTIMISATION = 0.3, 0.5, 0.8
"""Of each output: the distance of its mean from the target, and the standard deviations of its two random parts."""
CLASSES, EXAMPLES, DRAWS = 2, 5, 4000
TRUTH = Decomposition(
    risk=CLASSES * (BIAS**2 + SAMPLING**2 + OPTIMISATION**2),
    bias_squared=CLASSES * BIAS**2,
    variance=CLASSES * (SAMPLING**2 + OPTIMISATION**2),
    sampling=CLASSES * SAMPLING**2,
    optimisation=CLASSES * OPTIMISATION**2,
)


def simulated(rng: np.random.Generator, parts: int, repetitions: int, shared: bool = False) -> tuple[Array, Array]:
    """Outputs (N, S, n, c) and targets of networks whose training set and seed each add a normal deviation.

    With `shared` seeds, what the seed adds is the same for every part.
    """
    targets = rng.standard_normal((EXAMPLES, CLASSES))
    of_set = SAMPLING * rng.standard_normal((parts, 1, EXAMPLES, CLASSES))
    of_seed = OPTIMISATION * rng.standard_normal((1 if shared else parts, repetitions, EXAMPLES, CLASSES))
    return targets + BIAS + of_set + of_seed, targets


def naive(outputs: Array, targets: Array) -> Decomposition:
    """The plug-in estimates: N and S in the denominators, and nothing taken from the variance of the means."""
    repetitions, examples = outputs.shape[1], outputs.shape[2]
    means = outputs.mean(axis=1)
    risk = float(np.square(outputs - targets).sum(axis=-1).mean())
    sampling = float(np.square(means - means.mean(axis=0)).sum(axis=-1).mean())
    optimisation = float(np.square(outputs - means[:, None]).sum(axis=-1).mean())
    assert repetitions > 0
    assert examples == len(targets)
    return Decomposition(risk, risk - sampling - optimisation, sampling + optimisation, sampling, optimisation)


def deviations(estimator: Any, parts: int, repetitions: int, shared: bool = False) -> Decomposition:
    """How many standard errors the mean over many draws is away from the truth, for each estimate."""
    rng = np.random.default_rng(1)
    found = np.array([estimator(*simulated(rng, parts, repetitions, shared)) for _ in range(DRAWS)])
    errors = found.std(axis=0, ddof=1) / math.sqrt(DRAWS)
    return Decomposition(*((found.mean(axis=0) - TRUTH) / errors))


@pytest.mark.parametrize(("parts", "repetitions"), [(2, 2), (5, 2), (3, 4)])
def test_every_estimate_is_unbiased(parts: int, repetitions: int) -> None:
    assert np.abs(deviations(decompose, parts, repetitions)).max() < 4


def test_with_one_network_a_part_bias_and_variance_are_unbiased_and_their_split_is_unknown() -> None:
    found = deviations(decompose, 4, 1)
    assert np.abs([found.risk, found.bias_squared, found.variance]).max() < 4
    assert math.isnan(found.sampling)
    assert math.isnan(found.optimisation)


def test_plug_in_estimates_are_told_from_unbiased_ones() -> None:
    found = deviations(naive, 5, 2)
    assert abs(found.risk) < 4
    assert found.bias_squared > 10
    assert found.variance < -10
    assert found.optimisation < -10
    assert found.sampling > 10  # a mean over two repetitions varies with them


def test_seeds_that_parts_share_make_variance_too_small() -> None:
    """Why no two networks of a width may have one: what the seed decides does not show between parts then."""
    found = deviations(decompose, 5, 2, shared=True)
    assert abs(found.optimisation) < 4
    assert found.variance < -10
    assert found.bias_squared > 10
    assert deviations(decompose, 5, 1, shared=True).variance < -10


def test_one_case_by_hand() -> None:
    """Two parts, two repetitions, one example of one class: outputs 1, 3 and 5, 9 against a target of 2."""
    found = decompose(np.array([1.0, 3, 5, 9]).reshape(2, 2, 1, 1), np.array([[2.0]]))
    assert found.risk == (1 + 1 + 9 + 49) / 4
    assert found.optimisation == (2 + 8) / 2
    assert found.sampling == (2 - 7) ** 2 / 2 - 5 / 2
    assert found.variance == found.sampling + found.optimisation
    assert found.bias_squared == found.risk - found.variance


numbers = st.floats(-10, 10).map(lambda value: round(value, 3))
shapes = st.tuples(st.integers(2, 4), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=50)
@given(shapes, st.integers(0, 2**32 - 1), numbers)
def test_identities(shape: tuple[int, int, int, int], seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    outputs, targets = rng.standard_normal(shape), rng.standard_normal(shape[2:])
    found = decompose(outputs, targets)
    assert found.risk == pytest.approx(found.bias_squared + found.variance)
    if shape[1] == 1:  # Yang et al. 2020
        parts = outputs[:, 0]
        spread = np.square(parts - parts.mean(axis=0)).sum(axis=-1).mean()
        assert found.variance == pytest.approx(spread * shape[0] / (shape[0] - 1))
    else:
        assert found.variance == pytest.approx(found.sampling + found.optimisation)
    shifted = decompose(outputs + shift, targets + shift)
    assert shifted == pytest.approx(found, nan_ok=True)
    assert decompose(outputs[::-1], targets) == pytest.approx(found, nan_ok=True)
    doubled = decompose(2 * outputs, 2 * targets)
    assert doubled == pytest.approx(tuple(4 * value for value in found), nan_ok=True)


def test_networks_that_are_all_alike_have_bias_alone() -> None:
    found = decompose(np.ones((3, 2, 4, 2)), np.zeros((4, 2)))
    assert found == Decomposition(risk=2.0, bias_squared=2.0, variance=0.0, sampling=0.0, optimisation=0.0)


def test_one_part_has_no_variance_over_parts() -> None:
    with pytest.raises(ValueError, match="found 1 part, a variance over parts needs two"):
        decompose(np.zeros((1, 2, 3, 4)), np.zeros((3, 4)))


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    samples = np.random.default_rng(0).standard_normal((7, 3))
    found = jackknife(lambda some: some.mean(axis=0), samples)
    assert found == pytest.approx(samples.std(axis=0, ddof=1) / math.sqrt(7))


def test_the_jackknife_of_the_variance_is_about_its_spread_over_draws() -> None:
    rng = np.random.default_rng(2)
    draws = [simulated(rng, 8, 2) for _ in range(300)]

    def variance(targets: Array) -> Any:
        return lambda outputs: np.array([decompose(outputs, targets).variance])

    spread = np.std([variance(targets)(outputs) for outputs, targets in draws], ddof=1)
    claimed = [jackknife(variance(targets), outputs)[0] for outputs, targets in draws]
    assert math.sqrt(np.square(claimed).mean()) == pytest.approx(spread, rel=0.25)


def test_the_jackknife_needs_three_draws() -> None:
    assert math.isnan(jackknife(lambda some: some.mean(axis=0), np.zeros((2, 1)))[0])


# --- polynomials ---


def test_a_polynomial_is_fitted_exactly_by_its_degree() -> None:
    inputs = np.random.default_rng(0).uniform(-1, 1, (3, 8))
    at = np.linspace(-1, 1, 5)

    def cubic(x: Array) -> Array:
        return 1 - 2 * x + 3 * x**3

    assert fitted(3, inputs, cubic(inputs), at) == pytest.approx(np.tile(cubic(at), (3, 1)))
    assert fitted(2, inputs, cubic(inputs), at) != pytest.approx(np.tile(cubic(at), (3, 1)), abs=0.01)


@pytest.mark.parametrize("degree", [1, 5])
def test_bias_and_variance_of_least_squares_are_those_of_theory(degree: int) -> None:
    """Fixed inputs, tested at the same: variance is noise^2 (d + 1) / n, bias what the projection leaves."""
    examples, noise, repetitions = 12, 0.5, 4000
    rng = np.random.default_rng(3)
    at = np.linspace(-1, 1, examples)
    inputs = np.tile(at, (repetitions, 1))
    predictions = fitted(degree, inputs, target(inputs) + noise * rng.standard_normal(inputs.shape), at)
    left = np.square(fitted(degree, at[None], target(at)[None], at)[0] - target(at)).mean()
    found = decomposed(predictions, target(at), target(inputs) + noise * rng.standard_normal(inputs.shape))
    expected = {"bias_squared": left, "variance": noise**2 * (degree + 1) / examples}
    expected["risk"] = sum(expected.values()) + noise**2
    for name, value in expected.items():
        error = found[name].std(ddof=1) / math.sqrt(repetitions)
        assert abs(found[name].mean() - value) < 4 * error
        assert error < 0.02


def regression(**changes: Any) -> list[dict[str, Any]]:
    settings = {"degrees": [0, 5, 9], "examples": 20, "noise": 0.5, "repetitions": 300, "seed": 0} | changes
    return [dict(row) for row in run(SimpleNamespace(settings=settings))]  # type: ignore[arg-type]


def test_the_regression_has_a_row_a_degree_and_measure_and_is_the_same_each_time() -> None:
    rows = regression()
    measures = ("bias_squared", "variance", "risk")
    assert [(row["degree"], row["measure"]) for row in rows] == [(d, m) for d in (0, 5, 9) for m in measures]
    assert rows == regression()
    assert rows != regression(seed=1)
    values = {(row["degree"], row["measure"]): row["value"] for row in rows}
    for degree in (0, 5, 9):
        parts = values[degree, "bias_squared"] + values[degree, "variance"] + 0.25
        assert values[degree, "risk"] == pytest.approx(parts, rel=0.03)
        assert values[degree, "risk"] != parts  # it is measured, not added up
    assert values[0, "risk"] > 1.5 * values[5, "risk"] < values[9, "risk"]
