"""Experiment: where stochastic gradient descent ends on a linear system with more unknowns than equations."""

import numpy as np
import torch

from rethinking.data.images import center_crop, whiten
from rethinking.errors import UserError
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.records import Row
from rethinking.studies.kernels.gradient import Array, descend, nearest, outside_span, smallest_norm, spread

STARTS = ("zero", "elsewhere")


def run(laboratory: Laboratory) -> list[Row]:
    """Return a row for each start and each number of steps that is shown.

    Images are cropped and whitened as for the networks, targets are one-hot. Distances are Frobenius norms, in units of
    that of the smallest solution. Raises UserError where there are not more unknowns than equations.
    """
    settings = laboratory.settings
    data = laboratory.variant(settings["dataset"], "true")
    images = data.train_images[: settings["train_examples"]][: settings["examples"]]
    scaled = torch.from_numpy(np.array(images)).double() / 255
    examples = whiten(center_crop(scaled, settings["crop_size"])).flatten(1).numpy()
    if len(examples) < settings["examples"] or len(examples) >= examples.shape[1]:
        raise UserError(
            f"studies.kernels.descent.examples: found {settings['examples']}, must be below the "
            f"{examples.shape[1]} pixels of {settings['dataset']} and at most the {len(data.train_labels)} examples"
        )
    targets = np.eye(len(data.classes))[np.asarray(data.train_labels[: len(examples)], dtype=np.int64)]
    smallest = smallest_norm(examples, targets)
    unit = float(np.linalg.norm(smallest))
    elsewhere = np.random.default_rng([20161110, settings["seed"]]).standard_normal(smallest.shape)
    elsewhere *= settings["start"] * unit / np.linalg.norm(elsewhere)
    rate = settings["learning_rate"] / float(np.square(examples).sum(axis=1).mean())
    shown = spread(settings["steps"])
    rows: list[Row] = []
    for name, start in zip(STARTS, (np.zeros_like(smallest), elsewhere), strict=True):
        limit = nearest(examples, targets, start)
        for step, weights in descend(examples, targets, start, rate, settings["steps"], settings["seed"], shown):
            rows.append(
                {
                    "dataset": settings["dataset"],
                    "examples": len(examples),
                    "unknowns": examples.shape[1],
                    "start": name,
                    "step": step,
                    "residual": float(np.abs(examples @ weights - targets).max()),
                    "norm": _length(weights, unit),
                    "to_smallest": _length(weights - smallest, unit),
                    "to_nearest": _length(weights - limit, unit),
                    "outside_span": _length(outside_span(examples, weights), unit),
                }
            )
    return rows


def _length(weights: Array, unit: float) -> float:
    return float(np.linalg.norm(weights)) / unit
