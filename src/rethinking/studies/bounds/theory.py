"""The bounds themselves, as functions of numbers. Each holds with probability 1 - delta, and names its source.

A bound is on the difference between test and training error, both fractions: one that is 1 or more says nothing.
Logarithms are natural unless they say otherwise.
"""

import math
from itertools import pairwise
from typing import NamedTuple

TWO_CLASSES_GUESSED = 0.5
"""The error of guessing one of two classes: what a bound has to be below to say anything of two."""


# --- Rademacher complexity ---


def sign_correlation(accuracy: float, classes: int) -> float:
    """Return the mean correlation of a classifier's signs with labels' signs, over all halvings of the classes.

    A halving makes a sign of each label, and of each prediction. If labels are uniformly random, their signs are just
    the Rademacher variables of the training set, and the correlation is a lower bound, from one draw, on the largest
    that the class of networks reaches. A wrong prediction falls into the other half in (c/2) / (c-1) of the halvings of
    c classes. Raises ValueError for an odd number of classes.
    """
    if classes % 2:
        raise ValueError(f"{classes} classes cannot be halved")
    return 1 - 2 * (1 - accuracy) * (classes / 2) / (classes - 1)


def one_draw_deviation(examples: int, delta: float) -> float:
    """Return how far the largest correlation in one draw of signs may be above its mean (McDiarmid's inequality).

    The mean is the empirical Rademacher complexity; one sign changes the correlation by 2/n.
    """
    return math.sqrt(2 * math.log(1 / delta) / examples)


def rademacher_bound(complexity: float, examples: int, delta: float) -> float:
    """Return the bound for two classes by the empirical Rademacher complexity (Mohri et al. 2018, theorem 3.5)."""
    return complexity + 3 * math.sqrt(math.log(2 / delta) / (2 * examples))


# --- VC dimension ---


class Layers(NamedTuple):
    """A feed-forward network with one output, layer by layer, hidden ones first."""

    units: tuple[int, ...]
    parameters: tuple[int, ...]
    """Weights and biases of each layer."""


def perceptron(inputs: int, width: int, depth: int) -> Layers:
    """Return a perceptron of `depth` hidden layers of `width` units and one output."""
    sizes = [inputs, *[width] * depth, 1]
    parameters = (before * after + after for before, after in pairwise(sizes))
    return Layers(tuple(sizes[1:]), tuple(parameters))


def vc_dimension_at_most(layers: Layers) -> float:
    """Return the upper bound on the VC dimension of a network of rectified linear units.

    Bartlett, Harvey, Liaw and Mehrabian 2019, theorem 7, for activations of two linear pieces: with W_i parameters in
    layers 1 to i, W of them in all, effective depth D = sum_i W_i / W and R = sum_i i k_i for k_i units in layer i,
    it is L + D W log2(4 e R log2(2 e R)).
    """
    depth, total = len(layers.units), sum(layers.parameters)
    effective_depth = sum(sum(layers.parameters[: place + 1]) for place in range(depth)) / total
    pieces = sum((place + 1) * units for place, units in enumerate(layers.units))
    return depth + effective_depth * total * math.log2(4 * math.e * pieces * math.log2(2 * math.e * pieces))


def log_growth(vc_dimension: float, examples: int) -> float:
    """Return the bound on the logarithm of the number of labellings of n examples (Sauer's lemma): n log 2 at most."""
    everything = examples * math.log(2)
    if vc_dimension >= examples:
        return everything
    return min(everything, vc_dimension * math.log(math.e * examples / vc_dimension))


def vc_bound(vc_dimension: float, examples: int, delta: float) -> float:
    """Return the bound for two classes by the growth function (Mohri et al. 2018, corollary 3.9)."""
    growth = 2 * log_growth(vc_dimension, examples) / examples
    return math.sqrt(growth) + math.sqrt(math.log(1 / delta) / (2 * examples))


def vc_dimension_at_least(complexity: float, examples: int) -> float:
    """Return the least VC dimension that a class of this empirical Rademacher complexity can have on n examples.

    Massart's lemma bounds the complexity by sqrt(2 log(labellings) / n), Sauer's lemma the labellings by (e n / D)^D.
    """
    needed = examples * complexity**2 / 2
    low, high = 0.0, float(examples)
    for _ in range(100):
        middle = (low + high) / 2
        reached = middle * math.log(math.e * examples / middle)
        low, high = (low, middle) if reached >= needed else (middle, high)
    return high


# --- norms and margins ---


class Norms(NamedTuple):
    """What bounds by norms read of a trained perceptron; biases are weights of an input that is always 1."""

    examples: int
    layers: int
    largest_layer: int
    """Inputs or outputs, the most of any layer."""
    input_norm: float
    """Root of the sum of all training examples' squares."""
    margin: float
    """The quantile of training margins at which the bound is taken."""
    frobenius: float
    """Product of the Frobenius norms of the hidden layers."""
    output_rows: float
    """Sum over outputs of the Euclidean norm of their weights."""
    spectral: float
    """Product of the spectral norms of all layers."""
    distances: float
    """Sum over layers of (b / s)^(2/3): b the summed norms of rows of the change from the first weights, s spectral."""


def _from_complexity(complexity: float, examples: int, delta: float) -> float:
    return 2 * complexity + 3 * math.sqrt(math.log(2 / delta) / (2 * examples))


def frobenius_bound(norms: Norms, delta: float) -> float:
    """Return the bound on test error less the fraction of training examples inside the margin, by Frobenius norms.

    Golowich, Rakhlin and Shamir 2018, theorem 1, bounds the Rademacher complexity of one output; the margin is
    sqrt(2)/margin-Lipschitz in the outputs, which Maurer's contraction (2016) turns into their sum.
    """
    per_row = (math.sqrt(2 * math.log(2) * norms.layers) + 1) * norms.frobenius * norms.input_norm / norms.examples
    return _from_complexity(2 / norms.margin * norms.output_rows * per_row, norms.examples, delta)


def spectral_bound(norms: Norms, delta: float) -> float:
    """Return the same by spectral norms and the distance from the first weights (Bartlett, Foster & Telgarsky 2017).

    Their theorem 3.3 bounds the covering numbers, log N(e) <= C / e^2; Dudley's integral (their lemma A.5), begun at
    1/n, gives the Rademacher complexity 4 n^(-3/2) + 18 sqrt(C) log(n) / n.
    """
    root = math.sqrt(2) / norms.margin * norms.input_norm * math.sqrt(math.log(2 * norms.largest_layer**2))
    root *= norms.spectral * norms.distances**1.5
    complexity = 4 * norms.examples**-1.5 + 18 * root * math.log(norms.examples) / norms.examples
    return _from_complexity(complexity, norms.examples, delta)


# --- stability ---


def sgd_stability(epochs: int, examples: int) -> float:
    """Return what the bound on the uniform stability of gradient descent tends to for losses that are not smooth.

    Hardt, Recht and Singer 2016, theorem 3.12: for a loss in [0, 1] with Lipschitz constant L and smoothness s, and T
    steps at rates of at most c/t, it is (1 + 1/sc) / (n - 1) (2 c L^2)^(1/(sc+1)) T^(sc/(sc+1)). Rectified linear units
    have no s; as s grows, T / (n - 1) is left, with T the number of examples that were seen, each counted each time.
    """
    return epochs * examples / (examples - 1)
