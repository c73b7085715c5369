"""What several figures of the study share: curves of networks over widths or examples, and how they are drawn."""

from collections.abc import Iterable

from rethinking.results import style
from rethinking.results.drawing import OURS, Point, point
from rethinking.results.frame import Estimate

TEST, TRAIN, NOISY_TEST = "test", "train", "test on noisy labels"
LOOKS: dict[str, style.Look] = {
    TEST: style.TEST | {"color": style.BLACK},
    NOISY_TEST: {"color": style.ORANGE, "marker": "s", "linestyle": "--"},
    TRAIN: style.TRAIN | {"color": style.GREEN},
}
"""How the errors of one set of networks look: test on true labels, on noisy ones, and train on the noisy ones."""


def error_points(dataset: str, series: str, at: Point, errors: Iterable[tuple[str, Estimate | str]]) -> list[Point]:
    """Return our points of several kinds of error at one place."""
    return [point(OURS, dataset, series, {**at, "measure": measure}, error=value) for measure, value in errors]


def noise_title(probability: float) -> str:
    """Return in words which part of the labels is wrong."""
    return f"{100 * probability:.0f} % label noise" if probability else "true labels"
