"""What the article's section asserts, as predicates over results."""

from collections.abc import Callable, Sequence
from statistics import fmean

from rethinking.results.claims import NOT_RUN, Claim, Verdict, verdict
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.table import MINUS
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.sparsity.curves import Kept, curve, gain, kept, kept_by, ticket_curve
from rethinking.studies.sparsity.design import models_of
from rethinking.studies.sparsity.tables import MEASURES
from rethinking.studies.sparsity.vocabulary import (
    CORRUPTIONS,
    GLOBAL,
    ITERATIVE,
    LAYER_WISE,
    ONE_SHOT,
    RANDOM_MASK,
    REINITIALISED,
    RETRAINING,
    TICKET,
)

SMALL = 0.25
"""Fraction of weights at which tickets are compared, and below."""

POINT = 0.01


def _labels(corruption: str) -> str:
    return "true" if corruption == "true" else "random"


def _points(difference: float) -> str:
    """Return a difference of fractions in percentage points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", MINUS)


def _mean(value: Estimate | str) -> float:
    """Return the mean; what diverged has no accuracy."""
    return value.mean if isinstance(value, Estimate) else 0.0


def pruning_has_a_knee(results: Results) -> Verdict:
    """Judge that true-label networks keep their accuracy with half of their weights, and lose it with the fewest."""
    parts, holds = [], True
    for model in models_of(results.params, ONE_SHOT):
        found, left = curve(results, ONE_SHOT, model, "true"), kept_by(results, ONE_SHOT, model, "true")
        if left is None:
            continue
        fewest = min(found)
        drop = _mean(found[1.0]) - _mean(found[fewest])
        holds &= left.fraction <= 0.5 and drop > 0.2
        parts.append(
            f"{model_title(model)} keeps it to {left.text}, {100 * drop:.0f} points lost at {100 * fewest:.2g} %"
        )
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def statistics_matter(results: Results) -> Verdict:
    """Judge that measuring batch normalisation's statistics anew restores ten points at some fraction."""
    found = results.experiment("sparsity", ONE_SHOT)
    if found.empty or not found["recalibrated"].any():
        return NOT_RUN
    parts, holds = [], True
    for model in found["model"][found["recalibrated"]].unique():
        for corruption in CORRUPTIONS:
            rows = matching(found, model=model, corruption=corruption, scope=GLOBAL)
            if rows.empty:
                continue
            anew, before = (
                matching(rows, recalibrated=flag).groupby("fraction_left")["train_accuracy"].mean()
                for flag in (True, False)
            )
            gains = anew - before
            fraction = float(gains.index[int(gains.argmax())])
            holds &= float(gains.max()) > 0.1
            change = f"{100 * before[fraction]:.0f} → {100 * anew[fraction]:.0f} %"
            parts.append(f"{model_title(model)}, {_labels(corruption)} {change} with {100 * fraction:.3g} % left")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def _compare(
    results: Results,
    method: str,
    other: str,
    holds: Callable[[float, float], bool],
) -> Verdict:
    """Judge a relation between the fractions that every network keeps its accuracy with under two ways to prune."""
    parts, good = [], True
    for model in models_of(results.params, method):
        for corruption in CORRUPTIONS:
            left, right = (kept_by(results, way, model, corruption) for way in (method, other))
            if left is None or right is None:
                continue
            good &= holds(left.fraction, right.fraction)
            parts.append(f"{model_title(model)}, {_labels(corruption)} {right.text} → {left.text}")
    return verdict(good, "; ".join(parts)) if parts else NOT_RUN


def training_on_moves_the_knee(results: Results) -> Verdict:
    """Judge that networks trained on after pruning need at most half the weights that they need without."""
    return _compare(results, RETRAINING, ONE_SHOT, lambda after, before: after <= before / 2)


def rounds_go_as_far(results: Results) -> Verdict:
    """Judge that pruning in rounds leaves at most a tenth more weights than pruning at once, both trained on."""
    return _compare(results, ITERATIVE, RETRAINING, lambda rounds, once: rounds <= 1.1 * once)


def memorising_needs(method: str, times: float) -> Callable[[Results], Verdict]:
    """Return the predicate that random labels need so many times the weights of true ones, in every model."""

    def judge(results: Results) -> Verdict:
        parts, holds = [], True
        for model in models_of(results.params, method):
            true, random = (kept_by(results, method, model, corruption) for corruption in CORRUPTIONS)
            if true is None or random is None:
                continue
            ratio = random.fraction / true.fraction
            holds &= ratio >= times
            parts.append(f"{model_title(model)} {random.text} against {true.text}, {ratio:.1f} times")
        return verdict(holds, "; ".join(parts)) if parts else NOT_RUN

    return judge


def a_tenth_is_enough(results: Results) -> Verdict:
    """Judge that true-label networks pruned in rounds keep their test accuracy with a tenth of their weights."""
    found: dict[str, Kept] = {}
    for model in models_of(results.params, ITERATIVE):
        left = kept_by(results, ITERATIVE, model, "true", "test_accuracy")
        if left is not None:
            found[model_title(model)] = left
    if not found:
        return NOT_RUN
    return verdict(
        all(left.fraction <= 0.1 for left in found.values()),
        ", ".join(f"{name} {left.text}" for name, left in found.items()),
    )


def one_threshold_is_as_good(results: Results) -> Verdict:
    """Judge that global pruning keeps as much train accuracy as layer-wise, on average over fractions, or more."""
    parts, holds = [], True
    for model in models_of(results.params, ONE_SHOT):
        for corruption in CORRUPTIONS:
            scopes = [curve(results, ONE_SHOT, model, corruption, scope) for scope in (GLOBAL, LAYER_WISE)]
            if not all(scopes):
                continue
            one, each = (fmean(_mean(value) for fraction, value in found.items() if fraction < 1) for found in scopes)
            holds &= one >= each - 2 * POINT
            parts.append(f"{model_title(model)}, {_labels(corruption)} {_points(one - each)}")
    return verdict(holds, f"points: {'; '.join(parts)}") if parts else NOT_RUN


def _trials_with(results: Results, corruption: str) -> Sequence[str]:
    study = results.params.studies.sparsity
    return [model for part in study.tickets if corruption in part.corruptions for model in part.models]


def tickets_exceed(other: str, questions: Sequence[tuple[str, int | None]]) -> Callable[[Results], Verdict]:
    """Return the predicate that tickets exceed `other` by a point after an epoch, under the labels of each question.

    The difference is averaged over the rounds that leave at most SMALL of the weights; it must be there in every model.
    """

    def judge(results: Results) -> Verdict:
        parts, holds = [], True
        for corruption, epoch in questions:
            for model in _trials_with(results, corruption):
                found = gain(results, model, corruption, other, MEASURES[corruption], epoch, SMALL)
                if found is None:
                    continue
                holds &= found.mean >= POINT
                interval = "" if found.half_width is None else f" ± {100 * found.half_width:.1f}"
                parts.append(
                    f"{model_title(model)}, {CORRUPTION_TITLES[corruption]} {_points(found.mean)}{interval} points"
                )
        return verdict(holds, "; ".join(parts)) if parts else NOT_RUN

    return judge


def tickets_keep_accuracy_further(results: Results) -> Verdict:
    """Judge that tickets keep the whole network's test accuracy with half the weights that new first weights need."""
    parts, holds = [], True
    for model in _trials_with(results, "true"):
        own, new = (
            kept(
                ticket_curve(results, model, "true", method, "test_accuracy"),
                results.params.studies.sparsity.accuracy_lost,
            )
            for method in (TICKET, REINITIALISED)
        )
        if own is None or new is None:
            continue
        holds &= own.fraction <= new.fraction / 2
        parts.append(f"{model_title(model)} {own.text} against {new.text}")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


CLAIMS = [
    Claim(
        "pruning-has-a-knee",
        "A network that learned true labels keeps its train accuracy with half of its weights or fewer, without any "
        "training after pruning, and with the fewest that were tried has lost more than twenty points.",
        "Han et al. 2015, Figure 5",
        pruning_has_a_knee,
    ),
    Claim(
        "statistics-matter",
        "Measuring batch normalisation's statistics anew after pruning, which changes no weight, restores more than "
        "ten points of train accuracy at some fraction.",
        "ours",
        statistics_matter,
    ),
    Claim(
        "memorising-needs-more",
        "Pruned at once, a network that memorised random labels needs at least one and a half times the weights of one "
        "that learned true labels.",
        "ours",
        memorising_needs(ONE_SHOT, 1.5),
    ),
    Claim(
        "one-threshold-is-as-good",
        "One threshold for all layers keeps as much train accuracy as the same fraction of every layer, or more; two "
        "points less, on average over fractions, count as much.",
        "ours",
        one_threshold_is_as_good,
    ),
    Claim(
        "training-on-moves-the-knee",
        "Trained on after pruning, a network keeps its train accuracy with at most half the weights that it needs "
        "without.",
        "Han et al. 2015, Figure 5",
        training_on_moves_the_knee,
    ),
    Claim(
        "rounds-go-as-far",
        "Pruned in rounds and trained on, a network needs no more weights than pruned at once and trained on, a tenth "
        "of them aside.",
        "Han et al. 2015, Figure 5",
        rounds_go_as_far,
    ),
    Claim(
        "memorising-needs-more-in-rounds",
        "Pruned in rounds and trained on, a network that memorised random labels needs at least three times the "
        "weights of one that learned true labels.",
        "ours",
        memorising_needs(ITERATIVE, 3.0),
    ),
    Claim(
        "a-tenth-is-enough",
        "Pruned in rounds and trained on, a network that learned true labels keeps its test accuracy with a tenth of "
        "its weights.",
        "Han et al. 2015, Table 1",
        a_tenth_is_enough,
    ),
    Claim(
        "tickets-learn-sooner",
        "With a quarter of the weights or fewer, tickets are at least a point of test accuracy above the same masks "
        "with new first weights after one epoch on true labels.",
        "Frankle & Carbin 2019, Figure 4",
        tickets_exceed(REINITIALISED, [("true", 1)]),
    ),
    Claim(
        "tickets-memorise-better",
        "With a quarter of the weights or fewer, tickets fit random labels at least a point better than the same masks "
        "with new first weights.",
        "ours",
        tickets_exceed(REINITIALISED, [("random-labels", None)]),
    ),
    Claim(
        "random-masks-are-worse",
        "With a quarter of the weights or fewer, masks in random places are at least a point behind tickets, both "
        "after one epoch on true labels and in fitting random ones.",
        "Frankle & Carbin 2019, Figure 1",
        tickets_exceed(RANDOM_MASK, [("true", 1), ("random-labels", None)]),
    ),
    Claim(
        "tickets-keep-accuracy-further",
        "On true labels, tickets keep the whole network's test accuracy with at most half the weights that new first "
        "weights need for it.",
        "Frankle & Carbin 2019, Figure 4",
        tickets_keep_accuracy_further,
    ),
]
