"""What tables, figures and claims read out of the experiments."""

import math

import pandas as pd

from rethinking.results.frame import Results, matching
from rethinking.results.published import read_published
from rethinking.studies.expressivity.design import RANDOM, STUDY
from rethinking.studies.expressivity.vocabulary import ALTERNATING, PIXELS, SUBSTITUTION, TWO_LAYERS

MISSING = "not run"

ERRORS = ("largest_error", "exact_error", "unit_error")
"""Of a two-layer network: by sums in order, without rounding, and unit by unit."""

CIFAR10 = (50_000, 28 * 28 * 3)
"""Examples and values of an image after cropping, as in the paper."""


def theorem_weights(examples: int, values: int) -> int:
    """Return the number of weights of theorem 1's network, 2n + d."""
    return 2 * examples + values


def labellings(results: Results) -> pd.DataFrame:
    """Return the rows of all labellings; nothing at all if none was run."""
    return results.experiment(STUDY, "labelling")


def two_layers(results: Results, **where: object) -> pd.DataFrame:
    """Return the rows of networks of two layers that agree with every given column."""
    found = labellings(results)
    return found if found.empty else matching(found, depth=TWO_LAYERS, **where)


def deeper(results: Results) -> pd.DataFrame:
    """Return the rows of networks of more layers."""
    found = labellings(results)
    return found if found.empty else found[found["depth"] > TWO_LAYERS]


def scaling(results: Results) -> pd.DataFrame:
    """Return the rows on time, with all steps' `seconds` added up; nothing at all if they were not run."""
    found = results.experiment(STUDY, "scaling")
    if found.empty:
        return found
    return found.assign(seconds=found[["seconds_project", "seconds_solve", "seconds_evaluate"]].sum(axis=1))


def growth(results: Results, dataset: str) -> tuple[pd.Series, pd.Series] | None:
    """Return the rows of a tenth, or a little more, and of all examples of a data set, as theorem 1 has it.

    None if it was not run, or at one size alone.
    """
    found = scaling(results)
    if found.empty:
        return None
    chosen = matching(found, dataset=dataset, inputs=PIXELS, thresholds=ALTERNATING, solver=SUBSTITUTION)
    if chosen["examples"].nunique() < 2:
        return None
    ordered = chosen.sort_values("examples")
    last = ordered.iloc[-1]
    return ordered[ordered["examples"] >= last["examples"] / 10].iloc[0], last


def promised_growth(small: pd.Series, large: pd.Series) -> float:
    """Return by how much n (d + log n) grows: projecting takes n d, sorting n log n."""
    one, other = (row["examples"] * (row["values"] + math.log2(row["examples"])) for row in (small, large))
    return float(other / one)


PAPERS_NAMES = {
    "inception": "inception",
    "inception_wo_bn": "inception-nobn",
    "alexnet": "alexnet",
    "mlp_3x512": "mlp-3x512",
    "mlp_1x512": "mlp-1x512",
}
"""Our names of the models of the paper's Table 1, by its own."""


def papers_parameters() -> dict[str, int]:
    """Return the number of parameters of each model of the paper's Table 1, by its name there."""
    return {row["model"]: int(row["parameters"]) for row in read_published("table1")}


def trained_parameters(results: Results) -> dict[str, int]:
    """Return the number of parameters of each of these networks that was trained here, by our name of it."""
    dataset = results.params.studies.randomisation.dataset
    found = results.of(dataset=dataset, corruption=RANDOM, regularizer="none")
    found = found[found["model"].isin(PAPERS_NAMES.values())]
    return {str(model): int(rows["parameters"].iloc[0]) for model, rows in found.groupby("model", sort=False)}
