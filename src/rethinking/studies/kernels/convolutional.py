"""Experiment: Gram systems on the features of a convolutional layer with random filters (Zhang et al., Table 3)."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rethinking.errors import UserError
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.records import Row
from rethinking.studies.kernels.convolutions import (
    PATCHES_AT_ONCE,
    Patches,
    drawn_filters,
    fitted_patches,
    responses,
    sampled_patches,
)
from rethinking.studies.kernels.gram import TILE, KeptGram
from rethinking.studies.kernels.measuring import (
    Stopwatch,
    forget_peak_memory,
    peak_memory,
    require_memory,
    triangle_bytes,
)
from rethinking.studies.kernels.outcome import Examples, chosen_examples, outcome
from rethinking.studies.kernels.solver import solve

FILTERS_AT_ONCE = 250


class System(NamedTuple):
    """Inner products of features, divided by the mean squared length of a training example."""

    gram: KeptGram
    cross: Tensor
    """(m, n) float32, of test examples with training examples."""


def run(laboratory: Laboratory) -> list[Row]:
    """Return a row for each ridge penalty, which is 0 for the smallest norm.

    Features, of which nothing is kept but their inner products, are computed once: their seconds stand in every row.
    Raises UserError before any work where these products do not fit into memory, or where there are fewer features than
    examples, so that nothing interpolates.
    """
    settings, device = laboratory.settings, laboratory.execution.device
    examples = chosen_examples(laboratory.variant(settings["dataset"], "true"), settings)
    train, test, filters = len(examples.train_images), len(examples.test_images), settings["filters"]
    dimensions, where = 2 * filters * settings["regions"] ** 2, "studies.kernels.convolutional"
    if dimensions < train:
        least = -(-train // (2 * settings["regions"] ** 2))
        raise UserError(
            f"{where}.filters: found {filters}, which give {dimensions:,} features for {train:,} examples of "
            f"{settings['dataset']}; interpolation takes {least:,} filters or more"
        )
    block = min(filters, FILTERS_AT_ONCE)
    needed = 2 * triangle_bytes(train) + 4 * train * test + 4 * block * 2 * settings["regions"] ** 2 * (train + test)
    needed += 5 * 4 * PATCHES_AT_ONCE * block + 10 * 4 * TILE**2
    require_memory(
        needed,
        device,
        f"{where}: the Gram matrix of {train:,} examples of {settings['dataset']} and its factor",
        f"set its examples to fewer, now {settings['examples'] or 'all'}, or take a machine with more",
    )
    forget_peak_memory(device)
    watch = Stopwatch(device)
    system = _system(laboratory, examples, watch)
    rows: list[Row] = []
    for penalty in (0.0, *settings["penalties"]):
        own = Stopwatch(device)
        solution = solve(system.gram, examples.targets(device), penalty, own)
        with own.time("test"):
            outputs = _outputs(system.cross, solution.coefficients)
        own.seconds |= watch.seconds
        rows.append(
            {
                "dataset": settings["dataset"],
                "features": "convolutional",
                "gamma": None,
                "filters": filters,
                "dimensions": dimensions,
                **outcome(examples, solution, outputs, penalty, own),
                "peak_memory_bytes": peak_memory(device),
                "device": device.type,
            }
        )
    return rows


def _system(laboratory: Laboratory, examples: Examples, watch: Stopwatch) -> System:
    settings, device = laboratory.settings, laboratory.execution.device
    with watch.time("features"):
        images = [torch.from_numpy(np.array(each)) for each in (examples.train_images, examples.test_images)]
        filters, prepared = _layer(laboratory, images[0])
        on_train, on_test = (each.to(device) for each in images)
    gram = KeptGram(len(on_train), device)
    cross = torch.zeros(len(on_test), len(on_train), device=device)
    given = {name: settings[name] for name in ("patch", "contrast", "threshold", "regions")}
    for block in torch.split(filters, FILTERS_AT_ONCE):
        with watch.time("features"):
            train, test = (responses(each, block, prepared, **given) for each in (on_train, on_test))
        with watch.time("gram"):
            gram.add(train)
            cross.addmm_(test, train.T)
    cross.div_(gram.normalise())
    return System(gram, cross)


def _layer(laboratory: Laboratory, images: Tensor) -> tuple[Tensor, Patches]:
    """Return the filters and how patches are prepared, on the device; what is random is drawn on the CPU."""
    settings, device = laboratory.settings, laboratory.execution.device
    generator = torch.Generator().manual_seed(settings["seed"])
    sample = sampled_patches(images, settings["patch"], settings["contrast"], PATCHES_AT_ONCE, generator)
    prepared = fitted_patches(sample, settings["whitening"])
    filters = drawn_filters(settings["filters"], settings["drawn_from"], sample, prepared, generator)
    return filters.to(device), Patches(*(each.to(device) for each in prepared))


def _outputs(cross: Tensor, coefficients: Tensor) -> Tensor:
    return torch.cat([block.double() @ coefficients for block in torch.split(cross, TILE)])
