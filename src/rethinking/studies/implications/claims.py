"""What the article's last section asserts, as predicates over the results of all studies."""

from rethinking.results.claims import NOT_RUN, Claim, Verdict, verdict
from rethinking.results.frame import Results, matching
from rethinking.results.titles import model_title
from rethinking.studies.implications.sizes import DENSE, best_at, compressed, pairs, small

LARGE_GAP = 0.5
TENTH, ONE_POINT = 10, 0.01
FEW_TIMES = 2


def size_does_not_decide(results: Results) -> Verdict:
    """Judge that with random labels every network, at its full size, has a gap larger by LARGE_GAP."""
    found = matching(compressed(results), form=DENSE)
    parts, holds = [], True
    for model in pairs(results):
        true, random = (
            float((dense["train_accuracy"] - dense["test_accuracy"]).iloc[0])
            for dense in (matching(found, model=model, corruption=labels) for labels in ("true", "random-labels"))
        )
        holds &= random - true >= LARGE_GAP
        parts.append(f"{model_title(model)} {100 * true:.1f} and {100 * random:.1f} points")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def memorising_takes_more(results: Results) -> Verdict:
    """Judge that what memorised needs FEW_TIMES as many bytes as what learned, for every network."""
    ratios = {model: both["random-labels"].best / both["true"].best for model, both in pairs(results).items()}
    if not ratios:
        return NOT_RUN
    evidence = "; ".join(f"{model_title(model)} {ratio:.1f} times" for model, ratio in ratios.items())
    return verdict(min(ratios.values()) >= FEW_TIMES, evidence)


def a_tenth_is_enough(results: Results) -> Verdict:
    """Judge that on true labels a file of a tenth of the size has a test accuracy within ONE_POINT of the whole's."""
    found = matching(compressed(results), corruption="true")
    parts, holds = [], True
    for model in found["model"].unique():
        own = matching(found, model=model)
        size, whole = (float(matching(own, form=DENSE)[column].iloc[0]) for column in ("bytes", "test_accuracy"))
        best = best_at(own, size / TENTH, "test_accuracy")
        holds &= best is not None and best >= whole - ONE_POINT - 1e-9
        shown = "none so small" if best is None else f"{100 * best:.2f} %"
        parts.append(f"{model_title(model)} {shown} of {100 * whole:.2f} %")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def large_then_small(results: Results) -> Verdict:
    """Judge that no network that was small from the start is better, by ONE_POINT, than a large one made as small."""
    own = matching(compressed(results), model=results.params.studies.implications.model, corruption="true")
    alone = small(results, "true")
    compared = [
        (float(size), float(accuracy), best)
        for size, accuracy in zip(alone["bytes"], alone["test_accuracy"], strict=True)
        if (best := best_at(own, size, "test_accuracy")) is not None
    ]
    if not compared:
        return NOT_RUN
    size, accuracy, best = max(compared, key=lambda each: each[1] - each[2])
    evidence = (
        f"{len(compared)} sizes; nearest to failing at {size / 1000:.3g} kB: {100 * best:.2f} % compressed, "
        f"{100 * accuracy:.2f} % small from the start"
    )
    return verdict(all(best >= accuracy - ONE_POINT for _, accuracy, best in compared), evidence)


def large_is_no_worse(results: Results) -> Verdict:
    """Judge that the full network's test accuracy on true labels is within ONE_POINT of the best of smaller widths."""
    study = results.params.studies.implications
    dataset = results.params.studies.randomisation.dataset
    full = results.of(dataset=dataset, model=study.model, corruption="true", regularizer="none", status="finished")
    smaller = small(results, "true")
    if full.empty or smaller.empty:
        return NOT_RUN
    whole, best = float(full["test_accuracy"].mean()), float(smaller["test_accuracy"].max())
    evidence = f"{100 * whole:.2f} % at full width, {100 * best:.2f} % the best smaller one"
    return verdict(whole >= best - ONE_POINT, evidence)


CLAIMS = [
    Claim(
        "size-does-not-decide",
        "At one size the gap between train and test accuracy can be small or large: with random labels it is larger by "
        "at least 50 points, for every network.",
        "Zhang et al. 2017, section 1",
        size_does_not_decide,
    ),
    Claim(
        "large-is-no-worse",
        "A network far larger than needed generalises no worse: at full width its test accuracy is at most a point "
        "below the best of smaller widths.",
        "Nakkiran et al. 2019, section 1",
        large_is_no_worse,
    ),
    Claim(
        "a-tenth-is-enough",
        "What was learned from true labels fits into a tenth of the bytes, at no more than a point of test accuracy.",
        "Han et al. 2016, abstract",
        a_tenth_is_enough,
    ),
    Claim(
        "memorising-takes-more",
        "What memorised random labels needs at least twice the bytes of what learned true ones, for every network.",
        "ours",
        memorising_takes_more,
    ),
    Claim(
        "large-then-small",
        "A large network that was made small after training is as good as one trained at that size, to a point of test "
        "accuracy.",
        "ours, after Frankle & Carbin 2019",
        large_then_small,
    ),
]
