"""Training a network on ImageNet from the folder that holds it, as a row of Table 2 says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rethinking.data.imagenet import NAME, SETTING, SPLITS, VARIABLE, classes_in
from rethinking.errors import UserError
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.records import Row
from rethinking.experiments.streamed import StreamedExperiment
from rethinking.studies.imagenet.listing import list_images, random_labels
from rethinking.studies.imagenet.loop import Splits, Training, uses
from rethinking.studies.imagenet.networks import build, decayed_and_free
from rethinking.studies.imagenet.progress import Keeper
from rethinking.studies.imagenet.rmsprop import RMSProp
from rethinking.studies.imagenet.seeds import derived_seed
from rethinking.training.devices import Execution
from rethinking.training.interruption import Interruption
from rethinking.training.optimiser import SGD, Optimiser


def run(laboratory: Laboratory) -> list[Row]:
    """Return one row an evaluation: epoch and step, losses in nats, and accuracies as fractions.

    `online` means as the images were seen in training. `train` is measured without augmentation, under the labels that
    were trained on, and on `train_examples` of the images; in the last row on all of them. `test` are the images in
    val/, under true labels. `unreadable` counts files that were left out, of those of the epoch and of the evaluation.

    Raises UserError if the folder is not there, not laid out as it must be, or holds a file that cannot be read and is
    not to be skipped; Interrupted if a signal has asked to stop.
    """
    experiment, settings, processes = laboratory.experiment, laboratory.settings, laboratory.execution.processes
    assert isinstance(experiment, StreamedExperiment)
    if experiment.folder is None:
        raise UserError(f"{experiment} needs ImageNet: set {SETTING} in params.yaml, or {VARIABLE}, to its folder")
    splits = _splits(experiment.folder, settings, laboratory.execution)
    for name, listing in zip(SPLITS, (splits.train, splits.test), strict=True):
        laboratory.data_read[f"{NAME}/{name}"] = listing.digest
        if processes.leads:
            where = experiment.folder / name
            print(f"{where}: {len(listing.paths):,} images in {listing.classes:,} classes", flush=True)

    network = _initial_network(settings, splits.train.classes).to(laboratory.execution.device)
    network = network.to(memory_format=torch.channels_last)
    processes.share(network)
    optimiser = optimiser_of(network, settings)
    identity = f"{experiment.digest({})} {laboratory.code} {splits.train.digest} {splits.test.digest}"
    interruption = Interruption()
    keeper = Keeper(
        laboratory.root / experiment.scratch_folder(laboratory.preset),
        identity,
        laboratory.execution,
        network,
        optimiser,
        settings["seed"],
        interruption,
    )
    readers = experiment.readers_for(laboratory.execution.device.type, torch.get_num_threads())
    training = Training(settings, laboratory.execution, experiment.folder, splits, readers, network, optimiser, keeper)
    with interruption.on_signals():
        return training.rows()


def _splits(folder: Path, settings: Mapping[str, Any], execution: Execution) -> Splits:
    """Look through the folder, in one process: a million files take minutes on some file systems."""
    found = None
    if execution.processes.leads:
        classes_in(folder)
        found = [list_images(folder / name) for name in SPLITS]
    train, test = execution.processes.of_leader(found)
    labels = train.labels
    if settings["corruption"] == "random-labels":
        labels = random_labels(len(train.paths), train.classes, settings["corruption_seed"])
    return Splits(train, test, labels)


def _initial_network(settings: Mapping[str, Any], classes: int) -> nn.Module:
    """Return the network before training, on the CPU: a seed means the same weights on every device."""
    torch.manual_seed(derived_seed(settings["seed"], "initialisation"))
    dropout = settings["training"]["dropout"] if uses(settings, "dropout") else 0.0
    return build(settings["architecture"], classes, dropout)


def optimiser_of(network: nn.Module, settings: Mapping[str, Any]) -> Optimiser:
    """Return the optimiser that the settings ask for, with weight decay if that is among the regularizers."""
    training = settings["training"]
    decay = training["weight_decay"] if uses(settings, "wd") else 0.0
    shared = (*decayed_and_free(network), decay, training["initial_learning_rate"])
    if training["optimiser"] == "sgd":
        return SGD(*shared, training["momentum"])
    return RMSProp(*shared, training["momentum"], training["rmsprop_decay"], training["rmsprop_epsilon"])
