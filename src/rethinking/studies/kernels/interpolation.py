"""Experiment: a Gram system with a Gaussian kernel, on pixels or on Gabor features (Zhang et al. 2017, Table 3)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.records import Row
from rethinking.studies.kernels.gabor import gabor_features
from rethinking.studies.kernels.gram import TILE, GaussianGram
from rethinking.studies.kernels.measuring import (
    Stopwatch,
    forget_peak_memory,
    peak_memory,
    require_memory,
    triangle_bytes,
)
from rethinking.studies.kernels.outcome import Examples, chosen_examples, outcome
from rethinking.studies.kernels.solver import solve


def run(laboratory: Laboratory) -> list[Row]:
    """Return one row: the solution of smallest norm, or under a ridge penalty, of one system.

    Raises UserError before any work where the Gram matrix does not fit into memory.
    """
    settings, device = laboratory.settings, laboratory.execution.device
    examples = chosen_examples(laboratory.variant(settings["dataset"], "true"), settings)
    train, test = (len(images) for images in (examples.train_images, examples.test_images))
    needed = triangle_bytes(train) + 8 * _values(settings, examples) * (train + test) + 10 * 4 * TILE**2
    require_memory(
        needed,
        device,
        f"studies.kernels.interpolation: the Gram matrix of {train:,} examples of {settings['dataset']}",
        f"set examples of {settings['dataset']}'s {settings['features']} to fewer, or take a machine with more",
    )
    forget_peak_memory(device)
    watch = Stopwatch(device)
    with watch.time("features"):
        features = _features(examples.train_images, settings, device)
        gram = GaussianGram(features, settings["gamma"])
        del features  # the Gram matrix has its own copy, centred
    solution = solve(gram, examples.targets(device), settings["penalty"], watch)
    with watch.time("test"):
        outputs = gram.outputs(_features(examples.test_images, settings, device), solution.coefficients)
    return [
        {
            "dataset": settings["dataset"],
            "features": settings["features"],
            "gamma": settings["gamma"],
            "filters": None,
            "dimensions": gram.features.shape[1],
            **outcome(examples, solution, outputs, settings["penalty"], watch),
            "peak_memory_bytes": peak_memory(device),
            "device": device.type,
        }
    ]


def _features(images: NDArray[np.uint8], settings: Mapping[str, Any], device: torch.device) -> Tensor:
    """Return features (n, d) float32 of images (n, c, h, w) of 0..255."""
    if settings["features"] == "pixels":
        return (torch.from_numpy(np.array(images)).to(device).float() / 255).flatten(1)
    bank = settings["bank"]
    blocks = [
        gabor_features(torch.from_numpy(np.array(block)).to(device).float() / 255, **bank)
        for block in np.array_split(images, -(-len(images) // TILE))
    ]
    return torch.cat(blocks)


def _values(settings: Mapping[str, Any], examples: Examples) -> int:
    """Return how many values the features of one image have."""
    return _features(examples.train_images[:1], settings, torch.device("cpu")).shape[1]
