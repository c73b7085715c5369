"""Unbiased estimates of bias and variance from networks trained on disjoint parts of a training set.

Outputs are f[j, s] for part j of N and repetition s of S, each on n test examples with c classes; targets y are their
labels as one-hot vectors. Squares are summed over classes and averaged over examples.

    risk         mean of |f[j, s] - y|^2
    optimisation mean over parts of the variance over repetitions, S - 1 in its denominator
    sampling     variance of the parts' means, N - 1 in its denominator, less optimisation / S
    variance     sampling + optimisation: for S = 1 the variance over parts, as in Yang et al. 2020
    bias^2       risk - variance

The split is the law of total variance (Neal et al. 2018), with the estimators of the nested analysis of variance. A
part's mean over S repetitions still varies with them, by optimisation / S; taking that away leaves sampling unbiased,
so that it may come out below zero where it is small. The same holds for bias^2.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Decomposition(NamedTuple):
    """Estimates of the parts of the risk, all in units of squared outputs."""

    risk: float
    bias_squared: float
    variance: float
    sampling: float
    """Variance over training sets, of the mean over repetitions; NaN if there is one repetition."""
    optimisation: float
    """Variance over repetitions on one training set, averaged over these; NaN if there is one repetition."""


def decompose(outputs: Array, targets: Array) -> Decomposition:
    """Decompose the risk of `outputs` (N parts, S repetitions, n examples, c classes) against `targets` (n, c).

    Repetitions of different parts must be independent of each other: the design is nested. Raises ValueError for fewer
    than two parts.
    """
    parts, repetitions, examples, _ = outputs.shape
    if parts < 2:
        raise ValueError(f"found {parts} part, a variance over parts needs two")
    risk = float(np.square(outputs - targets).sum()) / (parts * repetitions * examples)
    means = outputs.mean(axis=1)
    over_means = float(np.square(means - means.mean(axis=0)).sum()) / ((parts - 1) * examples)
    if repetitions == 1:
        return Decomposition(risk, risk - over_means, over_means, math.nan, math.nan)
    within = np.square(outputs - means[:, None]).sum()
    optimisation = float(within) / (parts * (repetitions - 1) * examples)
    sampling = over_means - optimisation / repetitions
    variance = sampling + optimisation
    return Decomposition(risk, risk - variance, variance, sampling, optimisation)


def jackknife(statistic: Callable[[Array], Array], samples: Array) -> Array:
    """Return the standard error of each number of `statistic(samples)`, whose first axis are independent draws.

    The statistic is computed without each draw in turn. For a statistic of so few draws this errs, if at all, towards
    too large. NaN where fewer than three draws leave none to compare.
    """
    count = len(samples)
    if count < 3:
        return np.full_like(statistic(samples), math.nan)
    without = np.stack([statistic(np.delete(samples, position, axis=0)) for position in range(count)])
    spread: Array = np.square(without - without.mean(axis=0)).sum(axis=0)
    return np.sqrt(spread * (count - 1) / count)
