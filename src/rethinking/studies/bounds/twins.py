"""Experiment: how much a network changes if one training example is another one.

A twin starts at the same weights and sees the examples in the same order; one of them is replaced by one that the
network has never seen. Averaged over training sets, what the twin loses at the example that it lacks is the
generalisation gap (Bousquet & Elisseeff 2002; Hardt et al. 2016, theorem 2.2), and no constant of uniform stability is
smaller.
"""

from copy import copy

import numpy as np
import torch
from torch import Tensor, nn

from rethinking.cells import Cell
from rethinking.data.images import DeviceImages
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.records import Row
from rethinking.training.evaluate import outputs
from rethinking.training.loop import one_epoch
from rethinking.training.optimiser import optimiser_of
from rethinking.training.progress import EpochInProgress
from rethinking.training.recorded import steps_of


def run(laboratory: Laboratory) -> list[Row]:
    """Return one row a twin. Losses are in [0, 1]: the error, and one less the probability of the label.

    `lacking_*`: the twin's loss at the example that it lacks, less the network's; `added_*`: the network's loss at the
    example that the twin has instead, less the twin's; `elsewhere_*`: the mean and the largest difference over all test
    examples but those that replace others.
    """
    (cell,) = laboratory.experiment.cells
    settings = laboratory.settings
    train, test = (laboratory.examples(cell, name) for name in ("train", "test"))
    rng = np.random.default_rng([settings["seed"], cell.seed])
    count = min(settings["twins"], len(train), len(test) - 1)
    lacking, added = rng.permutation(len(train))[:count], rng.permutation(len(test))[:count]
    classes = len(laboratory.variant(*cell.variant).classes)
    # A new example has a label of the same kind as the others.
    drawn = torch.from_numpy(rng.integers(classes, size=count)).to(test.labels)
    fresh = drawn if cell.corruption == "random-labels" else test.labels[torch.from_numpy(added)]
    elsewhere = torch.ones(len(test), dtype=torch.bool)
    elsewhere[torch.from_numpy(added)] = False

    network = laboratory.network(cell)
    on_train, on_test = outputs(network, train), outputs(network, test)
    rows: list[Row] = []
    for number in range(count):
        out, into = int(lacking[number]), int(added[number])
        image, label = test.stored[into], fresh[number]
        twin = trained(laboratory, cell, with_another(train, out, image, label))
        twin_on_train, twin_on_test = outputs(twin, train), outputs(twin, test)
        was, new = train.labels[out].cpu(), label.cpu()
        change = loss(twin_on_test, test.labels.cpu()) - loss(on_test, test.labels.cpu())
        rows.append(
            {
                "dataset": cell.dataset,
                "model": cell.model,
                "corruption": cell.corruption,
                "seed": cell.seed,
                "twin": number,
                "lacking_error": _error(twin_on_train[out], was) - _error(on_train[out], was),
                "lacking_loss": _loss(twin_on_train[out], was) - _loss(on_train[out], was),
                "added_error": _error(on_test[into], new) - _error(twin_on_test[into], new),
                "added_loss": _loss(on_test[into], new) - _loss(twin_on_test[into], new),
                "elsewhere_mean": float(change[elsewhere].abs().mean()),
                "elsewhere_largest": float(change[elsewhere].abs().max()),
            }
        )
    return rows


def with_another(train: DeviceImages, place: int, image: Tensor, label: Tensor) -> DeviceImages:
    """Return the same training set with another example at `place`; the image is one that networks are given."""
    copied = copy(train)
    copied.stored, copied.labels = train.stored.clone(), train.labels.clone()
    copied.stored[place], copied.labels[place] = image, label
    return copied


def trained(laboratory: Laboratory, cell: Cell, train: DeviceImages) -> nn.Module:
    """Return the cell's network, trained from its first weights on other examples, in its own order of batches."""
    recipe, execution = laboratory.recipes[cell], laboratory.execution
    network = laboratory.initial_network(cell).train()
    steps = steps_of(network, optimiser_of(network, recipe), recipe, execution, train)
    for number in range(recipe.epochs):
        epoch = EpochInProgress.begin(recipe, execution, len(train), number)
        one_epoch(steps, epoch)
    return network.eval()


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return one less the probability of each label, (n,): a loss between 0 and 1."""
    return 1 - logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]


def _loss(logits: Tensor, label: Tensor) -> float:
    return float(loss(logits[None], label[None])[0])


def _error(logits: Tensor, label: Tensor) -> float:
    return float(logits.argmax() != label)
