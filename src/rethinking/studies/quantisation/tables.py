"""The study's tables and headline numbers."""

from collections.abc import Callable
from typing import Any

from rethinking.results.frame import Estimate, Results
from rethinking.results.published import read_published
from rethinking.results.table import Cell, Column, Table
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.quantisation.readings import (
    CORRUPTIONS,
    MISSING,
    RANDOM,
    ROUNDED_PER_CHANNEL,
    TRAINED_ON,
    TRUE,
    WAYS,
    Combination,
    Way,
    accuracy,
    bits_tried,
    fewest_bits,
    int8_rows,
    measured,
    smallest,
    weight_rows,
    why_no_int8,
)
from rethinking.studies.quantisation.vocabulary import FLOAT, FLOAT_BITS, INT8

KILOBYTE = 1000


def bits(results: Results) -> Table:
    """Train accuracy by number of bits: true and random labels, rounded per tensor and per channel, and trained on."""
    study = results.params.studies.quantisation
    counts = (FLOAT_BITS, *study.bits)
    columns = [Column("Model"), Column("Labels"), Column("Weights")]
    columns += [Column("float32" if count == FLOAT_BITS else f"{count} bits", "percent") for count in counts]
    trained = [model for part in study.aware for model in part.models]

    def shown(value: Estimate | str, way: object) -> Cell:
        return None if way == TRAINED_ON and value == MISSING else value

    body: list[list[Cell]] = [
        [
            model_title(model),
            CORRUPTION_TITLES[corruption],
            way.title,
            *(shown(accuracy(results, model, corruption, way, count, "train"), way) for count in counts),
        ]
        for model in study.models
        for corruption in CORRUPTIONS
        for way in (WAYS if model in trained else WAYS[:-1])
    ]
    return Table(columns, body)


def size(results: Results) -> Table:
    """Bytes of the files, and what they are worth: weights rounded per channel."""
    columns = [
        Column("Model"),
        Column("Bits", "count"),
        Column("File, kB", "number"),
        Column("of float32", "percent"),
        Column("Weights zero", "percent"),
        Column("Train, true labels", "percent"),
        Column("Test, true labels", "percent"),
        Column("Train, random labels", "percent"),
    ]
    body: list[list[Cell]] = []
    for model in results.params.studies.quantisation.models:
        whole = measured(weight_rows(results, model, TRUE, ROUNDED_PER_CHANNEL, FLOAT_BITS), "bytes")
        for count in (FLOAT_BITS, *results.params.studies.quantisation.bits):
            found = weight_rows(results, model, TRUE, ROUNDED_PER_CHANNEL, count)
            bytes_, zeros = measured(found, "bytes"), measured(found, "zeros")
            both = isinstance(bytes_, Estimate) and isinstance(whole, Estimate)
            body.append(
                [
                    model_title(model),
                    count,
                    bytes_.mean / KILOBYTE if isinstance(bytes_, Estimate) else bytes_,
                    bytes_.mean / whole.mean if both else None,  # type: ignore[union-attr]
                    zeros.mean if isinstance(zeros, Estimate) else None,
                    accuracy(results, model, TRUE, ROUNDED_PER_CHANNEL, count, "train"),
                    accuracy(results, model, TRUE, ROUNDED_PER_CHANNEL, count, "test"),
                    accuracy(results, model, RANDOM, ROUNDED_PER_CHANNEL, count, "train"),
                ]
            )
    return Table(columns, body)


def needed(results: Results) -> Table:
    """The fewest bits with which a network keeps its train accuracy."""
    columns = [Column("Model"), Column("Weights"), *(Column(CORRUPTION_TITLES[name], "count") for name in CORRUPTIONS)]
    body: list[list[Cell]] = [
        [model_title(model), way.title, *(_needed(results, model, corruption, way) for corruption in CORRUPTIONS)]
        for model in results.params.studies.quantisation.models
        for way in WAYS
    ]
    return Table(columns, body)


def _needed(results: Results, model: str, corruption: str, way: Way) -> Cell:
    count = fewest_bits(results, model, corruption, way)
    if count == FLOAT_BITS:
        return f"more than {bits_tried(results, model, corruption, way)[0]}"
    return MISSING if count is None else count


def int8(results: Results) -> Table:
    """Accuracy with int8 weights and activations, and what computes it; below ours, torchvision's on ImageNet."""
    columns = [
        Column("Model"),
        Column("Labels"),
        Column("Train, float32", "percent"),
        Column("Train, int8", "percent"),
        Column("Test, float32", "percent"),
        Column("Test, int8", "percent"),
        Column("Layers", "count"),
        Column("int8 kernels", "count"),
        Column("Products left in float32", "count"),
    ]
    body: list[list[Cell]] = []
    for model in results.params.studies.quantisation.int8.models:
        for corruption in CORRUPTIONS:
            whole, quantised = (int8_rows(results, model, corruption, name) for name in (FLOAT, INT8))
            reason = why_no_int8(results, model, corruption)
            body.append(
                [
                    model_title(model),
                    CORRUPTION_TITLES[corruption],
                    measured(whole, "train_accuracy"),
                    reason if quantised.empty else measured(quantised, "train_accuracy"),
                    measured(whole, "test_accuracy"),
                    reason if quantised.empty else measured(quantised, "test_accuracy"),
                    None if whole.empty else int(whole["layers"].iloc[0]),
                    None if quantised.empty else int(quantised["int8_calls"].iloc[0]),
                    None if quantised.empty else int(quantised["float_calls"].iloc[0]),
                ]
            )
    for row in read_published("int8", paper="torchvision"):
        float32, theirs = (float(row[name]) / 100 for name in ("float32", "int8"))
        body.append(
            [f"{row['model']}, published", CORRUPTION_TITLES[TRUE], None, None, float32, theirs, None, None, None]
        )
    return Table(columns, body)


def latency(results: Results) -> Table:
    """Time of an evaluation on the CPU with one thread: it differs from run to run, as no other number here does."""
    columns = [
        Column("Model"),
        Column("Images at once", "count"),
        Column("float32, ms", "number"),
        Column("int8, ms", "number"),
        Column("float32 / int8", "ratio"),
    ]
    study = results.params.studies.quantisation.int8
    body: list[list[Cell]] = []
    for model in study.models:
        for name, count in (("single", 1), ("batch", study.batch)):
            # Of the network that learned true labels: what its weights are does not matter to time.
            whole, quantised = (
                measured(int8_rows(results, model, TRUE, arithmetic), f"{name}_milliseconds")
                for arithmetic in (FLOAT, INT8)
            )
            ratio = None
            if isinstance(whole, Estimate) and isinstance(quantised, Estimate):
                ratio = whole.mean / quantised.mean
            reason = why_no_int8(results, model, TRUE)
            body.append([model_title(model), count, whole, reason if quantised == MISSING else quantised, ratio])
    return Table(columns, body)


def combined(results: Results) -> Table:
    """The smallest files that keep the train accuracy: pruned, quantised, and both."""
    columns = [
        Column("Model"),
        Column("Labels"),
        Column("Weights"),
        Column("Weights left", "percent"),
        Column("Bits", "count"),
        Column("File, kB", "number"),
        Column("times smaller", "ratio"),
        Column("Train", "percent"),
        Column("Test", "percent"),
    ]
    body: list[list[Cell]] = []
    for model in results.params.studies.quantisation.combined.models:
        for corruption in CORRUPTIONS:
            whole = smallest(results, model, corruption, pruned=False, quantised=False)
            for title, pruned, quantised in TREATMENTS:
                found = smallest(results, model, corruption, pruned, quantised)
                names: list[Cell] = [model_title(model), CORRUPTION_TITLES[corruption], title]
                body.append([*names, *_combination(found, whole)])
    return Table(columns, body)


TREATMENTS = (
    ("as trained", False, False),
    ("pruned", True, False),
    ("quantised", False, True),
    ("pruned and quantised", True, True),
)
"""What is done to a network: its title, and whether it is pruned and quantised."""


def _combination(found: Combination | None, whole: Combination | None) -> list[Cell]:
    if found is None or whole is None:
        return [MISSING, None, MISSING, None, MISSING, MISSING]
    return [
        found.fraction_left,
        found.bits,
        found.bytes / KILOBYTE,
        whole.bytes / found.bytes,
        found.train_accuracy,
        found.test_accuracy,
    ]


TABLES: dict[str, Callable[[Results], Table]] = {
    "bits": bits,
    "needed": needed,
    "size": size,
    "int8": int8,
    "latency": latency,
    "combined": combined,
}


NAMED = ("inception", "alexnet", "mlp-1x512")
"""Models whose numbers the prose names, whether they were run or not."""


def numbers(results: Results) -> dict[str, Any]:
    """Return, for each model, bits needed, accuracies at the fewest, and how small files can be."""
    study = results.params.studies.quantisation
    found: dict[str, Any] = {}
    for model in dict.fromkeys([*NAMED, *study.models]):
        entry: dict[str, Any] = {}
        for corruption, key in ((TRUE, "true"), (RANDOM, "random")):
            entry[f"bits_needed_{key}"] = fewest_bits(results, model, corruption, ROUNDED_PER_CHANNEL)
            for way, name in ((ROUNDED_PER_CHANNEL, "rounded"), (TRAINED_ON, "trained_on")):
                value = accuracy(results, model, corruption, way, study.bits[-1], "train")
                entry[f"train_accuracy_{name}_{key}"] = round(value.mean, 6) if isinstance(value, Estimate) else None
            whole, least = (smallest(results, model, corruption, both, both) for both in (False, True))
            entry[f"times_smaller_{key}"] = round(whole.bytes / least.bytes, 3) if whole and least else None
        found[model.replace("-", "_")] = entry
    return found
