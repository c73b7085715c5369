"""What the article's section on quantisation asserts, as predicates over results."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from statistics import fmean

from rethinking.results.claims import NOT_RUN, Claim, Verdict, verdict
from rethinking.results.frame import Estimate, Results
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.quantisation.readings import (
    CORRUPTIONS,
    KEPT,
    RANDOM,
    ROUNDED_PER_CHANNEL,
    ROUNDED_PER_TENSOR,
    TRAINED_ON,
    TRUE,
    drop,
    fewest_bits,
    int8_rows,
    measured,
    smallest,
    weight_rows,
)
from rethinking.studies.quantisation.vocabulary import FLOAT, FLOAT_BITS, INT8

FREE = 0.005
"""Accuracy, a fraction, that 8 bits may cost."""

OUT_OF_ORDER = 0.02
"""Train accuracy, a fraction, by which a network may do better with fewer bits."""

LOW_BITS = 4
"""At most so many bits are few: where the choice of scales matters."""


def _name(model: str, corruption: str) -> str:
    return f"{model_title(model)}, {CORRUPTION_TITLES[corruption]}"


def _networks(results: Results, models: Iterable[str] | None = None) -> list[tuple[str, str]]:
    chosen = results.params.studies.quantisation.models if models is None else models
    return [(model, corruption) for model in chosen for corruption in CORRUPTIONS]


def _worst(drops: dict[str, float], limit: float) -> Verdict:
    """Judge that nothing loses more than `limit`, naming what loses most."""
    if not drops:
        return NOT_RUN
    worst = max(drops, key=lambda name: drops[name])
    evidence = f"of {len(drops)} accuracies, the largest loss is {100 * drops[worst]:.2f} points ({worst})"
    return verdict(drops[worst] <= limit, evidence)


def eight_bits_cost_nothing(results: Results) -> Verdict:
    """Judge that weights of 8 bits, per channel, lose neither train accuracy nor, with true labels, test accuracy."""
    lost = {}
    for model, corruption in _networks(results):
        for split in ("train", "test") if corruption == TRUE else ("train",):
            value = drop(results, model, corruption, ROUNDED_PER_CHANNEL, 8, split)
            if value is not None:
                lost[f"{_name(model, corruption)} ({split})"] = value
    return _worst(lost, FREE)


def accuracy_falls_with_bits(results: Results) -> Verdict:
    """Judge that train accuracy hardly ever rises when bits fall, and is lower at the fewest."""
    lost, rises, falls = [], [], 0
    for model, corruption in _networks(results):
        for way in (ROUNDED_PER_TENSOR, ROUNDED_PER_CHANNEL):
            found = [
                drop(results, model, corruption, way, bits, "train")
                for bits in results.params.studies.quantisation.bits
            ]
            drops = [0.0, *(value for value in found if value is not None)]
            if len(drops) > 1:
                rises += [before - after for before, after in pairwise(drops)]
                lost.append(drops[-1])
                falls += drops[-1] > OUT_OF_ORDER
    if not lost:
        return NOT_RUN
    evidence = (
        f"largest rise {100 * max(rises):.1f} points; at the fewest bits {falls} of {len(lost)} have lost more than "
    )
    return verdict(max(rises) <= OUT_OF_ORDER and falls == len(lost), evidence + f"{100 * OUT_OF_ORDER:.0f} points")


def channels_are_better_than_tensors(results: Results) -> Verdict:
    """Judge that at few bits a scale for each channel keeps, on average over networks, more than one for each layer."""
    parts, holds = [], True
    for bits in (count for count in results.params.studies.quantisation.bits if count <= LOW_BITS):
        gains = [
            per_tensor - per_channel
            for model, corruption in _networks(results)
            for per_tensor in [drop(results, model, corruption, ROUNDED_PER_TENSOR, bits, "train")]
            for per_channel in [drop(results, model, corruption, ROUNDED_PER_CHANNEL, bits, "train")]
            if per_tensor is not None and per_channel is not None
        ]
        if gains:
            holds &= fmean(gains) >= 0
            parts.append(f"{100 * fmean(gains):+.1f} points at {bits} bits")
    return verdict(holds, ", ".join(parts)) if parts else NOT_RUN


def memorising_needs_more_bits(results: Results) -> Verdict:
    """Judge that each model needs more bits to keep random labels than to keep true ones."""
    parts, holds = [], True
    for model in results.params.studies.quantisation.models:
        learned, memorised = (
            fewest_bits(results, model, corruption, ROUNDED_PER_CHANNEL) for corruption in (TRUE, RANDOM)
        )
        if learned is not None and memorised is not None:
            holds &= memorised > learned
            parts.append(f"{model_title(model)} {learned} and {memorised}")
    return verdict(holds, ", ".join(parts) + " bits") if parts else NOT_RUN


def won_back(results: Results, corruption: str) -> dict[str, float]:
    """Return, by model, what share of the train accuracy lost by rounding to the fewest bits training on wins back."""
    found = {}
    for part in results.params.studies.quantisation.aware:
        for model in part.models:
            rounded, trained = (
                drop(results, model, corruption, way, part.bits[-1], "train")
                for way in (ROUNDED_PER_CHANNEL, TRAINED_ON)
            )
            if rounded is not None and trained is not None and rounded > KEPT:
                found[f"{model_title(model)} ({part.bits[-1]} bits)"] = 1 - trained / rounded
    return found


def training_on_wins_back(corruption: str, holds: Callable[[float], bool]) -> Callable[[Results], Verdict]:
    """Return the predicate that the share that training on wins back is, for every model, as `holds` says."""

    def judge(results: Results) -> Verdict:
        shares = won_back(results, corruption)
        evidence = ", ".join(f"{name} {round(100 * share)} %" for name, share in shares.items())
        return verdict(all(map(holds, shares.values())), evidence) if shares else NOT_RUN

    return judge


def int8_keeps_accuracy(results: Results) -> Verdict:
    """Judge that int8 weights and activations lose neither train accuracy nor, with true labels, test accuracy."""
    lost = {}
    for model, corruption in _networks(results, results.params.studies.quantisation.int8.models):
        whole, quantised = (int8_rows(results, model, corruption, name) for name in (FLOAT, INT8))
        for split in ("train", "test") if corruption == TRUE else ("train",):
            before, after = (measured(found, f"{split}_accuracy") for found in (whole, quantised))
            if isinstance(before, Estimate) and isinstance(after, Estimate):
                lost[f"{_name(model, corruption)} ({split})"] = before.mean - after.mean
    return _worst(lost, KEPT)


def every_layer_is_int8(results: Results) -> Verdict:
    """Judge that int8 kernels compute as many products as there are layers with weights, whatever stays in float32."""
    parts, holds = [], True
    for model in results.params.studies.quantisation.int8.models:
        found = int8_rows(results, model, TRUE, INT8)
        if not found.empty:
            calls, layers = int(found["int8_calls"].iloc[0]), int(found["layers"].iloc[0])
            holds &= calls == layers
            parts.append(f"{model_title(model)} {calls} of {layers}")
    return verdict(holds, ", ".join(parts)) if parts else NOT_RUN


def eight_bits_are_a_quarter(results: Results) -> Verdict:
    """Judge that a file with weights of 8 bits has between 24 % and 30 % of the bytes of one in float32."""
    shares = {}
    for model in results.params.studies.quantisation.models:
        whole, small = (
            measured(weight_rows(results, model, TRUE, ROUNDED_PER_CHANNEL, bits), "bytes") for bits in (FLOAT_BITS, 8)
        )
        if isinstance(whole, Estimate) and isinstance(small, Estimate):
            shares[model_title(model)] = small.mean / whole.mean
    if not shares:
        return NOT_RUN
    evidence = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())
    return verdict(all(0.24 <= share <= 0.30 for share in shares.values()), evidence)


def pruning_and_quantisation_add_up(results: Results) -> Verdict:
    """Judge that the smallest file that keeps train accuracy is smaller with both than with either."""
    parts, holds = [], True
    for model, corruption in _networks(results, results.params.studies.quantisation.combined.models):
        whole, pruned, quantised, both = (
            smallest(results, model, corruption, *done)
            for done in ((False, False), (True, False), (False, True), (True, True))
        )
        if whole and pruned and quantised and both:
            holds &= both.bytes < min(pruned.bytes, quantised.bytes)
            times = " / ".join(f"{whole.bytes / each.bytes:.1f}" for each in (pruned, quantised, both))
            parts.append(f"{_name(model, corruption)} {times} times smaller")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


CLAIMS = [
    Claim(
        "eight-bits-free",
        "Weights of 8 bits, with a scale for each output channel, cost no network more than half a point of accuracy.",
        "after Krishnamoorthi 2018, abstract",
        eight_bits_cost_nothing,
    ),
    Claim(
        "accuracy-falls",
        "With fewer bits no network's train accuracy rises by more than two points, and at the fewest it has fallen by "
        "more than that.",
        "after Krishnamoorthi 2018",
        accuracy_falls_with_bits,
    ),
    Claim(
        "channels-better",
        "At 4 bits and fewer, a scale for each output channel keeps on average no less train accuracy than one for "
        "each layer.",
        "after Krishnamoorthi 2018",
        channels_are_better_than_tensors,
    ),
    Claim(
        "memory-needs-bits",
        "Every model needs more bits to keep memorised random labels than to keep learned true ones, to within one "
        "point of train accuracy.",
        "ours",
        memorising_needs_more_bits,
    ),
    Claim(
        "training-on-helps",
        "At the fewest bits, training on while rounded wins back at least nine tenths of the train accuracy that "
        "rounding takes from networks with true labels.",
        "after Krishnamoorthi 2018, abstract",
        training_on_wins_back(TRUE, lambda share: share >= 0.9),
    ),
    Claim(
        "memory-not-won-back",
        "At the fewest bits, it wins back less than half of what rounding takes from networks with random labels.",
        "ours",
        training_on_wins_back(RANDOM, lambda share: share < 0.5),
    ),
    Claim(
        "int8-keeps",
        "Weights and activations in int8 cost no network more than one point of accuracy.",
        "after Jacob et al. 2018",
        int8_keeps_accuracy,
    ),
    Claim(
        "int8-everywhere",
        "Every layer with weights is computed by an int8 kernel.",
        "ours",
        every_layer_is_int8,
    ),
    Claim(
        "quarter",
        "A file with weights of 8 bits has between 24 and 30 per cent of the bytes of one in float32.",
        "Krishnamoorthi 2018, abstract",
        eight_bits_are_a_quarter,
    ),
    Claim(
        "both-smaller",
        "Pruned and quantised, every network that keeps its train accuracy to within one point has a smaller file than "
        "either makes it alone.",
        "Han et al. 2016, figure 6",
        pruning_and_quantisation_add_up,
    ),
]
