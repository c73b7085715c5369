"""Gradient descent on fewer equations than unknowns: where it ends, and what it cannot change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethinking.studies.kernels.gradient import Array, State, descend, nearest, outside_span, smallest_norm, spread


def system(examples: int = 6, unknowns: int = 15, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((examples, unknowns)), rng.standard_normal((examples, 3))


def rate_of(examples: Array) -> float:
    return 1 / float(np.square(examples).sum(axis=1).max())


def ending(examples: Array, targets: Array, start: Array, steps: int = 6000) -> Array:
    states: list[State] = list(descend(examples, targets, start, rate_of(examples), steps, 0, [0, steps]))
    assert [state.step for state in states] == [0, steps]
    assert np.array_equal(states[0].weights, start)
    return states[-1].weights


def test_the_smallest_solution_is_the_pseudo_inverses() -> None:
    examples, targets = system()
    assert smallest_norm(examples, targets) == pytest.approx(np.linalg.pinv(examples) @ targets)


def test_from_zero_it_ends_at_the_smallest_solution() -> None:
    examples, targets = system()
    found = ending(examples, targets, np.zeros((15, 3)))
    assert examples @ found == pytest.approx(targets, abs=1e-9)
    assert found == pytest.approx(smallest_norm(examples, targets), abs=1e-9)


def test_from_elsewhere_it_ends_at_the_nearest_solution_which_is_larger() -> None:
    examples, targets = system()
    start = np.random.default_rng(1).standard_normal((15, 3))
    found, smallest = ending(examples, targets, start), smallest_norm(examples, targets)
    assert examples @ found == pytest.approx(targets, abs=1e-9)
    assert found == pytest.approx(nearest(examples, targets, start), abs=1e-9)
    assert np.linalg.norm(found) > np.linalg.norm(smallest) + 0.1
    # Pythagoras: what the smallest solution lacks is at right angles to it.
    outside = outside_span(examples, start)
    assert found - smallest == pytest.approx(outside, abs=1e-9)
    assert np.linalg.norm(found) ** 2 == pytest.approx(np.linalg.norm(smallest) ** 2 + np.linalg.norm(outside) ** 2)


@given(steps=st.integers(1, 50), seed=st.integers(0, 9))
def test_no_step_changes_what_lies_outside_the_span(steps: int, seed: int) -> None:
    examples, targets = system(seed=seed)
    start = np.random.default_rng(seed).standard_normal((15, 3))
    (last,) = descend(examples, targets, start, rate_of(examples), steps, seed, [steps])
    assert last.step == steps
    assert outside_span(examples, last.weights) == pytest.approx(outside_span(examples, start), abs=1e-9)
    assert not np.allclose(last.weights, start)


@given(seed=st.integers(0, 9))
def test_the_nearest_solution_is_nearer_than_any_other(seed: int) -> None:
    examples, targets = system(seed=seed)
    rng = np.random.default_rng(seed)
    start, direction = rng.standard_normal((15, 3)), rng.standard_normal((15, 3))
    found = nearest(examples, targets, start)
    other = found + outside_span(examples, direction)
    assert examples @ other == pytest.approx(targets)
    assert np.linalg.norm(other - start) > np.linalg.norm(found - start)


def test_an_epoch_takes_each_example_once() -> None:
    """Examples at right angles to each other do not undo what the others have done: one epoch solves them all."""
    examples, targets = np.eye(4, 9) * 2.0, np.arange(12.0).reshape(4, 3)
    (last,) = descend(examples, targets, np.zeros((9, 3)), 1 / 4, 4, 0, [4])
    assert examples @ last.weights == pytest.approx(targets)


def test_what_is_shown_rises_to_the_last_step() -> None:
    shown = spread(20_000)
    assert (shown[0], shown[1], shown[-1]) == (0, 1, 20_000)
    assert shown == sorted(set(shown))
    assert len(shown) < 70
