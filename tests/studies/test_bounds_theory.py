"""The formulas of classical bounds, against cases with known answers, and the norms that go into them."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from rethinking.errors import UserError
from rethinking.models.mlp import build
from rethinking.studies.bounds.norms import margins, matrices, row_norms, spectral_norm
from rethinking.studies.bounds.theory import (
    Norms,
    frobenius_bound,
    log_growth,
    one_draw_deviation,
    perceptron,
    rademacher_bound,
    sgd_stability,
    sign_correlation,
    spectral_bound,
    vc_bound,
    vc_dimension_at_least,
    vc_dimension_at_most,
)

# --- Rademacher complexity ---


@pytest.mark.parametrize("classes", [2, 4, 10])
def test_the_correlation_of_signs_is_that_over_all_halvings(classes: int) -> None:
    rng = np.random.default_rng(classes)
    labels = rng.integers(classes, size=300)
    predictions = np.where(rng.random(300) < 0.8, labels, rng.integers(classes, size=300))
    correlations = []
    for half in itertools.combinations(range(classes), classes // 2):
        signs, found = (np.where(np.isin(array, half), 1, -1) for array in (labels, predictions))
        correlations.append((signs * found).mean())
    assert sign_correlation(float((labels == predictions).mean()), classes) == pytest.approx(np.mean(correlations))


def test_known_correlations() -> None:
    assert sign_correlation(1.0, 10) == 1
    assert sign_correlation(0.1, 10) == pytest.approx(0), "guessing tells nothing of the signs"
    with pytest.raises(ValueError, match="7 classes cannot be halved"):
        sign_correlation(1.0, 7)


def test_one_draw_is_within_its_deviation_of_the_complexity_of_a_known_class() -> None:
    """Thresholds on a line, both ways: the largest correlation is the largest prefix sum, less half the total."""
    examples, delta = 200, 0.05
    rng = np.random.default_rng(0)
    signs = rng.choice([-1, 1], size=(4000, examples))
    prefix = np.concatenate([np.zeros((4000, 1)), signs.cumsum(axis=1)], axis=1)
    best = np.abs(2 * prefix - prefix[:, -1:]).max(axis=1) / examples
    above = (best > best.mean() + one_draw_deviation(examples, delta)).mean()
    assert above <= delta
    growth = math.sqrt(2 * math.log(2 * examples) / examples)
    assert best.mean() <= growth, "Massart's lemma, with 2n labellings"
    # The VC dimension of thresholds both ways is 2, and no lower bound on it may be more.
    assert vc_dimension_at_least(float(best.mean()), examples) <= 2


def test_the_bound_of_a_class_that_fits_everything_is_above_one() -> None:
    assert rademacher_bound(1.0, 1437, 0.05) > 1
    assert rademacher_bound(0.0, 50_000, 0.05) == pytest.approx(3 * math.sqrt(math.log(40) / 100_000))


# --- VC dimension ---


def test_layers_of_a_perceptron_have_the_papers_numbers_of_parameters() -> None:
    for depth, with_ten_outputs in ((1, 1_209_866), (3, 1_735_178)):
        layers = perceptron(28 * 28 * 3, 512, depth)
        assert sum(layers.parameters) + 9 * 513 == with_ten_outputs
        assert layers.units == (*[512] * depth, 1)


def test_the_vc_formula_by_hand() -> None:
    """Two inputs, three hidden units: 9 + 4 parameters, D W = 9 + 13 = 22, R = 3 + 2 = 5."""
    expected = 2 + 22 * math.log2(4 * math.e * 5 * math.log2(2 * math.e * 5))
    assert vc_dimension_at_most(perceptron(2, 3, 1)) == pytest.approx(expected)


def test_the_upper_bound_on_the_vc_dimension_is_above_what_is_known() -> None:
    """A perceptron with h hidden units shatters h points at least, by theorem 1, and one of W weights about W log W."""
    for inputs, width, depth in ((3, 4, 1), (49, 512, 1), (49, 512, 3)):
        layers = perceptron(inputs, width, depth)
        total = sum(layers.parameters)
        assert vc_dimension_at_most(layers) > max(width, total)
    assert vc_dimension_at_most(perceptron(10, 20, 2)) > vc_dimension_at_most(perceptron(10, 20, 1))


def test_growth_is_that_of_everything_up_to_the_dimension_and_sauers_beyond() -> None:
    assert log_growth(100, 100) == pytest.approx(100 * math.log(2))
    assert log_growth(1e9, 100) == pytest.approx(100 * math.log(2))
    for dimension, examples in ((3, 50), (10, 1000)):
        sauer = math.log(sum(math.comb(examples, size) for size in range(dimension + 1)))
        assert sauer <= log_growth(dimension, examples) <= examples * math.log(2)
    assert vc_bound(1e9, 1437, 0.05) == pytest.approx(math.sqrt(2 * math.log(2)) + math.sqrt(math.log(20) / 2874))
    assert vc_bound(3, 10**6, 0.05) < 0.02


def test_the_least_vc_dimension_solves_its_equation() -> None:
    found = vc_dimension_at_least(1.0, 1000)
    assert found * math.log(math.e * 1000 / found) == pytest.approx(500)
    assert vc_dimension_at_least(0.0, 1000) == pytest.approx(0, abs=1e-6)
    assert vc_dimension_at_least(0.5, 1000) < found < 1000


# --- norms ---


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return build((1, 3, 3), 4, depth=2, width=6, initialisation="torch").double()


def test_matrices_with_biases_are_the_network(network: nn.Sequential) -> None:
    images = torch.randn(20, 1, 3, 3, dtype=torch.float64)
    units = np.hstack([images.flatten(1).numpy(), np.ones((20, 1))])
    found = matrices(network)
    for matrix in found[:-1]:
        units = np.maximum(units @ matrix.T, 0)
    assert units @ found[-1].T == pytest.approx(network(images).detach().numpy())
    assert [matrix.shape for matrix in found] == [(7, 10), (7, 7), (4, 7)]


def test_norms_of_other_networks_are_refused(network: nn.Sequential) -> None:
    with pytest.raises(UserError, match="perceptrons alone"):
        matrices(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, 2)))
    with pytest.raises(UserError, match="do not follow"):
        matrices(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 2)))


def test_norms_are_those_of_linear_algebra() -> None:
    matrix = np.random.default_rng(0).standard_normal((7, 5))
    assert spectral_norm(matrix) == pytest.approx(math.sqrt(np.linalg.eigvalsh(matrix.T @ matrix)[-1]))
    assert spectral_norm(np.diag([3.0, -4.0])) == pytest.approx(4)
    assert row_norms(matrix) == pytest.approx([math.sqrt((row**2).sum()) for row in matrix])


def test_margins_are_how_far_the_label_is_ahead() -> None:
    logits = np.array([[3.0, 1.0, -2.0], [0.0, 5.0, 4.0]])
    assert margins(logits, np.array([0, 2])).tolist() == [2.0, -1.0]
    assert logits.tolist() == [[3.0, 1.0, -2.0], [0.0, 5.0, 4.0]], "the logits are left as they are"


NORMS = Norms(1000, 2, 50, 200.0, 2.0, 3.0, 4.0, 5.0, 2.0)


def test_bounds_by_norms_by_hand() -> None:
    rest = 3 * math.sqrt(math.log(40) / 2000)
    each = 3.0 * (math.sqrt(2 * math.log(2) * 2) + 1) * 200 / 1000
    assert frobenius_bound(NORMS, 0.05) == pytest.approx(2 * (2 / 2.0) * 4 * each + rest)
    root = math.sqrt(2) / 2.0 * 200 * math.sqrt(math.log(2 * 50**2)) * 5 * 2**1.5
    complexity = 4 / 1000**1.5 + 18 * root * math.log(1000) / 1000
    assert spectral_bound(NORMS, 0.05) == pytest.approx(2 * complexity + rest)


@pytest.mark.parametrize("bound", [frobenius_bound, spectral_bound])
def test_bounds_by_norms_do_not_change_when_outputs_and_margins_are_scaled(bound: object) -> None:
    scaled = NORMS._replace(margin=20.0, output_rows=40.0, spectral=50.0)
    assert callable(bound)
    assert bound(scaled, 0.05) == pytest.approx(bound(NORMS, 0.05))


def test_the_frobenius_bound_covers_random_signs_of_a_small_network() -> None:
    """What linear networks of limited norm reach in correlation with signs is below the theorem's value."""
    rng = np.random.default_rng(0)
    inputs = np.hstack([rng.standard_normal((100, 5)), np.ones((100, 1))])
    reached = np.mean([np.linalg.norm(rng.choice([-1, 1], 100) @ inputs) / 100 for _ in range(500)])
    norms = Norms(100, 1, 6, float(np.linalg.norm(inputs)), 1.0, 1.0, 1.0, 1.0, 1.0)
    complexity = (frobenius_bound(norms, 0.05) - 3 * math.sqrt(math.log(40) / 200)) / 2 / 2
    assert reached <= complexity <= 3 * reached


# --- stability ---


def test_the_stability_of_gradient_descent_is_the_number_of_epochs_at_least() -> None:
    assert sgd_stability(70, 50_000) == pytest.approx(70, rel=1e-4)

    def at(smoothness: float, steps: int, examples: int) -> float:  # theorem 3.12 with c = L = 1
        s = smoothness
        return (1 + 1 / s) / (examples - 1) * math.pow(2, 1 / (s + 1)) * math.pow(steps, s / (s + 1))

    assert at(1e9, 7 * 100, 100) == pytest.approx(sgd_stability(7, 100), rel=1e-6)
