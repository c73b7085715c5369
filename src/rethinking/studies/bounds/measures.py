"""The bounds of trained networks: measured quantities, put into the formulas of `theory`."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from rethinking.data.sources import DATASETS
from rethinking.params import MLPParams
from rethinking.results.frame import Estimate, Results, estimate, matching
from rethinking.studies.bounds.design import CORRUPTIONS, NORMS, RANDOM, STUDY, TRUE, TWINS, dataset, perceptrons
from rethinking.studies.bounds.theory import (
    Norms,
    frobenius_bound,
    perceptron,
    rademacher_bound,
    sgd_stability,
    sign_correlation,
    spectral_bound,
    vc_bound,
    vc_dimension_at_least,
    vc_dimension_at_most,
)

MISSING = "not run"
DIVERGED = "diverged"
NO_MARGIN = "no margin"
"""Why there is no bound by norms: too many training examples are misclassified."""


def risk(results: Results) -> float:
    """Return the probability with which a bound may fail."""
    return 1 - results.params.studies.bounds.confidence


def runs(results: Results, model: str, corruption: str) -> pd.DataFrame:
    """Return the runs, one a seed, of a model on the study's data set."""
    return results.of(dataset=dataset(results.params), model=model, corruption=corruption, regularizer="none")


def gap(results: Results, model: str, corruption: str) -> Estimate | str:
    """Return train accuracy less test accuracy, over seeds, or why there is none."""
    found = runs(results, model, corruption)
    if found.empty:
        return MISSING
    if (found["status"] == "diverged").any():
        return DIVERGED
    return estimate(found["train_accuracy"] - found["test_accuracy"]) or MISSING


@dataclass(frozen=True)
class LabelBlind:
    """What is said of a model by bounds that know the class of networks, or the training, and not the labels."""

    model: str
    examples: int
    parameters: int
    complexity: float
    """The empirical Rademacher complexity, estimated."""
    rademacher: float
    vc_at_least: float
    vc_at_most: float | None
    """For perceptrons alone, as is the next."""
    vc: float | None
    stability: float

    @property
    def bounds(self) -> dict[str, float]:
        """All bounds that there are, by name."""
        found = {"Rademacher": self.rademacher, "stability": self.stability}
        return found if self.vc is None else found | {"VC": self.vc}


def label_blind(results: Results, model: str) -> LabelBlind | str:
    """Return the bounds of a model that was trained on random labels, means over seeds, or why there are none."""
    found = runs(results, model, RANDOM)
    if found.empty:
        return MISSING
    if (found["status"] == "diverged").any():
        return DIVERGED
    name = dataset(results.params)
    examples = int(found["train_examples"].iloc[0])
    complexity = sign_correlation(float(found["train_accuracy"].mean()), len(DATASETS[name].classes))
    at_most = vc_dimension(results, model)
    return LabelBlind(
        model,
        examples,
        int(found["parameters"].iloc[0]),
        complexity,
        rademacher_bound(complexity, examples, risk(results)),
        vc_dimension_at_least(max(complexity, 0.0), examples),
        at_most,
        None if at_most is None else vc_bound(at_most, examples, risk(results)),
        sgd_stability(int(found["epochs"].iloc[0]), examples),
    )


def vc_dimension(results: Results, model: str) -> float | None:
    """Return the upper bound on a perceptron's VC dimension; None for other networks."""
    params = results.params
    options = params.model(model)
    if not isinstance(options, MLPParams):
        return None
    name = dataset(params)
    inputs = DATASETS[name].image_shape[0] * params.datasets[name].crop_size ** 2
    return vc_dimension_at_most(perceptron(inputs, options.width, options.depth))


class ByNorms(NamedTuple):
    """What bounds by norms say of networks, means over seeds."""

    margin: float
    frobenius_product: float
    spectral_product: float
    frobenius: float
    """The bound; infinite where the margin is not positive."""
    spectral: float


def by_norms(results: Results, model: str, corruption: str) -> ByNorms | None:
    """Return the bounds of a perceptron; None if they were not evaluated."""
    found = results.experiment(STUDY, NORMS)
    if found.empty:
        return None
    found = matching(found, dataset=dataset(results.params), model=model, corruption=corruption)
    if found.empty:
        return None
    each = [_evaluated(results, {str(name): value for name, value in row.items()}) for row in found.to_dict("records")]
    return ByNorms(*(sum(values) / len(values) for values in zip(*each, strict=True)))


def _evaluated(results: Results, row: dict[str, Any]) -> ByNorms:
    norms = Norms(*(row[name] for name in Norms._fields))
    outer = row["frobenius"] * row["output_rows"]
    if norms.margin <= 0:
        return ByNorms(norms.margin, outer, norms.spectral, math.inf, math.inf)
    bounds = (frobenius_bound(norms, risk(results)), spectral_bound(norms, risk(results)))
    return ByNorms(norms.margin, outer, norms.spectral, *bounds)


def norm_bounds(results: Results) -> dict[str, dict[str, ByNorms]]:
    """Return the bounds by norms of each perceptron for which they are known with both kinds of labels."""
    found = {
        model: {corruption: by_norms(results, model, corruption) for corruption in CORRUPTIONS}
        for model in perceptrons(results.params)
    }
    return {
        model: {corruption: value for corruption, value in both.items() if value is not None}
        for model, both in found.items()
        if all(value is not None for value in both.values())
    }


class Twins(NamedTuple):
    """How networks differ from twins that lack one of their training examples; losses between 0 and 1."""

    pairs: int
    examples: int
    """That one of the two has not seen: two of each pair."""
    error: float
    """The mean difference of errors at these."""
    loss: Estimate
    """The same of one less the probability of the label."""
    largest: float
    """The largest of the latter."""
    elsewhere: float
    """Mean over twins and test examples."""
    elsewhere_largest: float


def twins(results: Results, corruption: str) -> Twins | None:
    """Return what twins have shown; None if there are none."""
    found = results.experiment(STUDY, TWINS)
    if found.empty:
        return None
    model = results.params.studies.bounds.twins.model
    found = matching(found, dataset=dataset(results.params), model=model, corruption=corruption)
    if found.empty:
        return None
    errors, losses = (pd.concat([found[f"lacking_{name}"], found[f"added_{name}"]]) for name in ("error", "loss"))
    loss = estimate(losses)
    assert loss is not None
    return Twins(
        len(found),
        len(errors),
        float(errors.mean()),
        loss,
        float(losses.max()),
        float(found["elsewhere_mean"].mean()),
        float(found["elsewhere_largest"].max()),
    )


def true_gap(results: Results, model: str) -> float | None:
    """Return the gap with true labels where it is known."""
    value = gap(results, model, TRUE)
    return value.mean if isinstance(value, Estimate) else None
