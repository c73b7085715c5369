"""Accuracy against the fraction of weights left, as tables, figures and claims read it; never torch."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from rethinking.params import Params
from rethinking.results.frame import Estimate, Results, estimate, matching
from rethinking.studies.sparsity.design import models_of
from rethinking.studies.sparsity.vocabulary import DENSE, GLOBAL, ITERATIVE, ONE_SHOT, RETRAINING, TICKET, TICKETS

METHODS = (ONE_SHOT, RETRAINING, ITERATIVE)
"""Ways to prune a trained network."""

DIVERGED = "diverged"

Curve = dict[float, Estimate | str]
"""By fraction left, from the whole network down: an accuracy, or why there is none."""


class Kept(NamedTuple):
    """The smallest fraction of its weights with which a network keeps its accuracy."""

    fraction: float
    at_most: bool
    """Whether the accuracy was kept down to the smallest fraction that was tried."""

    @property
    def text(self) -> str:
        """Return it in per cent, such as "12.3 %" or "≤ 1.0 %"."""
        return f"{'≤ ' if self.at_most else ''}{100 * self.fraction:.1f} %"


def ways(params: Params) -> list[tuple[str, str]]:
    """Return the models and the ways in which each is pruned, model by model."""
    models = list(dict.fromkeys(model for method in METHODS for model in models_of(params, method)))
    return [(model, method) for model in models for method in METHODS if model in models_of(params, method)]


def pruned(results: Results, method: str) -> pd.DataFrame:
    """Return the rows of a way to prune: one for each network, scope and fraction, the whole network's included.

    Networks with batch normalisation that were pruned at once count with their statistics measured anew.
    """
    found = results.experiment("sparsity", method)
    if "recalibrated" in found:
        normalised = found["model"].isin(found["model"][found["recalibrated"]])
        found = found[found["recalibrated"] | ~normalised]
    return found


def accuracy_by_fraction(results: Results) -> pd.DataFrame:
    """Return train and test accuracy, means over seeds, for every model, corruption, method, scope and fraction left.

    Columns: model, corruption, method, scope, fraction_left, weights_left, train_accuracy, test_accuracy, seeds. It is
    empty where nothing was run. What diverged has no accuracy.
    """
    keys = ["model", "corruption", "method", "scope", "fraction_left", "weights_left"]
    columns = [*keys, "train_accuracy", "test_accuracy", "seeds"]
    frames = [found for method in METHODS if not (found := pruned(results, method)).empty]
    if not frames:
        return pd.DataFrame(columns=columns)
    every = pd.concat(frames, ignore_index=True)
    every = every[every["status"] != DIVERGED]
    groups = every.groupby(keys, sort=False, as_index=False)
    return groups.agg(
        train_accuracy=("train_accuracy", "mean"), test_accuracy=("test_accuracy", "mean"), seeds=("seed", "nunique")
    )[columns]


def curve(
    results: Results, method: str, model: str, corruption: str, scope: str = GLOBAL, measure: str = "train_accuracy"
) -> Curve:
    """Return a measure by fraction left; nothing where it was not run."""
    found = pruned(results, method)
    if found.empty:
        return {}
    return _by_fraction(matching(found, model=model, corruption=corruption, scope=scope), measure)


def kept(values: Mapping[float, Estimate | str], lost: float) -> Kept | None:
    """Return down to which fraction of its weights a network loses no more than `lost` of its accuracy.

    Going down from the whole network, at fraction 1, the first loss of more ends the search; between the last fraction
    without it and the first with it, accuracy is taken as linear in the fraction's logarithm. None without the whole
    network or anything below; what diverged has lost everything.
    """
    numbers = {fraction: value.mean if isinstance(value, Estimate) else 0.0 for fraction, value in values.items()}
    if len(numbers) < 2 or 1.0 not in numbers:
        return None
    level, above = numbers[1.0] - lost, (1.0, numbers[1.0])
    for fraction in sorted(numbers, reverse=True):
        accuracy = numbers[fraction]
        if accuracy < level:
            share = (above[1] - level) / (above[1] - accuracy)
            return Kept(math.exp((1 - share) * math.log(above[0]) + share * math.log(fraction)), False)
        above = (fraction, accuracy)
    return Kept(above[0], True)


def kept_by(results: Results, method: str, model: str, corruption: str, measure: str = "train_accuracy") -> Kept | None:
    """Return `kept` of a network that was pruned globally, under the study's tolerance; None where it was not run."""
    lost = results.params.studies.sparsity.accuracy_lost
    return kept(curve(results, method, model, corruption, measure=measure), lost)


def trials(results: Results, model: str, corruption: str, method: str) -> pd.DataFrame:
    """Return the rows of one kind of networks of the tickets' trials; those of the whole network count as round 0."""
    found = results.experiment("sparsity", TICKETS)
    if found.empty:
        return found
    of_net = matching(found, model=model, corruption=corruption)
    return of_net[of_net["method"].isin([DENSE, method])]


def ticket_curve(
    results: Results, model: str, corruption: str, method: str, measure: str, epoch: int | None = None
) -> Curve:
    """Return a measure after an epoch, the last where None, by fraction left; means over draws, then over trials."""
    found = trials(results, model, corruption, method)
    return {} if found.empty else _by_fraction(_at(found, epoch), measure)


def gain(
    results: Results, model: str, corruption: str, other: str, measure: str, epoch: int | None, largest: float
) -> Estimate | None:
    """Return by how much tickets exceed `other` networks of the same trial and round, after an epoch.

    The mean over the rounds that leave at most the fraction `largest`, then over trials; None where it was not run.
    """
    sides = []
    for method in (TICKET, other):
        found = trials(results, model, corruption, method)
        if found.empty:
            return None
        found = matching(_at(found, epoch), method=method)
        found = found[found["fraction_left"] <= largest]
        sides.append(found.groupby(["seed", "round"])[measure].mean())
    differences = (sides[0] - sides[1]).dropna()
    return estimate(differences.groupby("seed").mean())


def _at(found: pd.DataFrame, epoch: int | None) -> pd.DataFrame:
    return found[found["epoch"] == (found["epochs"] if epoch is None else epoch)]


def _by_fraction(found: pd.DataFrame, measure: str) -> Curve:
    values: Curve = {}
    for fraction in sorted(found["fraction_left"].unique(), reverse=True):
        rows = matching(found, fraction_left=fraction)
        mean = estimate(rows.groupby("seed")[measure].mean())
        if mean is not None:
            values[float(fraction)] = DIVERGED if (rows["status"] == DIVERGED).any() else mean
    return values
