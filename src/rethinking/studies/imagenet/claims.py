"""What the article's section on ImageNet asserts, as predicates over results."""

from collections.abc import Callable

from rethinking.results.claims import NOT_RUN, Claim, Verdict, verdict
from rethinking.results.frame import Estimate, Results
from rethinking.studies.imagenet.design import Condition, paper_rows
from rethinking.studies.imagenet.measures import DIVERGED, best, classes, last

TRUE, RANDOM = "true", "random-labels"
NOTHING, DECAY, AUGMENTED = (Condition(TRUE, name) for name in ("none", "wd", "augmentation"))

FITTED = 0.95
FITTED_UNDER_REGULARIZERS = 0.85
NEAR_ALEXNET = 0.05
GAIN = 0.02
GUESSES = 2.0

Judge = Callable[[Results], Verdict]


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %"


def _judged(values: dict[str, Estimate | str], judge: Callable[[dict[str, float]], tuple[bool, str]]) -> Verdict:
    """Judge numbers if all are there; a run that diverged has none, which differs from any claim about it."""
    diverged = [name for name, value in values.items() if value == DIVERGED]
    if diverged:
        return verdict(False, f"{', '.join(diverged)}: {DIVERGED}")
    numbers = {name: value.mean for name, value in values.items() if isinstance(value, Estimate)}
    return verdict(*judge(numbers)) if len(numbers) == len(values) else NOT_RUN


def augmentation_before_weight_decay(results: Results) -> Verdict:
    """Judge that augmentation alone gains more top-1 test accuracy than weight decay alone."""
    conditions = {"augmentation": AUGMENTED, "weight decay": DECAY, "neither": NOTHING}

    def judge(numbers: dict[str, float]) -> tuple[bool, str]:
        shown = "; ".join(f"{name} {_percent(value)}" for name, value in numbers.items())
        return numbers["augmentation"] > max(numbers["weight decay"], numbers["neither"]), shown

    return _judged({name: last(results, each, "test_top1") for name, each in conditions.items()}, judge)


def generalises_without_regularizers(results: Results) -> Verdict:
    """Judge that without regularizers top-5 test accuracy is at most NEAR_ALEXNET below AlexNet's of 2012."""
    alexnet = next(row.test_top5 for row in paper_rows() if row.condition is None)
    assert alexnet is not None

    def judge(numbers: dict[str, float]) -> tuple[bool, str]:
        found = numbers["no regularizer"]
        return found >= alexnet - NEAR_ALEXNET, f"top-5 test accuracy {_percent(found)}"

    return _judged({"no regularizer": last(results, NOTHING, "test_top5")}, judge)


def early_stopping_could_help(results: Results) -> Verdict:
    """Judge that without augmentation the best top-1 test accuracy along the run is GAIN above the last one."""
    values: dict[str, Estimate | str] = {}
    for name, condition in (("weight decay alone", DECAY), ("no regularizer", NOTHING)):
        values[f"{name}, best"] = best(results, condition, "test_top1")
        values[f"{name}, last"] = last(results, condition, "test_top1")

    def judge(numbers: dict[str, float]) -> tuple[bool, str]:
        names = ("weight decay alone", "no regularizer")
        gains = {name: numbers[f"{name}, best"] - numbers[f"{name}, last"] for name in names}
        shown = "; ".join(f"{name} {100 * gain:.1f} points" for name, gain in gains.items())
        return min(gains.values()) >= GAIN, shown

    return _judged(values, judge)


def random_labels_fitted(regularizers: tuple[str, ...], level: float) -> Judge:
    """Return the judge of whether networks under each of these fit random labels to this top-1 train accuracy."""

    def judged(results: Results) -> Verdict:
        values = {name: last(results, Condition(RANDOM, name), "train_top1") for name in regularizers}

        def judge(numbers: dict[str, float]) -> tuple[bool, str]:
            shown = "; ".join(f"{name} {_percent(value)}" for name, value in numbers.items())
            return min(numbers.values()) >= level, f"top-1 train accuracy, {shown}"

        return _judged(values, judge)

    return judged


def random_labels_at_chance(results: Results) -> Verdict:
    """Judge that after random labels top-1 test accuracy is at most GUESSES times that of guessing."""
    condition = Condition(RANDOM, "none")

    def judge(numbers: dict[str, float]) -> tuple[bool, str]:
        chance = 1 / (classes(results, condition) or 1)
        found = numbers["random labels"]
        return found <= GUESSES * chance, f"top-1 test accuracy {_percent(found)}, guessing {_percent(chance)}"

    return _judged({"random labels": last(results, condition, "test_top1")}, judge)


CLAIMS = [
    Claim(
        "augmentation-before-weight-decay",
        "On ImageNet, augmentation alone gives a higher top-1 test accuracy than weight decay alone.",
        "Table 2",
        augmentation_before_weight_decay,
    ),
    Claim(
        "generalises-without-regularizers",
        "On ImageNet, top-5 test accuracy without any regulariser is at most five points below that of AlexNet, which "
        "won in 2012 with several.",
        "section 3, Table 2",
        generalises_without_regularizers,
    ),
    Claim(
        "random-labels-fitted",
        "Random labels of ImageNet are fitted, without a regulariser, to at least 95 % top-1 train accuracy.",
        "section 2.1, Table 2",
        random_labels_fitted(("none",), FITTED),
    ),
    Claim(
        "random-labels-at-chance",
        "After random labels of ImageNet, top-1 test accuracy is at most twice that of guessing.",
        "Table 2",
        random_labels_at_chance,
    ),
    Claim(
        "regularizers-not-sufficient",
        "Random labels of ImageNet are fitted under weight decay too, with and without dropout, to at least 85 % top-1 "
        "train accuracy.",
        "section 3, Table 2",
        random_labels_fitted(("wd", "dropout+wd"), FITTED_UNDER_REGULARIZERS),
    ),
    Claim(
        "early-stopping-could-help",
        "On ImageNet without augmentation, the best top-1 test accuracy along the run is at least two points above the "
        "last, with weight decay and without.",
        "section 3, Figure 2a",
        early_stopping_could_help,
    ),
]
