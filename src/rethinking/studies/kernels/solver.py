"""Minimum-norm and ridge solutions of a Gram system, to a stated residual.

Of all w in feature space with <w, phi(x_i)> = y_i the one of smallest norm is w = sum_i a_i phi(x_i) with K a = y
(Zhang et al. 2017, section 5), and |w|^2 = a^T K a. With a ridge penalty, (K + penalty I) a = y.

K is factored once in single precision, which halves the memory and the time, with a small shift of its diagonal that
keeps rounding from making it indefinite. Conjugate gradients in double precision then solve the system itself, without
the shift: the factor is their preconditioner, and few steps are needed.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from rethinking.studies.kernels.cholesky import Factor, NotPositiveDefinite, factorise
from rethinking.studies.kernels.gram import Gram, product
from rethinking.studies.kernels.measuring import Stopwatch

SHIFT = 1e-3
"""First shift that is tried, in units of the diagonal's mean: at 60,000 examples rounding is some ten times smaller."""
LARGEST_SHIFT = 1.0
TOLERANCE = 1e-4
"""Largest residual of any training example and output; targets are 0 and 1."""
MOST_STEPS = 200


class Solution(NamedTuple):
    """What a Gram system has come to."""

    coefficients: Tensor
    """(n, c) float64."""
    outputs: Tensor
    """On the training examples, (n, c) float64: the Gram matrix times the coefficients, multiplied out at the end."""
    residual: float
    """Largest absolute residual of the system, over examples and outputs."""
    shift: float
    """Of the factor's diagonal."""
    steps: int
    """Of conjugate gradients."""

    def squared_norms(self) -> Tensor:
        """Return |w|^2 = a^T K a of each output, (c,)."""
        return (self.coefficients * self.outputs).sum(dim=0)


def solve(gram: Gram, targets: Tensor, penalty: float, watch: Stopwatch) -> Solution:
    """Return the solution for targets (n, c) float64: the one of smallest norm where `penalty` is 0.

    `penalty` is in units of the mean of the Gram matrix's diagonal. Raises NotPositiveDefinite if no shift up to
    LARGEST_SHIFT lets the matrix be factored. A system that the steps do not bring to the tolerance is returned with
    the residual that it has. Two equal examples with different targets are such a system, or, where rounding tells them
    apart, one with an enormous norm.
    """
    with watch.time("factorisation"):
        factor, shift = _shifted(watch.timed(gram), penalty)
    with watch.time("solution"):
        coefficients, steps = _conjugate_gradients(gram, targets, penalty, factor)
        outputs = product(gram, coefficients)
    residual = float((targets - outputs - penalty * coefficients).abs().max())
    return Solution(coefficients, outputs, residual, shift, steps)


def _shifted(gram: Gram, penalty: float) -> tuple[Factor, float]:
    shift = SHIFT
    while True:
        try:
            return factorise(gram, penalty + shift), shift
        except NotPositiveDefinite:
            shift *= 10
            if shift > LARGEST_SHIFT:
                raise


def _conjugate_gradients(gram: Gram, targets: Tensor, penalty: float, factor: Factor) -> tuple[Tensor, int]:
    """Solve for all columns at once, each with step lengths of its own, until the largest residual is small enough."""
    found, residual = torch.zeros_like(targets), targets.clone()
    conditioned = factor.solve(residual)
    direction, old = conditioned, (residual * conditioned).sum(dim=0)
    steps = 0
    while steps < MOST_STEPS and float(residual.abs().max()) > TOLERANCE:
        image = product(gram, direction) + penalty * direction
        length = _ratio(old, (direction * image).sum(dim=0))
        found += length * direction
        residual -= length * image
        conditioned = factor.solve(residual)
        new = (residual * conditioned).sum(dim=0)
        direction, old = conditioned + _ratio(new, old) * direction, new
        steps += 1
    return found, steps


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Return the quotients, 0 where a column is solved already."""
    return torch.where(denominator > 0, numerator / denominator, torch.zeros_like(numerator))
