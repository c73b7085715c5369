"""Experiment: lottery tickets (Frankle & Carbin 2019), beside other first weights and other places."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import nn

from rethinking.experiments.laboratory import Laboratory, Trained
from rethinking.experiments.measuring import six_digits
from rethinking.experiments.records import Row
from rethinking.records import Epoch
from rethinking.studies.sparsity.measuring import row
from rethinking.studies.sparsity.pruning import Masks, impose, masks_of, prune_to, shuffled
from rethinking.studies.sparsity.vocabulary import DENSE, GLOBAL, RANDOM_MASK, REINITIALISED, TICKET
from rethinking.training.run import initial_network


def run(laboratory: Laboratory) -> Sequence[Row]:
    """Return a row for each training and some of its epochs, all under one seed.

    In each round the ticket's trained weights say which of them are pruned next, and those that are left go back to
    where training began, and so do biases and statistics. Beside each ticket, as often as `draws` says: its masks with
    other first weights ("reinitialised"), and its first weights under masks that leave as many weights of every layer
    in random places ("random-mask"). All see the same batches.
    """
    (cell,) = laboratory.experiment.cells
    settings, recipe = laboratory.settings, laboratory.recipes[cell]
    changes = {"seed": settings["seed"], "epochs": settings["epochs"] or recipe.epochs, "train_evaluation_period": 1}
    trial = replace(cell, seed=settings["seed"])
    images = laboratory.variant(*cell.variant)
    rows: list[Row] = []

    def train(method: str, round_: int, draw: int, masks: Masks | None) -> Trained:
        """Train the trial's network under masks, from the weights that the method says, and note its accuracies."""

        def prepare(fresh: nn.Module) -> None:
            if method == REINITIALISED:
                other = recipe.model_copy(update={"seed": other_seed(settings["seed"], draw)})
                fresh.load_state_dict(initial_network(other, images).state_dict())
            if masks is not None:
                impose(fresh, masks)

        trained = laboratory.train(cell, f"{method}.round-{round_}.draw-{draw}", prepare, **changes)
        left = masks_of(trained.network)
        for epoch in shown(trained.history):
            rows.append(row(trial, method, GLOBAL, round_, left, {"draw": draw, **accuracies(epoch, trained.history)}))
        return trained

    ticket = train(DENSE, 0, 0, None)
    for round_ in range(1, settings["rounds"] + 1):
        if ticket.history[-1].diverged:
            break
        prune_to(ticket.network, (1 - settings["pruned_per_round"]) ** round_, GLOBAL)
        masks = masks_of(ticket.network)
        ticket = train(TICKET, round_, 0, masks)
        for draw in range(settings["draws"]):
            train(REINITIALISED, round_, draw, masks)
            random = torch.Generator().manual_seed(other_seed(settings["seed"], 1000 * round_ + draw))
            train(RANDOM_MASK, round_, draw, shuffled(masks, random))
    return rows


def other_seed(seed: int, draw: int) -> int:
    """Return a seed, below 2**31, that is another for each trial and draw."""
    return int.from_bytes(hashlib.sha256(f"{seed}/ticket/{draw}".encode()).digest()[:4], "big") >> 1


SHOWN = (1, 2, 3, 5, 7)


def shown(history: list[Epoch]) -> Iterator[Epoch]:
    """Yield the epochs 1, 2, 3, 5, 7, all multiples of ten, and the last."""
    for epoch in history:
        if epoch.epoch in SHOWN or epoch.epoch % 10 == 0 or epoch is history[-1]:
            yield epoch


def accuracies(epoch: Epoch, history: list[Epoch]) -> dict[str, float | int | str]:
    """Return what a row says of an epoch, which was evaluated on the training set as all of these are."""
    assert epoch.train_accuracy is not None
    return {
        "train_accuracy": six_digits(epoch.train_accuracy),
        "test_accuracy": six_digits(epoch.test_accuracy),
        "epoch": epoch.epoch,
        "epochs": len(history),
        "status": "diverged" if history[-1].diverged else "finished",
    }
