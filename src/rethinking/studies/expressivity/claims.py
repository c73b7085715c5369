"""What the article's section on finite-sample expressivity asserts, as predicates over results."""

from rethinking.results.claims import NOT_RUN, Claim, Verdict, verdict
from rethinking.results.frame import Results, matching
from rethinking.results.titles import CORRUPTION_TITLES
from rethinking.studies.expressivity.measures import (
    ERRORS,
    deeper,
    growth,
    promised_growth,
    theorem_weights,
    trained_parameters,
    two_layers,
)
from rethinking.studies.expressivity.vocabulary import ALTERNATING, MIDWAY, PIXELS, WHITENED

SHARE = 0.1
ALLOWANCE = 2.0
"""Times are measured, and caches have sizes: growth may be so many times what is promised."""


def _labels(corruption: str) -> str:
    return CORRUPTION_TITLES.get(corruption, corruption)


def every_labelling_is_taken(results: Results) -> Verdict:
    """Judge that networks of 2n + d weights on pixels have no error, however they are evaluated, on every labelling."""
    found = two_layers(results, inputs=PIXELS, thresholds=ALTERNATING)
    if found.empty:
        return NOT_RUN
    worst = found[list(ERRORS)].max(axis=1)
    counted = all(
        row["weights"] == theorem_weights(row["examples"] - row["duplicates"], row["values"])
        for row in found.to_dict("records")
    )
    evidence = "; ".join(
        f"{row['dataset']}, {_labels(row['corruption'])}: n = {row['examples']:,}, {row['weights']:,} weights, "
        f"largest error {error:.2g}"
        for row, error in zip(found.to_dict("records"), worst, strict=True)
    )
    return verdict(counted and bool((worst == 0).all() and (found["accuracy"] == 1).all()), evidence)


def fewer_weights_than_trained_networks(results: Results) -> Verdict:
    """Judge that theorem 1 needs at most SHARE of the weights of each trained network, on the same data."""
    dataset = results.params.studies.randomisation.dataset
    found = two_layers(results, inputs=PIXELS, thresholds=ALTERNATING)
    own = found if found.empty else matching(found, dataset=dataset)
    trained = trained_parameters(results)
    if own.empty or not trained:
        return NOT_RUN
    weights, least = int(own["weights"].max()), min(trained.values())
    return verdict(weights <= SHARE * least, f"{weights:,} weights, {100 * weights / least:.1f} % of {least:,}")


def time_and_memory_grow_as_promised(results: Results) -> Verdict:
    """Judge that from a tenth of the examples to all, time and memory grow at most ALLOWANCE times as n (d + log n)."""
    parts, holds = [], True
    for dataset in results.params.studies.expressivity.datasets:
        ends = growth(results, dataset)
        if ends is None:
            continue
        small, large = ends
        promised = promised_growth(small, large)
        seconds, size = large["seconds"] / small["seconds"], large["bytes"] / small["bytes"]
        holds &= max(seconds, size) <= ALLOWANCE * promised
        parts.append(
            f"{dataset}, {small['examples']:,} to {large['examples']:,}: time {seconds:.1f}, memory {size:.1f} times, "
            f"promised {promised:.1f}"
        )
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def deep_networks_take_them_too(results: Results) -> Verdict:
    """Judge that networks of each depth k have no error, n / (k - 2) + 4 units at most, and 4n + d + 10k weights."""
    found = deeper(results)
    if found.empty:
        return NOT_RUN
    holds = bool((found["largest_error"] == 0).all())
    for row in found.to_dict("records"):
        holds &= row["width"] <= row["examples"] / (row["depth"] - 2) + 4
        holds &= row["weights"] <= 4 * row["examples"] + row["values"] + 10 * row["depth"]
    depths = sorted(found["depth"].unique())
    evidence = (
        f"depths {', '.join(map(str, depths))}: width {found['width'].max():,} to {found['width'].min():,}, "
        f"largest error {found['largest_error'].max():.2g}"
    )
    return verdict(holds, evidence)


def thresholds_decide(results: Results) -> Verdict:
    """Judge that on pixels, unit by unit, thresholds midway miss every labelling by more than alternating ones do."""
    found = two_layers(results, inputs=PIXELS)
    if found.empty:
        return NOT_RUN
    wide = found.pivot(index=["dataset", "corruption"], columns="thresholds", values="unit_error")
    evidence = "; ".join(
        f"{row['dataset']}, {_labels(row['corruption'])}: {row[MIDWAY]:.2g} midway, {row[ALTERNATING]:.2g} alternating"
        for row in wide.reset_index().to_dict("records")
    )
    return verdict(bool((wide[MIDWAY] > wide[ALTERNATING]).all()), evidence)


def rounded_projections_cost_digits(results: Results) -> Verdict:
    """Judge that on whitened images all labels are right by sums in order, and outputs unit by unit are further off."""
    found = two_layers(results, inputs=WHITENED, thresholds=ALTERNATING)
    if found.empty:
        return NOT_RUN
    evidence = "; ".join(
        f"{row['dataset']}, {_labels(row['corruption'])}: off by {row['largest_error']:.2g} in order, by "
        f"{row['unit_error']:.2g} by unit"
        for row in found.to_dict("records")
    )
    right = bool((found["accuracy"] == 1).all() and (found["largest_error"] < 0.5).all())
    return verdict(right and bool((found["unit_error"] > found["largest_error"]).all()), evidence)


CLAIMS = [
    Claim(
        "any-labelling",
        "A two-layer network of 2n + d weights takes every label of the training set, true or random, without any "
        "error in double precision.",
        "Theorem 1",
        every_labelling_is_taken,
    ),
    Claim(
        "few-weights",
        "That is at most a tenth of the weights of each network of the randomisation tests.",
        "this article",
        fewer_weights_than_trained_networks,
    ),
    Claim(
        "linear-time",
        "From a tenth of the training examples to all of them, time and memory grow at most twice as much as "
        "n (d + log n).",
        "this article",
        time_and_memory_grow_as_promised,
    ),
    Claim(
        "depth",
        "Networks of any depth k, with of the order of n / k units in a layer and n + d weights, take the labels "
        "without error too.",
        "Corollary 1",
        deep_networks_take_them_too,
    ),
    Claim(
        "thresholds",
        "With thresholds midway between the points, the same labels are missed by more.",
        "this article",
        thresholds_decide,
    ),
    Claim(
        "rounding",
        "On whitened images, whose projections are rounded, the labels are right as long as sums are taken in order; "
        "outputs computed unit by unit are further off.",
        "this article",
        rounded_projections_cost_digits,
    ),
]
