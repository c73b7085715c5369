"""What the article's section on the randomisation tests asserts, as predicates over results."""

import math
from collections.abc import Callable

from rethinking.data.sources import DATASETS
from rethinking.results.beside import AGREES, DIFFERS
from rethinking.results.claims import NOT_RUN, Claim, Verdict, verdict
from rethinking.results.frame import Estimate, Results
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.randomisation.curves import POINTS, sweep_pair
from rethinking.studies.randomisation.design import (
    ALL_MODELS,
    SWEEP_MODELS,
    sweep_corruptions,
    table1_rows,
    table4_rows,
)
from rethinking.studies.randomisation.measures import (
    DIVERGED,
    FITTED,
    MISSING,
    error,
    error_on_corrupted_labels,
    measured,
    on_papers_data,
    overfit_epochs,
    runs,
    steps_to_fit,
    table4_measure,
)

CHANCE = 0.1


def _label(model: str) -> str:
    return model_title(model)


def _accuracies(results: Results, corruption: str, column: str) -> dict[str, Estimate | str]:
    return {model: measured(runs(results, model, corruption), column) for model in ALL_MODELS}


def _all_fitted(found: dict[str, Estimate | str]) -> Verdict:
    """Judge that every accuracy that was measured counts as fitting; a diverged run does not."""
    known = {name: value for name, value in found.items() if value != MISSING}
    if not known:
        return NOT_RUN
    failed = {name: value for name, value in known.items() if not isinstance(value, Estimate) or value.mean < FITTED}
    if failed:
        # Three decimals: one that just misses must not be shown as if it did not.
        shown = ", ".join(
            f"{name} {value if isinstance(value, str) else f'{100 * value.mean:.3f} %'}"
            for name, value in failed.items()
        )
        return verdict(False, f"{len(failed)} of {len(known)} do not: {shown}")
    lowest = min(value.mean for value in known.values() if isinstance(value, Estimate))
    return verdict(True, f"lowest of {len(known)}: {100 * lowest:.2f} %")


def _without_number(found: dict[str, Estimate | str]) -> str:
    """Name the runs that have no number, such as "AlexNet diverged"; empty if all have one."""
    return ", ".join(f"{name} {value}" for name, value in found.items() if isinstance(value, str))


def _percent(value: Estimate | str) -> str:
    return value if isinstance(value, str) else f"{100 * value.mean:.2f} %"


def every_model_fits(corruption: str) -> Callable[[Results], Verdict]:
    """Return the predicate that all models reach FITTED train accuracy."""

    def judge(results: Results) -> Verdict:
        found = _accuracies(results, corruption, "train_accuracy")
        return _all_fitted({_label(model): value for model, value in found.items()})

    return judge


def test_accuracy_is_chance(results: Results) -> Verdict:
    """Judge that no model's test accuracy after random labels leaves what guessing gives on this many images."""
    study = results.params.studies.randomisation
    limit = results.params.datasets[study.dataset].train_examples
    count = min(DATASETS[study.dataset].n_test, limit or DATASETS[study.dataset].n_test)
    found = {
        _label(model): value
        for model, value in _accuracies(results, "random-labels", "test_accuracy").items()
        if value != MISSING
    }
    if not found:
        return NOT_RUN
    if failed := _without_number(found):
        return verdict(False, failed)
    values = [value.mean for value in found.values() if isinstance(value, Estimate)]
    # Five models are judged together: at 3.3 standard errors one in a hundred such tables would differ by luck.
    room = 3.3 * math.sqrt(CHANCE * (1 - CHANCE) / count)
    evidence = f"{100 * min(values):.2f} to {100 * max(values):.2f} %, guessing gives 10 ± {100 * room:.1f} %"
    return verdict(all(abs(value - CHANCE) <= room for value in values), evidence)


def unstructured_images_are_fitted(results: Results) -> Verdict:
    """Judge that Inception fits shuffled pixels, random pixels and Gaussian noise."""
    return _all_fitted(
        {
            CORRUPTION_TITLES[corruption]: measured(runs(results, "inception", corruption), "train_accuracy")
            for corruption in ("shuffled-pixels", "random-pixels", "gaussian")
        }
    )


def noise_converges_before_random_labels(results: Results) -> Verdict:
    """Judge that Inception fits random pixels and Gaussian noise in fewer steps than random labels."""
    steps = {name: steps_to_fit(results, name) for name in ("random-pixels", "gaussian", "random-labels")}
    if any(value == MISSING for value in steps.values()):
        return NOT_RUN
    evidence = ", ".join(
        f"{CORRUPTION_TITLES[name]} {value if isinstance(value, str) else f'{value.mean:,.0f} steps'}"
        for name, value in steps.items()
    )
    # A curve that never gets there is slower than any that does.
    order = {name: value.mean if isinstance(value, Estimate) else math.inf for name, value in steps.items()}
    return verdict(
        max(order["random-pixels"], order["gaussian"]) < order["random-labels"],
        evidence,
    )


def _rank_correlation(values: list[float]) -> float:
    """Return Spearman's correlation of `values` with their own order: 1 where they never fall."""
    from scipy.stats import spearmanr

    return float(spearmanr(range(len(values)), values).statistic) if len(set(values)) > 1 else 0.0


def overfitting_takes_longer_with_corruption(results: Results) -> Verdict:
    """Judge that time to overfit grows with label corruption for every model of the sweep."""
    parts, holds = [], True
    for model in SWEEP_MODELS:
        found = [overfit_epochs(results, model, corruption) for corruption in sweep_corruptions(results.params)]
        if MISSING in found:
            continue
        if any(isinstance(value, str) for value in found):
            holds = False
            parts.append(f"{_label(model)} does not fit at every level")
            continue
        epochs = [value.mean for value in found if isinstance(value, Estimate)]
        holds &= _rank_correlation(epochs) > 0.8 and epochs[-1] > epochs[0]
        parts.append(f"{_label(model)} {epochs[0]:.0f} → {epochs[-1]:.0f} epochs")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def slow_down_is_a_small_factor(results: Results) -> Verdict:
    """Judge that random labels take less than ten times the epochs of true labels."""
    parts, holds = [], True
    for model in SWEEP_MODELS:
        slow, fast = (overfit_epochs(results, model, corruption) for corruption in ("random-labels", "true"))
        if MISSING in (slow, fast):
            continue
        if isinstance(slow, Estimate) and isinstance(fast, Estimate):
            holds &= slow.mean / fast.mean < 10
            parts.append(f"{_label(model)} {slow.mean / fast.mean:.1f}")
        else:
            holds = False
            parts.append(f"{_label(model)} {slow if isinstance(slow, str) else fast}")
    return verdict(holds, ", ".join(parts)) if parts else NOT_RUN


def test_error_rises_to_chance(results: Results) -> Verdict:
    """Judge that test error grows with label corruption, up to 90 %, for every model of the sweep."""
    parts, holds = [], True
    for model in SWEEP_MODELS:
        corruptions = sweep_corruptions(results.params)
        found = {f"{_label(model)} on {name}": error(results, model, name) for name in corruptions}
        if MISSING in found.values():
            continue
        if failed := _without_number(found):
            holds = False
            parts.append(failed)
            continue
        values = [value.mean for value in found.values() if isinstance(value, Estimate)]
        holds &= _rank_correlation(values) > 0.9 and abs(values[-1] - (1 - CHANCE)) < 0.06
        parts.append(f"{_label(model)} {100 * values[0]:.1f} → {100 * values[-1]:.1f} %")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def papers_test_labels_are_corrupted(results: Results) -> Verdict:
    """Judge that Figure 1c's curves are ours under corrupted test labels, and are not under true ones."""
    if not on_papers_data(results):
        return NOT_RUN
    parts, holds = [], True
    for model in SWEEP_MODELS:
        if MISSING in (error(results, model, corruption) for corruption in sweep_corruptions(results.params)):
            continue
        true, corrupted = (sweep_pair(results, "1c", model, each) for each in (error, error_on_corrupted_labels))
        holds &= (true.verdict, corrupted.verdict) == (DIFFERS, AGREES)
        if true.apart is None or corrupted.apart is None:
            parts.append(f"{_label(model)} diverged")
            continue
        near, far = (POINTS.factor * each.mean for each in (corrupted.apart, true.apart))
        parts.append(f"{_label(model)}: {near:.1f} points apart on average, {far:.1f} under true test labels")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def generalisation_without_regularizers(results: Results) -> Verdict:
    """Judge that without any regularizer a model keeps nine tenths of its best test accuracy with regularizers."""
    shares = {}
    for model in ALL_MODELS:
        tests: dict[str, float] = {}
        for row in table1_rows():
            if (row.model, row.corruption) == (model, "true"):
                value = measured(runs(results, model, "true", row.regularizer), "test_accuracy")
                if value == DIVERGED:
                    return verdict(False, f"{_label(model)} with {row.regularizer} diverged")
                if isinstance(value, Estimate):
                    tests[row.regularizer] = value.mean
        if "none" in tests and len(tests) > 1:
            shares[_label(model)] = tests["none"] / max(v for k, v in tests.items() if k != "none")
    if not shares:
        return NOT_RUN
    evidence = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())
    return verdict(min(shares.values()) >= 0.9, evidence)


def regularizers_do_not_prevent_memorising(results: Results) -> Verdict:
    """Judge that the rows of Table 4 that the paper fits are fitted here."""
    return _all_fitted(
        {
            f"{_label(row.model)} + {row.regularizer}": measured(
                runs(results, row.model, row.corruption, row.regularizer), table4_measure(row)
            )
            for row in table4_rows()
            if row.train_accuracy is not None
        }
    )


def early_stopping_gains_little(results: Results) -> Verdict:
    """Judge that the best test accuracy along Inception's run is less than a point above the last."""
    found = runs(results, "inception", "true")
    best, last = measured(found, "best_test_accuracy"), measured(found, "test_accuracy")
    if isinstance(best, str) or isinstance(last, str):
        return NOT_RUN if best == MISSING else verdict(False, f"Inception {best}")
    gain = 100 * (best.mean - last.mean)
    return verdict(gain < 1, f"best {100 * best.mean:.2f} %, last {100 * last.mean:.2f} %")


def batch_normalisation_helps(results: Results) -> Verdict:
    """Judge that Inception's test accuracy is higher with batch normalisation than without."""
    with_bn, without = (
        measured(runs(results, model, "true"), "test_accuracy") for model in ("inception", "inception-nobn")
    )
    if with_bn == MISSING or without == MISSING:
        return NOT_RUN
    evidence = f"with {_percent(with_bn)}, without {_percent(without)}"
    return verdict(
        isinstance(with_bn, Estimate) and isinstance(without, Estimate) and with_bn.mean > without.mean,
        evidence,
    )


CLAIMS = [
    Claim(
        "true-labels-fitted",
        "Every model fits the true labels to at least 99 % train accuracy.",
        "Table 1",
        every_model_fits("true"),
    ),
    Claim(
        "random-labels-fitted",
        "Every model fits random labels to at least 99 % train accuracy.",
        "Section 2.2, Table 1",
        every_model_fits("random-labels"),
    ),
    Claim(
        "random-labels-at-chance",
        "After random labels, test accuracy is what guessing gives.",
        "Table 1",
        test_accuracy_is_chance,
    ),
    Claim(
        "unstructured-images-fitted",
        "Inception fits images whose structure is destroyed: shuffled pixels, random pixels, Gaussian noise.",
        "Section 2.2, Figure 1a",
        unstructured_images_are_fitted,
    ),
    Claim(
        "noise-before-random-labels",
        "Random pixels and Gaussian noise are fitted in fewer steps than random labels.",
        "Section 2.2, Figure 1a",
        noise_converges_before_random_labels,
    ),
    Claim(
        "overfitting-slows",
        "Time to overfit grows with label corruption.",
        "Figure 1b",
        overfitting_takes_longer_with_corruption,
    ),
    Claim(
        "slow-down-small",
        "Random labels take less than ten times as many epochs as true labels.",
        "Section 2.2, Figure 1b",
        slow_down_is_a_small_factor,
    ),
    Claim(
        "error-rises-to-chance",
        "Test error rises with label corruption, up to that of guessing.",
        "Section 2.2, Figure 1c",
        test_error_rises_to_chance,
    ),
    Claim(
        "papers-test-labels",
        "The test errors of Figure 1c are those of test labels that are corrupted like the training labels.",
        "ours; the paper does not say on which labels it measured",
        papers_test_labels_are_corrupted,
    ),
    Claim(
        "regularizers-not-necessary",
        "Without any explicit regularizer, every model keeps at least nine tenths of its regularised test accuracy.",
        "Section 3, Table 1",
        generalisation_without_regularizers,
    ),
    Claim(
        "regularizers-not-sufficient",
        "Where the paper could fit random labels in spite of a regularizer, we do too.",
        "Appendix E, Table 4",
        regularizers_do_not_prevent_memorising,
    ),
    Claim(
        "early-stopping-little",
        "On this data set, stopping early would have gained Inception less than one point.",
        "Section 3, Figure 2b",
        early_stopping_gains_little,
    ),
    Claim(
        "batch-normalisation-helps",
        "Batch normalisation improves Inception's test accuracy.",
        "Section 3, Table 1",
        batch_normalisation_helps,
    ),
]
