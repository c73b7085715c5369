"""What the study's tables, figures and claims read out of its experiments."""

from itertools import takewhile
from typing import NamedTuple

import pandas as pd

from rethinking.results.frame import Estimate, Results, estimate, matching
from rethinking.studies.quantisation.vocabulary import (
    AWARE,
    COMBINED,
    FLOAT,
    FLOAT_BITS,
    INT8,
    PER_CHANNEL,
    PER_TENSOR,
    POST_TRAINING,
    STUDY,
    WEIGHTS,
)

KEPT = 0.01
"""A network that loses no more of its train accuracy than this counts as having kept it."""

MISSING, DIVERGED = "not run", "diverged"

TRUE, RANDOM = "true", "random-labels"
CORRUPTIONS = (TRUE, RANDOM)


class Way(NamedTuple):
    """How weights come to have few bits."""

    method: str
    granularity: str
    title: str


ROUNDED_PER_TENSOR = Way(POST_TRAINING, PER_TENSOR, "rounded, per tensor")
ROUNDED_PER_CHANNEL = Way(POST_TRAINING, PER_CHANNEL, "rounded, per channel")
TRAINED_ON = Way(AWARE, PER_CHANNEL, "trained on while rounded, per channel")
WAYS = (ROUNDED_PER_TENSOR, ROUNDED_PER_CHANNEL, TRAINED_ON)


def rows(results: Results, kind: str, **where: object) -> pd.DataFrame:
    """Return the rows of all experiments of a kind that agree with every given column; none where nothing was run."""
    found = results.experiment(STUDY, kind)
    return found if found.empty else matching(found, **where)


def measured(found: pd.DataFrame, column: str) -> Estimate | str:
    """Return the mean over seeds of a column, or why there is none; one diverged seed counts for all."""
    if found.empty:
        return MISSING
    if "status" in found and (found["status"] == DIVERGED).any():
        return DIVERGED
    return estimate(found[column]) or MISSING


def weight_rows(results: Results, model: str, corruption: str, way: Way, bits: int) -> pd.DataFrame:
    """Return the rows, one a seed, of a network whose weights have so many bits; FLOAT_BITS for the network itself."""
    if bits == FLOAT_BITS:
        return rows(results, WEIGHTS, model=model, corruption=corruption, method=FLOAT)
    chosen = {"method": way.method, "granularity": way.granularity, "bits": bits}
    return rows(results, WEIGHTS, model=model, corruption=corruption, **chosen)


def accuracy(results: Results, model: str, corruption: str, way: Way, bits: int, split: str) -> Estimate | str:
    """Return the "train" or "test" accuracy of a network whose weights have so many bits."""
    return measured(weight_rows(results, model, corruption, way, bits), f"{split}_accuracy")


def drop(results: Results, model: str, corruption: str, way: Way, bits: int, split: str) -> float | None:
    """Return what a network loses of its accuracy, a fraction; all of it where training diverges, None if not run."""
    before, after = (accuracy(results, model, corruption, way, count, split) for count in (FLOAT_BITS, bits))
    if not isinstance(before, Estimate) or after == MISSING:
        return None
    return before.mean - (after.mean if isinstance(after, Estimate) else 0.0)


def fewest_bits(results: Results, model: str, corruption: str, way: Way) -> int | None:
    """Return the fewest bits down to which a network keeps its train accuracy; None if nothing was run.

    FLOAT_BITS if not even the most bits that were tried are enough.
    """
    lost = {
        bits: drop(results, model, corruption, way, bits, "train")
        for bits in bits_tried(results, model, corruption, way)
    }
    kept = list(takewhile(lambda bits: (lost[bits] or 0.0) <= KEPT, lost))
    return (kept or [FLOAT_BITS])[-1] if lost else None


def bits_tried(results: Results, model: str, corruption: str, way: Way) -> list[int]:
    """Return the numbers of bits, falling, that a network's weights have been given."""
    return [
        bits
        for bits in results.params.studies.quantisation.bits
        if drop(results, model, corruption, way, bits, "train") is not None
    ]


def int8_rows(results: Results, model: str, corruption: str, arithmetic: str) -> pd.DataFrame:
    """Return the rows, one a seed, of a network computed in float32 or in int8; none if it could not be."""
    found = rows(results, INT8, model=model, corruption=corruption, arithmetic=arithmetic)
    return found if found.empty else found[found["note"].isna()]


def why_no_int8(results: Results, model: str, corruption: str) -> str:
    """Return why there are no numbers of int8 arithmetic: not run, or not available on the machine that ran it."""
    found = rows(results, INT8, model=model, corruption=corruption, arithmetic=INT8)
    return MISSING if found.empty else "not available on this machine"


class Combination(NamedTuple):
    """A network after a round of pruning and of quantisation, means over seeds."""

    round: int
    bits: int
    fraction_left: float
    bytes: float
    train_accuracy: float
    test_accuracy: float


MEANS = ["zeros", "bytes", "train_accuracy", "test_accuracy"]
"""Columns of which combinations hold the means."""


def combinations(results: Results, model: str, corruption: str) -> list[Combination]:
    """Return every round and number of bits, the network as it was trained first; empty if nothing was run."""
    found = rows(results, COMBINED, model=model, corruption=corruption)
    if found.empty:
        return []
    means = found.groupby(["round", "bits"], as_index=False)[MEANS].mean().to_dict("records")
    left = {line["round"]: 1 - line["zeros"] for line in means if line["bits"] == FLOAT_BITS}
    combined = [
        Combination(
            int(line["round"]),
            int(line["bits"]),
            float(left[line["round"]]),
            float(line["bytes"]),
            float(line["train_accuracy"]),
            float(line["test_accuracy"]),
        )
        for line in means
    ]
    return sorted(combined, key=lambda each: (each.round, -each.bits))


def smallest(results: Results, model: str, corruption: str, pruned: bool, quantised: bool) -> Combination | None:
    """Return the network with the smallest file of those that keep their train accuracy; None if nothing was run.

    The network itself is always among them: pruned and quantised say what may be done to it.
    """
    found = combinations(results, model, corruption)
    if not found:
        return None
    least = found[0].train_accuracy - KEPT
    allowed = (
        each
        for each in found
        if each.train_accuracy >= least and (pruned or not each.round) and (quantised or each.bits == FLOAT_BITS)
    )
    return min(allowed, key=lambda each: each.bytes)
