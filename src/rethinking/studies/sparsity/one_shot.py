"""Experiment: networks pruned at once by magnitude, and not trained on."""

import copy
from collections.abc import Sequence

import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from rethinking.data.images import DeviceImages
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.measuring import Bench
from rethinking.experiments.records import Row
from rethinking.studies.sparsity.measuring import row
from rethinking.studies.sparsity.pruning import make_permanent, masks_of, prune_to
from rethinking.studies.sparsity.vocabulary import GLOBAL, LAYER_WISE, ONE_SHOT

BATCH = 512
"""Examples at a time where statistics are measured anew."""


def run(laboratory: Laboratory) -> Sequence[Row]:
    """Return a row for each scope and fraction, the whole network first.

    Batch normalisation's means and variances, which were those of the whole network, are measured anew on the training
    images, which changes no weight: `recalibrated`. Global pruning has a second row each without.
    """
    (cell,) = laboratory.experiment.cells
    trained, bench = laboratory.network(cell), Bench(laboratory, cell)
    normalised = any(isinstance(module, nn.BatchNorm2d) for module in trained.modules())
    rows = []
    for scope in (GLOBAL, LAYER_WISE):
        for fraction in (1.0, *laboratory.settings["fractions_left"]):
            network = copy.deepcopy(trained)
            prune_to(network, fraction, scope)
            masks = masks_of(network)
            make_permanent(network)
            network.to(memory_format=torch.channels_last)  # as fast as it can be
            for recalibrated in (False, True) if normalised and scope == GLOBAL else (normalised,):
                if recalibrated:
                    recalibrate(network, bench.train)
                measured = bench.accuracies(network) | {"recalibrated": recalibrated, "epochs": 0, "status": "finished"}
                rows.append(row(cell, ONE_SHOT, scope, 0 if fraction == 1 else 1, masks, measured))
    return rows


def recalibrate(network: nn.Module, examples: DeviceImages) -> None:
    """Measure the statistics of batch normalisation anew: averages over batches of these examples."""
    update_bn((examples.batch(slice(start, start + BATCH)) for start in range(0, len(examples), BATCH)), network)
