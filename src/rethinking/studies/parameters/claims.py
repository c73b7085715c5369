"""What the article's section on parameters and data asserts, as predicates over results."""

from itertools import combinations, pairwise

from rethinking.results.claims import NOT_RUN, Claim, Verdict, verdict
from rethinking.results.frame import Estimate, Results
from rethinking.results.titles import model_title
from rethinking.studies.parameters.design import RANDOM, TRUE
from rethinking.studies.parameters.measures import counts, perceptrons_by_width, trained_here

POINT = 0.01
SEVERAL = 5
"""As many parameters as examples."""
LEARNED_LITTLE, LEARNED_MOST = 0.5, 0.9
"""Of random labels."""
QUARTER = 0.25

INCEPTION_V3 = "inception-v3"
ITS_PRINTED_VARIANT = "inception-v3-1008"


def counts_agree(results: Results) -> Verdict:
    """Judge that the counts are those printed, in all digits given; Inception V3 is judged by itself."""
    checked = [each for each in counts(results) if each.printed and each.network.name != INCEPTION_V3]
    known = [(each, each.parameters) for each in checked if each.parameters is not None]
    if not known:
        return NOT_RUN
    wrong = [
        f"{each.network.title} {parameters:,}, printed {each.printed.text}"
        for each, parameters in known
        if each.printed and not each.printed.agrees(parameters)
    ]
    return verdict(not wrong, "; ".join(wrong) or f"{len(known)} networks")


def inception_v3_was_counted_otherwise(results: Results) -> Verdict:
    """Judge that the number printed of Inception V3 is that with 1008 outputs and running statistics, no other."""
    found = {each.network.name: each for each in counts(results)}
    printed, plain, variant = found[INCEPTION_V3].printed, found[INCEPTION_V3], found[ITS_PRINTED_VARIANT]
    if printed is None or plain.parameters is None or variant.parameters is None:
        return NOT_RUN
    evidence = f"{variant.parameters:,} so, {plain.parameters:,} without either, printed {printed.text}"
    return verdict(printed.agrees(variant.parameters) and not printed.agrees(plain.parameters), evidence)


def more_parameters_than_examples(results: Results) -> Verdict:
    """Judge that every published network has SEVERAL times as many parameters as training examples."""
    ratios = {each.network.title: each.ratio for each in counts(results) if each.ratio is not None}
    return _between(ratios, SEVERAL)


def more_parameters_here(results: Results) -> Verdict:
    """Judge that every network of the randomisation tests that was trained here has more parameters than examples."""
    return _between({model_title(each.model): each.ratio for each in trained_here(results)}, 1)


def size_is_no_order(results: Results) -> Verdict:
    """Judge that in some pairs of networks the one with more parameters an example is better, in others worse."""
    pairs = list(combinations(trained_here(results), 2))
    signs = [
        (a.ratio - b.ratio) * (a.test_accuracy - b.test_accuracy)
        for a, b in pairs
        if a.ratio != b.ratio and a.test_accuracy != b.test_accuracy
    ]
    better, worse = sum(sign > 0 for sign in signs), sum(sign < 0 for sign in signs)
    if better + worse < 2:
        return NOT_RUN
    return verdict(
        better > 0 and worse > 0, f"of two networks the larger is better in {better} pairs, worse in {worse}"
    )


def train_accuracy_rises(results: Results) -> Verdict:
    """Judge that train accuracy is higher with the most hidden units, and falls by less than a POINT in between."""
    curve = _curve(results, TRUE, "train")
    if len(curve) < 2:
        return NOT_RUN
    (first, low), (last, high) = curve[0], curve[-1]
    steps = [after - before for (_, before), (_, after) in pairwise(curve)]
    return verdict(high > low and min(steps) > -POINT, f"{_at(low, first)}, {_at(high, last)}")


def test_accuracy_falls(results: Results) -> Verdict:
    """Judge that test accuracy with the most hidden units is lower by a POINT or more than with the best of fewer."""
    curve = _curve(results, TRUE, "test")
    if len(curve) < 2:
        return NOT_RUN
    (last, most), (best_at, best) = curve[-1], max(curve[:-1], key=lambda place: place[1])
    return verdict(best - most >= POINT - 1e-9, f"{_at(best, best_at)}, {_at(most, last)}")


def random_labels_take_parameters(results: Results) -> Verdict:
    """Judge that less than one parameter an example fits less than half of random labels, and the most nine tenths."""
    curve = _curve(results, RANDOM, "train")
    few = [(ratio, accuracy) for ratio, accuracy in curve if ratio < 1]
    if not few or curve[-1][0] < 1:
        return NOT_RUN
    (below, low), (last, high) = few[-1], curve[-1]
    holds = max(accuracy for _, accuracy in few) < LEARNED_LITTLE and high >= LEARNED_MOST
    return verdict(holds, f"{_at(low, below)}, {_at(high, last)}")


def true_labels_take_fewer(results: Results) -> Verdict:
    """Judge that below one parameter an example every width fits true labels better, by a QUARTER or more."""
    true, random = (_curve(results, corruption, "train") for corruption in (TRUE, RANDOM))
    both = [(ratio, a, b) for (ratio, a), (_, b) in zip(true, random, strict=False) if ratio < 1]
    if not both:
        return NOT_RUN
    ratio, learned, memorised = min(both, key=lambda place: place[1] - place[2])
    evidence = f"nearest to failing {_at(learned, ratio)}, {100 * memorised:.1f} % of random labels"
    return verdict(learned - memorised >= QUARTER, evidence)


def _between(ratios: dict[str, float], least: float) -> Verdict:
    if not ratios:
        return NOT_RUN
    fewest, most = min(ratios, key=lambda name: ratios[name]), max(ratios, key=lambda name: ratios[name])
    evidence = f"from {ratios[fewest]:.3g} ({fewest}) to {ratios[most]:.3g} ({most})"
    return verdict(ratios[fewest] >= least, evidence)


def _curve(results: Results, corruption: str, split: str) -> list[tuple[float, float]]:
    """Return parameters an example and accuracy, by rising width; nothing at all if a network diverged."""
    found = perceptrons_by_width(results, corruption)
    known = [
        (each.ratio, value.mean)
        for each in found
        if each.ratio is not None and isinstance(value := getattr(each, split), Estimate)
    ]
    # A width that is missing is one that a narrowed run left out; the ends and the best may be among them.
    return known if len(known) == len(found) else []


def _at(accuracy: float, ratio: float) -> str:
    return f"{100 * accuracy:.1f} % at {ratio:.3g} parameters an example"


LOWEIMI, BOURLARD = "Loweimi 2019", "Bourlard & Wellekens 1990, Table I"

CLAIMS = [
    Claim(
        "counts-agree",
        "Built anew, the networks have the numbers of parameters that are printed of them, in all digits given, "
        "Inception V3 aside.",
        f"Zhang et al. 2017, Table 1; {LOWEIMI}",
        counts_agree,
    ),
    Claim(
        "inception-v3",
        "The number printed of Inception V3 counts 1008 outputs, and the running means and variances of batch "
        "normalisation with the parameters.",
        "this article",
        inception_v3_was_counted_otherwise,
    ),
    Claim(
        "more-parameters",
        "Every one of the published networks has several times as many parameters as it has training examples: five "
        "times or more.",
        "Zhang et al. 2017, section 1",
        more_parameters_than_examples,
    ),
    Claim(
        "more-parameters-here",
        "Every network of the randomisation tests, as trained here, has more parameters than training examples.",
        "Zhang et al. 2017, section 1",
        more_parameters_here,
    ),
    Claim(
        "no-order",
        "From one architecture to another, test accuracy neither rises nor falls with the number of parameters for "
        "each training example.",
        LOWEIMI,
        size_is_no_order,
    ),
    Claim(
        "train-rises",
        "Train accuracy of perceptrons rises with the number of hidden units, and nowhere falls by a point.",
        BOURLARD,
        train_accuracy_rises,
    ),
    Claim(
        "test-falls",
        "Test accuracy of perceptrons is lower, by a point or more, with the most hidden units than with the best of "
        "fewer.",
        BOURLARD,
        test_accuracy_falls,
    ),
    Claim(
        "random-labels",
        "With less than one parameter an example, perceptrons fit less than half of the random labels, and with the "
        "most, nine tenths or more.",
        "this article",
        random_labels_take_parameters,
    ),
    Claim(
        "true-labels",
        "With less than one parameter an example, perceptrons fit more of the true labels than of the random ones, by "
        "25 points or more.",
        "this article",
        true_labels_take_fewer,
    ),
]
