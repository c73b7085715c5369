"""What the article's section on linear models asserts, as predicates over results."""

from collections.abc import Callable

from rethinking.results.beside import AGREES
from rethinking.results.claims import NOT_RUN, Claim, Verdict, verdict
from rethinking.results.frame import Results
from rethinking.studies.kernels.measures import (
    DATASETS,
    EXAMPLES,
    LARGER,
    TOLERANCES,
    Outcome,
    System,
    best_ridge,
    descents,
    over_gammas,
    published,
    smallest_norm,
    smallest_norms,
    systems,
)

SECTION, TABLE = "Zhang et al. 2017, section 5", "Zhang et al. 2017, Table 3"
HANDWRITING = ("mnist", "digits")
POINTS = 3
"""Fewer gammas show no dependence."""
SMALL, LARGE = 1e-3, 0.1
"""Distances that count as none, and as one, in units of the norm of the smallest solution."""


def percent(error: float) -> str:
    """Return an error, a fraction, as evidence shows it."""
    return f"{100 * error:.2f} %"


def training_data_are_interpolated(results: Results) -> Verdict:
    """Judge that every solution of smallest norm has no train error and meets its targets to a thousandth."""
    found = [
        outcome
        for system in systems(results.params)
        for _, outcome in smallest_norms(results, system)
        if outcome is not None
    ]
    if not found:
        return NOT_RUN
    train, farthest = (max(float(each[name]) for each in found) for name in ("train_error", "largest_deviation"))
    evidence = f"{len(found)} systems, train error at most {percent(train)}, farthest from a target {farthest:.1g}"
    return verdict(train == 0 and farthest <= 1e-3, evidence)


def error_is_the_papers(
    dataset: str, features: str, filters: int | None = None, penalised: bool = False
) -> Callable[[Results], Verdict]:
    """Return the judgement that an error on this data is the paper's, within the tolerance for it."""

    def judge(results: Results) -> Verdict:
        system = _system(results, dataset, features, filters)
        theirs = published(system) if system else None
        if system is None or theirs is None:
            return NOT_RUN
        found = best_ridge(results, system) if penalised else smallest_norm(results, system)
        paper = theirs.ridge_error if penalised else theirs.test_error
        if found is None or paper is None or found["examples"] != EXAMPLES[dataset]:
            return NOT_RUN
        error = float(found["test_error"])
        agrees = TOLERANCES[dataset, features].verdict((paper, error)) == AGREES
        return verdict(agrees, f"{percent(error)}, paper {percent(paper)}")

    return judge


def _system(results: Results, dataset: str, features: str, filters: int | None = None) -> System | None:
    key = (dataset, features, filters)
    return next((s for s in systems(results.params) if (s.dataset, s.features, s.filters) == key), None)


def gabor_lowers_the_error(results: Results) -> Verdict:
    """Judge that on scans of handwriting Gabor features leave at most two thirds of the error on pixels."""

    def judge(pixels: Outcome, gabor: Outcome) -> tuple[bool, str]:
        first, second = float(pixels["test_error"]), float(gabor["test_error"])
        return second <= 2 / 3 * first, f"{percent(first)} on pixels, {percent(second)} on Gabor features"

    return _pixels_and_gabor(results, judge)


def gabor_raises_the_norm(results: Results) -> Verdict:
    """Judge that on scans of handwriting the norm is larger with Gabor features, by a quarter or more."""

    def judge(pixels: Outcome, gabor: Outcome) -> tuple[bool, str]:
        first, second = float(pixels["norm"]), float(gabor["norm"])
        return second >= LARGER * first, f"{first:.0f} on pixels, {second:.0f} on Gabor features"

    return _pixels_and_gabor(results, judge)


def norm_depends_on_the_width(results: Results) -> Verdict:
    """Judge that in every system two gammas have norms twofold apart, or more, and errors a fifth apart, or less."""
    parts, holds = [], True
    for system in systems(results.params):
        swept = over_gammas(results, system)
        if len(swept) < POINTS:
            continue
        alike = [
            (float(large["norm"]) / float(small["norm"]), large, small)
            for large in swept
            for small in swept
            if abs(float(large["test_error"]) - float(small["test_error"])) <= 0.2 * float(small["test_error"])
        ]
        ratio, large, small = max(alike, key=lambda each: each[0])
        holds &= ratio >= 2
        parts.append(
            f"{system.name}: norm {large['norm']:.0f} errs {percent(large['test_error'])}, "
            f"norm {small['norm']:.0f} {percent(small['test_error'])}"
        )
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def smallest_norm_is_not_best(results: Results) -> Verdict:
    """Judge that in no system the gamma of the smallest norm is the one of the smallest test error."""
    parts, holds = [], True
    for system in systems(results.params):
        swept = over_gammas(results, system)
        if len(swept) < POINTS:
            continue
        least = min(swept, key=lambda each: float(each["norm"]))
        best = min(swept, key=lambda each: float(each["test_error"]))
        holds &= float(best["test_error"]) < float(least["test_error"])
        parts.append(
            f"{system.name}: norm {least['norm']:.0f} errs {percent(least['test_error'])}, "
            f"norm {best['norm']:.0f} {percent(best['test_error'])}"
        )
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def ridge_hardly_helps_kernels(results: Results) -> Verdict:
    """Judge that on scans of handwriting the best penalty takes off at most 0.3 points of a kernel's error."""
    parts, holds = [], True
    for system in systems(results.params):
        free, best = smallest_norm(results, system), best_ridge(results, system)
        if system.dataset in HANDWRITING and system.filters is None and free and best:
            holds &= float(free["test_error"]) - float(best["test_error"]) <= 0.003
            parts.append(f"{system.name}: {percent(free['test_error'])}, {percent(best['test_error'])} with")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def ridge_helps_random_filters(results: Results) -> Verdict:
    """Judge that with the most random filters the best penalty takes off a tenth of the error or more."""
    found = [system for system in systems(results.params) if system.filters is not None]
    if not found:
        return NOT_RUN
    system = max(found, key=lambda each: each.filters or 0)
    free, best = smallest_norm(results, system), best_ridge(results, system)
    if free is None or best is None:
        return NOT_RUN
    evidence = f"{percent(free['test_error'])}, {percent(best['test_error'])} with a penalty of {best['penalty']:g}"
    return verdict(float(best["test_error"]) <= 0.9 * float(free["test_error"]), evidence)


def descent_from_zero_finds_the_smallest(results: Results) -> Verdict:
    """Judge that from zero the weights end at the solution of smallest norm, up to a thousandth of that."""
    last = {each.start: each.curve.iloc[-1] for each in descents(results)}.get("zero")
    if last is None:
        return NOT_RUN
    evidence = f"distance {last['to_smallest']:.1g} of its norm after {last['step']:,.0f} steps"
    return verdict(float(last["to_smallest"]) <= SMALL, evidence)


def descent_from_elsewhere_finds_another(results: Results) -> Verdict:
    """Judge that from elsewhere they end at the nearest interpolating weights, a tenth of the smallest norm away."""
    curve = {each.start: each.curve for each in descents(results)}.get("elsewhere")
    if curve is None:
        return NOT_RUN
    first, last = curve.iloc[0], curve.iloc[-1]
    kept = abs(float(last["outside_span"]) - float(first["outside_span"]))
    holds = float(last["to_nearest"]) <= SMALL and float(last["to_smallest"]) >= LARGE and kept <= SMALL
    evidence = (
        f"{last['to_nearest']:.1g} from the nearest, {last['to_smallest']:.2g} from the smallest, "
        f"largest residual {last['residual']:.1g}"
    )
    return verdict(holds, evidence)


def _pixels_and_gabor(results: Results, judge: Callable[[Outcome, Outcome], tuple[bool, str]]) -> Verdict:
    """Judge both features on every set of scans on which both were run, each at its own gamma."""
    parts, holds = [], True
    for dataset in HANDWRITING:
        both = [_system(results, dataset, features) for features in ("pixels", "gabor")]
        pixels, gabor = (smallest_norm(results, system) if system else None for system in both)
        if pixels and gabor:
            agrees, evidence = judge(pixels, gabor)
            holds &= agrees
            parts.append(f"{DATASETS[dataset]}: {evidence}")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


CLAIMS = [
    Claim(
        "interpolates",
        "The solution of smallest norm has no train error and meets every target to a thousandth, on all data and "
        "features.",
        SECTION,
        training_data_are_interpolated,
    ),
    Claim(
        "mnist-pixels",
        "On all of MNIST, a Gaussian kernel on pixels errs as often as the paper's 1.2 %, within 0.2 points.",
        TABLE,
        error_is_the_papers("mnist", "pixels"),
    ),
    Claim(
        "mnist-gabor",
        "On all of MNIST, a kernel on Gabor features errs as often as the paper's 0.6 %, within 0.2 points.",
        TABLE,
        error_is_the_papers("mnist", "gabor"),
    ),
    Claim(
        "cifar10-pixels",
        "On all of CIFAR-10, a Gaussian kernel on pixels errs as often as the paper's 46 %, within 3 points.",
        TABLE,
        error_is_the_papers("cifar10", "pixels"),
    ),
    Claim(
        "cifar10-filters",
        "On all of CIFAR-10, 32,000 random filters err as often as the paper's 17 %, within 2 points.",
        TABLE,
        error_is_the_papers("cifar10", "convolutional", 32_000),
    ),
    Claim(
        "cifar10-filters-ridge",
        "With the best penalty they err as often as the paper's 15 %, within 2 points.",
        TABLE,
        error_is_the_papers("cifar10", "convolutional", 32_000, penalised=True),
    ),
    Claim(
        "gabor-error",
        "On scans of handwriting, Gabor features leave at most two thirds of the error on pixels.",
        TABLE,
        gabor_lowers_the_error,
    ),
    Claim(
        "gabor-norm",
        "And yet the solution's norm is larger with them, by a quarter or more.",
        SECTION,
        gabor_raises_the_norm,
    ),
    Claim(
        "norm-by-width",
        "Every kernel has two widths between which the norm changes twofold or more, and the error by a fifth or less.",
        "this article",
        norm_depends_on_the_width,
    ),
    Claim(
        "smallest-not-best",
        "Over the widths of a kernel, the one whose solution has the smallest norm is not the one that errs least.",
        "this article",
        smallest_norm_is_not_best,
    ),
    Claim(
        "ridge-kernels",
        "On scans of handwriting, the best ridge penalty takes off at most 0.3 points of a kernel's error.",
        SECTION,
        ridge_hardly_helps_kernels,
    ),
    Claim(
        "ridge-filters",
        "With the most random filters, the best ridge penalty takes off a tenth of the error or more.",
        TABLE,
        ridge_helps_random_filters,
    ),
    Claim(
        "descent-from-zero",
        "Stochastic gradient descent from zero ends at the interpolating weights of smallest norm.",
        SECTION,
        descent_from_zero_finds_the_smallest,
    ),
    Claim(
        "descent-from-elsewhere",
        "From elsewhere it ends at the nearest interpolating weights, which are others.",
        "this article",
        descent_from_elsewhere_finds_another,
    ),
]
