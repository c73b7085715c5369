"""A published number beside ours: differences, verdicts, and how far curves are apart."""

import math

import pytest

from rethinking.results.beside import AGREES, DIFFERS, NOT_RUN, OTHER_DATA, Apart, Ours, Tolerance, apart
from rethinking.results.frame import Estimate

POINTS, SHARE = Tolerance(1.5), Tolerance(0.25, "share")


@pytest.mark.parametrize(
    ("tolerance", "paper", "ours", "difference"),
    [
        (POINTS, 0.85, 0.86, 1.0),
        (POINTS, 0.85, Estimate(0.82, 0.01, 3), -3.0),
        (POINTS, 0.85, "diverged", None),
        (POINTS, None, 0.85, None),
        (SHARE, 2.0, 2.5, 0.25),
        (SHARE, 200, 100, -0.5),
    ],
)
def test_a_difference_is_ours_less_the_papers(
    tolerance: Tolerance, paper: float | None, ours: Ours, difference: float | None
) -> None:
    found = tolerance.difference(paper, ours)
    assert found == (None if difference is None else pytest.approx(difference))


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        (0.865, AGREES),  # by rounding a little more than 1.5 points above
        (0.835, AGREES),
        (0.8651, DIFFERS),
        (Estimate(0.87, 0.05, 3), DIFFERS),  # though its interval holds the paper's
        ("diverged", DIFFERS),
        ("not run", NOT_RUN),
        ("true labels: not run", NOT_RUN),
        (None, NOT_RUN),
    ],
    ids=str,
)
def test_a_verdict_is_on_the_mean_and_its_tolerance(ours: Ours, said: str) -> None:
    assert POINTS.verdict((0.85, ours)) == said


def test_several_numbers_agree_if_each_does() -> None:
    assert POINTS.verdict((0.85, 0.85), (1.0, 0.99)) == AGREES
    assert POINTS.verdict((0.85, 0.85), (1.0, 0.98)) == DIFFERS
    assert POINTS.verdict((0.85, 0.85), (1.0, "not run")) == AGREES, "what was run does"
    assert POINTS.verdict((0.85, 0.85), (None, 0.5)) == AGREES, "the paper has but one"
    assert POINTS.verdict((None, 0.5)) is None


def test_other_data_bear_out_nothing() -> None:
    assert POINTS.verdict((0.85, 0.85), same_data=False) == OTHER_DATA
    assert POINTS.verdict((0.85, "not run"), same_data=False) == NOT_RUN


def test_headings_name_the_tolerance() -> None:
    assert [each.verdict_column.heading for each in (POINTS, SHARE)] == [
        "Verdict, within 1.5 points",
        "Verdict, within 25 %",
    ]
    assert POINTS.column().text(POINTS.difference(0.85, 0.8499999)) == "+0.00"
    assert SHARE.column().text(SHARE.difference(2.0, 1.9)) == "−5.0 %"
    assert SHARE.column().text(SHARE.difference(2.0, 30.0)) == "+1,400 %"


def test_curves_are_compared_at_the_papers_places_within_ours() -> None:
    """Ours is the line from (2, 2) to (6, 10); the paper's lies on it, save at 4, where it is 1 below."""
    paper = {0.0: 9.0, 2.0: 2.0, 3.0: 4.0, 4.0: 5.0, 7.0: 9.0}
    assert apart(paper, {6.0: 10.0, 2.0: 2.0}) == pytest.approx(Apart(3, 1 / 3, 1.0, 4.0))
    relative = apart(paper, {6.0: 10.0, 2.0: 2.0}, relative=True)
    assert relative is not None
    assert relative.largest == pytest.approx(1 / 5)
    assert apart(paper, {}) is None
    assert apart({1.0: 1.0}, {2.0: 1.0, 3.0: 1.0}) is None
    assert not math.isnan(apart({2.0: 1.0}, {2.0: 1.0}).mean)  # type: ignore[union-attr]  # one place will do
