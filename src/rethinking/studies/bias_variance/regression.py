"""Experiment: polynomials of rising degree fitted to a noisy sinusoid, where the classical picture holds."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from rethinking.experiments.records import Row

if TYPE_CHECKING:
    from rethinking.experiments.laboratory import Laboratory

Array = NDArray[np.float64]

TEST_INPUTS = 200


def target(inputs: Array) -> Array:
    """Return sin(1.5 pi x + pi / 4): neither even nor odd, so that every degree has its share in it."""
    return np.sin(1.5 * np.pi * inputs + 0.25 * np.pi)


def fitted(degree: int, inputs: Array, observed: Array, at: Array) -> Array:
    """Return the predictions (R, m) at `at` (m,) of least squares in R training sets `inputs`, `observed` (R, n).

    In Legendre polynomials, which keep the problem well conditioned. Raises LinAlgError if one has no unique solution.
    """
    q, r = np.linalg.qr(legendre.legvander(inputs, degree))
    coefficients = np.linalg.solve(r, np.swapaxes(q, -1, -2) @ observed[..., None])
    return np.asarray((legendre.legvander(at, degree) @ coefficients)[..., 0])


def decomposed(predictions: Array, truth: Array, noisy: Array) -> dict[str, Array]:
    """Return each measure's contributions (R,), whose mean is the estimate.

    `predictions` (R, m) are those of R training sets, `truth` (m,) is the target without noise, `noisy` (R, m) are test
    values with fresh noise. Bias squared and variance are unbiased and read no noisy value; risk reads nothing else.
    """
    count = len(predictions)
    squared_error = np.square(predictions - truth).mean(axis=1)
    variance = np.square(predictions - predictions.mean(axis=0)).mean(axis=1) * count / (count - 1)
    risk = np.square(predictions - noisy).mean(axis=1)
    return {"bias_squared": squared_error - variance, "variance": variance, "risk": risk}


def run(laboratory: "Laboratory") -> list[Row]:
    """Return a row a degree and measure; standard errors are over training sets."""
    settings: dict[str, Any] = dict(laboratory.settings)
    repetitions, examples, noise = settings["repetitions"], settings["examples"], settings["noise"]
    rng = np.random.default_rng(settings["seed"])
    # The same training sets for every degree. Each has one input in each of as many equal pieces of the range: drawn
    # without this they leave gaps, and the few sets with a wide one would be most of the variance at high degrees.
    inputs = (np.arange(examples) + rng.uniform(size=(repetitions, examples))) / examples * 2 - 1
    observed = target(inputs) + noise * rng.standard_normal(inputs.shape)
    # The middles of equal pieces of the range.
    at = (np.arange(TEST_INPUTS) + 0.5) / TEST_INPUTS * 2 - 1
    noisy = target(at) + noise * rng.standard_normal((repetitions, TEST_INPUTS))
    rows: list[Row] = []
    for degree in settings["degrees"]:
        found = decomposed(fitted(degree, inputs, observed, at), target(at), noisy)
        for measure, contributions in found.items():
            error = float(contributions.std(ddof=1)) / repetitions**0.5
            rows.append(
                {
                    "degree": degree,
                    "measure": measure,
                    "value": float(contributions.mean()),
                    "standard_error": error,
                }
            )
    return rows
