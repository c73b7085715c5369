"""The points of a figure, as they are drawn and as they lie beside it."""

import io
import math

import pandas as pd

from rethinking.results.drawing import OURS, PAPER, frame, how_sure, point
from rethinking.results.frame import Estimate, numbers_as_csv

POINTS = frame(
    [
        point(PAPER, "cifar10", "inception", {"label_corruption": 0.1}, test_error=0.2778),
        point(OURS, "digits", "inception", {"label_corruption": 0.1}, test_error=Estimate(0.25, 0.01, 3)),
        point(OURS, "digits", "inception", {"label_corruption": 0.2}, test_error=Estimate(0.3, None, 1)),
        point(OURS, "digits", "alexnet", {}, test_error="not run"),
    ]
)


def test_a_point_says_whose_it_is_and_how_sure() -> None:
    last = ["half_width", "seeds", "note"]
    assert list(POINTS) == ["source", "dataset", "series", "label_corruption", "test_error", *last]
    assert list(POINTS["source"]) == ["paper", "ours", "ours", "ours"]
    assert list(POINTS["test_error"][:3]) == [0.2778, 0.25, 0.3]
    assert POINTS["half_width"][1] == 0.01
    assert all(math.isnan(POINTS["half_width"][line]) for line in (0, 2, 3))
    assert list(POINTS["seeds"][1:3]) == [3, 1]
    assert all(math.isnan(POINTS["seeds"][line]) for line in (0, 3))


def test_a_series_that_was_not_run_is_a_line_that_says_so() -> None:
    last = POINTS.iloc[-1]
    assert (last["series"], last["note"]) == ("alexnet", "not run")
    assert math.isnan(last["test_error"])
    assert math.isnan(last["label_corruption"])


def test_points_are_read_back_from_their_file() -> None:
    text = numbers_as_csv(POINTS)
    assert text.splitlines()[1] == "paper,cifar10,inception,0.1,0.2778,,,"
    back = pd.read_csv(io.StringIO(text)).fillna({"note": ""})
    pd.testing.assert_frame_equal(back, POINTS, check_dtype=False)


def test_a_figure_says_in_words_what_its_numbers_are_means_of() -> None:
    def words(*counts: int | None) -> str:
        return how_sure(
            frame(
                point(OURS, "digits", "cnn", {}, error=0.1 if n is None else Estimate(0.1, 0.01 if n > 1 else None, n))
                for n in counts
            ),
            "trial",
        )

    assert words(None, None) == ""
    assert words(1, 1, None) == "One trial a point, no intervals."
    assert words(3, 3) == "Means of 3 trials, 95 % intervals."
    assert words(1, 2000) == "Means of 1 to 2,000 trials, 95 % intervals (none of one trial)."
