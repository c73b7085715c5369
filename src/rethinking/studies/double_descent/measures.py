"""What the study's tables, figures and claims read off runs and experiments: one point of a curve at a time."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from rethinking.cells import Cell
from rethinking.params_studies.double_descent import WidthSweepParams
from rethinking.results.frame import Estimate, Results, estimate, matching
from rethinking.studies.double_descent.curves import noisy_error, noisy_scale, smoothed
from rethinking.studies.double_descent.design import epoch_wise_networks, sample_wise_networks, sweep_networks

MISSING = "not run"
DIVERGED = "diverged"


class Trained(NamedTuple):
    """What the networks of one point of a curve have come to: errors are fractions, or why there is none."""

    size: int
    """Width, or number of training examples: the point's place."""
    train: Estimate | str
    """On the labels as trained on, noise included; the mean of the last epochs."""
    test: Estimate | str
    """On true labels; the mean of the last epochs."""
    stopped: Estimate | str
    """The lowest along each run: early stopping with perfect foresight."""


class _Network(NamedTuple):
    examples: int
    diverged: bool
    train: float
    test: float
    stopped: float


@lru_cache(maxsize=10_000)  # claims ask for the same networks again and again
def _network(results: Results, cell: Cell) -> _Network | None:
    """Return what one network has come to; None if it was not run."""
    # What tells most apart comes first: each condition is looked for in what the ones before have left.
    where = {name: getattr(cell, name) for name in ("model", "dataset", "corruption", "regularizer", "seed")}
    runs = results.of(**where)
    last = results.history(results.params.studies.double_descent.last_epochs, **where)
    if runs.empty or last.empty:
        return None
    run = runs.iloc[0]
    return _Network(
        int(run["train_examples"]),
        run["status"] == "diverged",
        1 - float(last["train_accuracy"].mean()),
        1 - float(last["test_accuracy"].mean()),
        1 - float(run["best_test_accuracy"]),
    )


def trained(results: Results, cells: Sequence[Cell], size: int | None = None) -> Trained:
    """Return what the networks of one point, at a width, have come to; without one, at their number of examples."""
    found = [network for network in (_network(results, cell) for cell in cells) if network is not None]
    size = size or (found[0].examples if found else 0)
    if not found or any(network.diverged for network in found):
        why = DIVERGED if found else MISSING
        return Trained(size, why, why, why)
    columns = [[network.train for network in found], [n.test for n in found], [n.stopped for n in found]]
    return Trained(size, *(estimate(column) or MISSING for column in columns))


def on_noisy_labels(clean: Estimate | str, probability: float) -> Estimate | str:
    """Return a test error as it would be on test labels with this noise, in expectation over the noise."""
    if isinstance(clean, str):
        return clean
    half_width = None if clean.half_width is None else clean.half_width * noisy_scale(probability)
    return Estimate(noisy_error(clean.mean, probability), half_width, clean.seeds)


def width_curve(
    results: Results,
    sweep: WidthSweepParams,
    label_noise: float,
    weight_decay: float = 0.0,
    widths: Sequence[int] | None = None,
) -> list[Trained]:
    """Return one point a width: all of the sweep's, or those given."""
    return [
        trained(results, sweep_networks(results.params, sweep, width, label_noise, weight_decay), width)
        for width in widths or sweep.widths
    ]


@dataclass(frozen=True)
class Curve:
    """The points of a curve that have numbers."""

    sizes: list[int]
    train: list[float]
    test: list[float]
    stopped: list[float]


def numbers_of(points: Sequence[Trained]) -> Curve | None:
    """Return the numbers of a curve; None if there are fewer than three, which cannot show a peak."""
    known = [
        (point.size, point.train.mean, point.test.mean, point.stopped.mean)
        for point in points
        if isinstance(point.train, Estimate)
        and isinstance(point.test, Estimate)
        and isinstance(point.stopped, Estimate)
    ]
    return None if len(known) < 3 else Curve(*(list(values) for values in zip(*known, strict=True)))


def sample_curve(results: Results, width: int) -> list[Trained]:
    """Return one point a size of the training set, smallest first; sizes that were not run are left out."""
    parts = results.params.studies.double_descent.sample_wise.parts
    points = [trained(results, sample_wise_networks(results.params, width, number)) for number in parts]
    return [point for point in points if point.size]


def epoch_curve(results: Results) -> pd.DataFrame:
    """Return mean errors along training: epoch, train_error, test_error and smoothed_test_error, by epoch.

    The smoothed one is averaged over the study's window and stands at its middle; it is empty at both ends. There are
    no lines without runs.
    """
    window = results.params.studies.double_descent.epoch_wise.window
    histories = [results.history(**asdict(cell)) for cell in epoch_wise_networks(results.params)]
    together = pd.concat(histories, ignore_index=True)
    columns = ["epoch", "train_error", "test_error", "smoothed_test_error"]
    if together.empty:
        return pd.DataFrame(columns=columns)
    means = together.groupby("epoch", as_index=False)[["train_accuracy", "test_accuracy"]].mean()
    test = 1 - means["test_accuracy"].to_numpy()
    placed = np.full(len(test), np.nan)
    if len(test) >= window:
        first = (window - 1) // 2
        placed[first : first + len(test) - window + 1] = smoothed(test.tolist(), window)
    return pd.DataFrame(
        {
            "epoch": means["epoch"],
            "train_error": 1 - means["train_accuracy"],
            "test_error": test,
            "smoothed_test_error": placed,
        }
    )


def feature_curve(
    results: Results, label_noise: float, penalty: float, column: str = "test_error"
) -> dict[int, Estimate]:
    """Return a column of the random features' results by number of features, estimated over seeds; {} if not run."""
    return _feature_estimates(results, label_noise, penalty, column, fixed="examples", swept="features")


def example_curve(
    results: Results, label_noise: float, penalty: float, column: str = "test_error"
) -> dict[int, Estimate]:
    """Return the same by number of examples, for as many features as the other sweep has examples."""
    return _feature_estimates(results, label_noise, penalty, column, fixed="features", swept="examples")


def _feature_estimates(
    results: Results, label_noise: float, penalty: float, column: str, fixed: str, swept: str
) -> dict[int, Estimate]:
    found = results.experiment("double_descent", "random-features")
    if found.empty:
        return {}
    size = results.params.studies.double_descent.random_features.examples
    chosen = matching(found, label_noise=label_noise, penalty=penalty, **{fixed: size})
    values = {int(place): estimate(chosen[chosen[swept] == place][column]) for place in chosen[swept].unique()}
    return {place: value for place, value in sorted(values.items()) if value is not None}


class Ridge(NamedTuple):
    """The penalty of the sweep whose test error is lowest, and that error."""

    penalty: float
    error: Estimate


def best_ridge(results: Results, label_noise: float) -> dict[int, Ridge]:
    """Return, by number of features, the best of the sweep over penalties, no penalty included."""
    penalties = [0.0, *results.params.studies.double_descent.random_features.penalties]
    curves = {penalty: feature_curve(results, label_noise, penalty) for penalty in penalties}
    return {
        features: min(
            (Ridge(penalty, curve[features]) for penalty, curve in curves.items() if features in curve),
            key=lambda ridge: ridge.error.mean,
        )
        for features in curves[0.0]
    }


class Decayed(NamedTuple):
    """The weight decay of the sweep whose test error is lowest at a width, and that error."""

    width: int
    coefficient: float
    test: Estimate


def best_decay(results: Results, sweep: WidthSweepParams) -> list[Decayed]:
    """Return the best of the sweep over coefficients, none included, at each width at which they were all run."""
    found = []
    for width in sweep.weight_decay_widths if sweep.weight_decay else []:
        tests = {
            coefficient: width_curve(results, sweep, sweep.label_noise[-1], coefficient, [width])[0].test
            for coefficient in (0.0, *sweep.weight_decay)
        }
        numbers = {coefficient: test for coefficient, test in tests.items() if isinstance(test, Estimate)}
        if len(numbers) == len(tests):
            best = min(numbers, key=lambda coefficient: numbers[coefficient].mean)
            found.append(Decayed(width, best, numbers[best]))
    return found
