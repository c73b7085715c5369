"""What the article's section on bounds asserts, as predicates over results."""

import math

from rethinking.results.claims import NOT_RUN, Claim, Verdict, verdict
from rethinking.results.frame import Estimate, Results
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.bounds.design import CORRUPTIONS, RANDOM, TRUE
from rethinking.studies.bounds.measures import LabelBlind, gap, label_blind, norm_bounds, true_gap, twins
from rethinking.studies.bounds.theory import TWO_CLASSES_GUESSED

NEAR_ONE = 0.9
SHARE = 2 / 3
STANDARD_ERRORS = 3
"""Of a share of so many examples: by how much what twins show may be off the gap."""


def _known(results: Results) -> dict[str, LabelBlind]:
    found = {model: label_blind(results, model) for model in results.params.studies.bounds.models}
    return {model: value for model, value in found.items() if isinstance(value, LabelBlind)}


def complexity_is_near_one(results: Results) -> Verdict:
    """Judge that every model's Rademacher complexity, as estimated, is NEAR_ONE or more."""
    found = {model: value.complexity for model, value in _known(results).items()}
    if not found:
        return NOT_RUN
    evidence = ", ".join(f"{model_title(model)} {value:.3f}" for model, value in found.items())
    return verdict(min(found.values()) >= NEAR_ONE, evidence)


def label_blind_bounds_are_vacuous(results: Results) -> Verdict:
    """Judge that Rademacher, VC and stability bounds are all above the error of guessing one of two classes."""
    found = _known(results)
    if not found:
        return NOT_RUN
    every = [(bound, f"{name}, {model_title(model)}") for model, v in found.items() for name, bound in v.bounds.items()]
    least, where = min(every)
    return verdict(least > TWO_CLASSES_GUESSED, f"least of {len(every)}: {least:.2f} ({where})")


def no_label_blind_bound_can_be_small(results: Results) -> Verdict:
    """Judge that the gap with random labels, which such a bound must cover, is NEAR_ONE less chance, at least."""
    parts = {}
    for model in _known(results):
        value = gap(results, model, RANDOM)
        if isinstance(value, Estimate):
            parts[model] = value.mean
    if not parts:
        return NOT_RUN
    evidence = ", ".join(f"{model_title(model)} {value:.2f}" for model, value in parts.items())
    return verdict(min(parts.values()) >= NEAR_ONE - 0.1, evidence)


def the_gap_is_smaller(results: Results) -> Verdict:
    """Judge that with true labels the gap is at most SHARE of the least bound, for every model."""
    parts, holds = [], True
    for model, value in _known(results).items():
        measured, least = true_gap(results, model), min(value.bounds.values())
        if measured is not None:
            holds &= measured <= SHARE * least
            parts.append(f"{model_title(model)} {measured:.3f} of {least:.2f}")
    return verdict(holds, ", ".join(parts)) if parts else NOT_RUN


def norm_bounds_are_vacuous(results: Results) -> Verdict:
    """Judge that both bounds by norms are above 1 for every perceptron, with either labels; one without a margin is."""
    found = {
        f"{name}, {model_title(model)}, {CORRUPTION_TITLES[corruption]}": bound
        for model, both in norm_bounds(results).items()
        for corruption, value in both.items()
        for name, bound in (("Frobenius", value.frobenius), ("spectral", value.spectral))
    }
    if not found:
        return NOT_RUN
    least = min(found, key=lambda name: found[name])
    shown = f"{found[least]:,.0f}" if math.isfinite(found[least]) else "no margin, no bound"
    return verdict(found[least] > 1, f"least of {len(found)}: {shown} ({least})")


def norm_bounds_see_the_labels(results: Results) -> Verdict:
    """Judge that both bounds by norms are larger after random labels than after true ones, for every perceptron."""
    parts, holds = [], True
    for model, both in norm_bounds(results).items():
        for title, name in (("Frobenius", "frobenius"), ("spectral", "spectral")):
            true, random = (getattr(both[corruption], name) for corruption in (TRUE, RANDOM))
            if math.isinf(true) or math.isinf(random):
                holds = False
                parts.append(f"{model_title(model)}: no positive margin")
                break
            holds &= random > true
            parts.append(f"{model_title(model)}, {title}: {random / true:,.1f} times")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def random_labels_are_unstable(results: Results) -> Verdict:
    """Judge that with random labels, the loss where one network has not seen the example differs by half or more."""
    found = twins(results, RANDOM)
    if found is None:
        return NOT_RUN
    evidence = f"{found.loss.mean:.2f} on average, at most {found.largest:.2f}; {found.pairs} twins"
    return verdict(found.loss.mean >= 0.5, evidence)


def true_labels_are_more_stable(results: Results) -> Verdict:
    """Judge that with true labels that difference is at most SHARE of what it is with random ones."""
    true, random = (twins(results, corruption) for corruption in (TRUE, RANDOM))
    if true is None or random is None:
        return NOT_RUN
    evidence = f"{true.loss.mean:.3f} with true labels, {random.loss.mean:.3f} with random ones"
    return verdict(true.loss.mean <= SHARE * random.loss.mean, evidence)


def instability_is_the_gap(results: Results) -> Verdict:
    """Judge that the error differs, where unseen, by the gap of accuracies, within STANDARD_ERRORS."""
    model = results.params.studies.bounds.twins.model
    parts, holds = [], True
    for corruption in CORRUPTIONS:
        found, measured = twins(results, corruption), gap(results, model, corruption)
        if found is None or not isinstance(measured, Estimate):
            continue
        # An error is there or not: the spread of a few examples, which may all be alike, is no measure of its own.
        share = min(max(measured.mean, 0.0), 1.0)
        allowed = STANDARD_ERRORS * math.sqrt(share * (1 - share) / found.examples)
        holds &= abs(found.error - measured.mean) <= allowed
        parts.append(
            f"{CORRUPTION_TITLES[corruption]}: {found.error:.2f} at {found.examples} examples, "
            f"gap {measured.mean:.2f} ± {allowed:.2f}"
        )
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


CLAIMS = [
    Claim(
        "rademacher-near-one",
        "The Rademacher complexity of every model on its training set is near 1: 0.9 or more.",
        "Section 2.2",
        complexity_is_near_one,
    ),
    Claim(
        "label-blind-vacuous",
        "Bounds by Rademacher complexity, VC dimension and the stability of gradient descent all exceed one half, "
        "which is what guessing between two classes gives.",
        "Section 2.2",
        label_blind_bounds_are_vacuous,
    ),
    Claim(
        "no-label-blind-bound",
        "With random labels the gap is 0.8 or more for every model: no bound that ignores the labels can be less.",
        "Section 2.2",
        no_label_blind_bound_can_be_small,
    ),
    Claim(
        "gap-smaller",
        "With true labels the gap of every model is at most two thirds of the least of these bounds.",
        "this article",
        the_gap_is_smaller,
    ),
    Claim(
        "norms-vacuous",
        "Bounds by the norms and margins of the trained perceptrons exceed 1 as well.",
        "this article",
        norm_bounds_are_vacuous,
    ),
    Claim(
        "norms-see-labels",
        "These bounds are larger after random labels than after true ones.",
        "Bartlett et al. 2017, Figure 1",
        norm_bounds_see_the_labels,
    ),
    Claim(
        "unstable",
        "With random labels, a network's loss at an example changes by half or more, on average, when the example is "
        "left out of its training.",
        "Section 2.2",
        random_labels_are_unstable,
    ),
    Claim(
        "more-stable",
        "With true labels it changes by two thirds of that, at most.",
        "this article",
        true_labels_are_more_stable,
    ),
    Claim(
        "instability-is-gap",
        "What a left-out example loses is the generalisation gap.",
        "Hardt et al. 2016, theorem 2.2",
        instability_is_the_gap,
    ),
]
