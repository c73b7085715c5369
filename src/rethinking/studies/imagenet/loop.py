"""The loop that trains and evaluates a network on ImageNet."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rethinking.errors import UserError
from rethinking.experiments.records import Row
from rethinking.studies.imagenet.listing import Listing
from rethinking.studies.imagenet.networks import outputs
from rethinking.studies.imagenet.order import evaluation_places, steps_per_epoch, training_places
from rethinking.studies.imagenet.progress import LOSS, SEEN, TOP1, TOP5, UNREADABLE, Keeper
from rethinking.studies.imagenet.reading import Batch, Images, batches, scaled, with_augmentation, without_augmentation
from rethinking.studies.imagenet.seeds import derived_seed
from rethinking.training.devices import Execution
from rethinking.training.optimiser import Optimiser

EVALUATED_AT_ONCE = {"cpu": 16}
"""Images in a block of an evaluation."""
EVALUATED_AT_ONCE_ON_GPU = 256


class Splits(NamedTuple):
    """The images that there are, under the labels of the experiment."""

    train: Listing
    test: Listing
    train_labels: NDArray[np.int64]


class Evaluated(NamedTuple):
    """Averages over images, and how many could not be read."""

    loss: float
    top1: float
    top5: float
    examples: int
    unreadable: int


def uses(settings: Mapping[str, Any], part: str) -> bool:
    """Whether this part is among the experiment's regularizers."""
    return part in settings["regularizer"].split("+")


def learning_rate(training: Mapping[str, Any], epoch: int) -> float:
    """Return the learning rate of an epoch, counted from 0."""
    return float(
        training["initial_learning_rate"]
        * training["learning_rate_decay"] ** (epoch // training["learning_rate_period"])
    )


@dataclass
class Training:
    """A network under way."""

    settings: Mapping[str, Any]
    execution: Execution
    folder: Path
    splits: Splits
    readers: int
    network: nn.Module
    optimiser: Optimiser
    keeper: Keeper
    told: set[str] = field(default_factory=set)
    """Files that the log has named."""

    def rows(self) -> list[Row]:
        """Train up to the last epoch, from where the keeper's progress stands, and return the evaluations."""
        progress, training = self.keeper.progress, self.settings["training"]
        examples, batch_size = len(self.splits.train.paths), training["batch_size"]
        steps = steps_per_epoch(examples, batch_size)
        shown = self._shown()
        left = range(progress.epoch, training["epochs"])
        places = training_places(
            examples, batch_size, self.settings["seed"], left, progress.steps, self.execution.processes
        )
        stream = batches(shown, places, self.readers, self.execution.device)
        for epoch in left:
            self.network.train()
            self.optimiser.learning_rate = learning_rate(training, epoch)
            for batch in itertools.islice(stream, steps - progress.steps):
                self._step(batch)
                progress.steps += 1
                self.keeper.after_step()
            if self._evaluates(epoch) or not math.isfinite(self._online()[LOSS]):
                progress.rows.append(self._row(epoch, steps))
                if self.execution.processes.leads:
                    _print_row(progress.rows[-1])
                if progress.rows[-1]["status"] == "diverged":
                    break
            if epoch + 1 < training["epochs"]:
                self.keeper.begin_epoch(epoch + 1)
                self.keeper.after_step()
        return progress.rows

    def _evaluates(self, epoch: int) -> bool:
        every, epochs = self.settings["evaluation"]["every_epochs"], self.settings["training"]["epochs"]
        return bool((epoch + 1) % every == 0 or epoch + 1 == epochs)

    def _shown(self) -> Images:
        """Return the training images as the network is shown them."""
        images = self.settings["images"]
        transform = without_augmentation(images)
        if uses(self.settings, "augmentation"):
            transform = with_augmentation(images, self.settings["augmentation"])
        return self._images("train", self.splits.train, self.splits.train_labels, transform)

    def _images(self, split: str, listing: Listing, labels: NDArray[np.int64], transform: Any) -> Images:
        size, seed = self.settings["images"]["size"], self.settings["seed"]
        return Images(self.folder / split, listing, labels, transform, size, seed)

    def _readable(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return a batch's images and labels on the device. Raises UserError for a file that is not to be skipped."""
        for path, problem, damaged in batch.unreadable:
            if self.settings["images"]["unreadable"] == "stop" or not damaged:
                remedy = "put a whole image in its place" if damaged else "make it readable"
                skip = ", or let studies.imagenet.images.unreadable be skip" if damaged else ""
                raise UserError(f"{path} cannot be read: {problem}; {remedy}{skip}")
            if path not in self.told:
                print(f"{path}: left out, {problem}", flush=True)
                self.told.add(path)
        device = self.execution.device
        return scaled(batch.images.to(device, non_blocking=True)), batch.labels.to(device, non_blocking=True)

    def _step(self, batch: Batch) -> None:
        """Take one gradient step on a batch, of which this process has a part."""
        images, labels = self._readable(batch)
        training, processes = self.settings["training"], self.execution.processes
        if processes.size == 1 and len(images) < 2 and batch.unreadable:
            raise UserError(f"{self.folder}: of a batch of {len(images) + len(batch.unreadable)} too few can be read")
        with self.execution.autocast:
            found = outputs(self.network, images)
        losses = [
            functional.cross_entropy(
                logits.float(), labels, reduction="sum", label_smoothing=training["label_smoothing"]
            )
            for logits in found
        ]
        loss = losses[0] + training["auxiliary_weight"] * sum(losses[1:], torch.zeros_like(losses[0]))
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        # Sums over the examples, divided by how many there are in all processes: a file may have been left out.
        count = torch.full((1,), float(len(labels)), device=images.device)
        gradients = self.optimiser.gradients()
        processes.add_up(*gradients, count)
        torch._foreach_div_(gradients, count[0])
        self.optimiser.step()
        self.keeper.progress.sums += _sums(losses[0].detach(), found[0].detach(), labels, len(batch.unreadable))

    def _online(self) -> list[float]:
        """Return the epoch's averages over the examples as they were seen, and the counts."""
        sums = self.keeper.progress.sums.clone()
        self.execution.processes.add_up(sums)
        return _averages(sums)

    def _row(self, epoch: int, steps: int) -> Row:
        online, last = self._online(), epoch + 1 == self.settings["training"]["epochs"]
        diverged = not math.isfinite(online[LOSS])
        wanted = self.settings["evaluation"]["train_examples"]
        places = self._evaluated_places(None if last or diverged else wanted)
        on_train = self._evaluate("train", self.splits.train, self.splits.train_labels, places)
        on_test = self._evaluate("val", self.splits.test, self.splits.test.labels, range(len(self.splits.test.paths)))
        return {
            "architecture": self.settings["architecture"],
            "corruption": self.settings["corruption"],
            "regularizer": self.settings["regularizer"],
            "seed": self.settings["seed"],
            "classes": self.splits.train.classes,
            "epoch": epoch + 1,
            "step": (epoch + 1) * steps,
            "learning_rate": self.optimiser.learning_rate,
            "online_loss": _finite(online[LOSS]),
            "online_top1": online[TOP1],
            "online_top5": online[TOP5],
            "train_examples": on_train.examples,
            "train_loss": _finite(on_train.loss),
            "train_top1": on_train.top1,
            "train_top5": on_train.top5,
            "test_examples": on_test.examples,
            "test_loss": _finite(on_test.loss),
            "test_top1": on_test.top1,
            "test_top5": on_test.top5,
            "unreadable": round(online[UNREADABLE]) + on_test.unreadable,
            "status": "diverged" if diverged else "finished" if last else "training",
            "seconds": round(self.keeper.progress.seconds, 1),
        }

    def _evaluated_places(self, count: int | None) -> list[int]:
        """Return the training images that are evaluated, sorted: a sample drawn once for all conditions, or all."""
        there = len(self.splits.train.paths)
        if count is None or count >= there:
            return list(range(there))
        generator = np.random.default_rng(derived_seed(self.settings["seed"], "evaluated"))
        return sorted(generator.permutation(there)[:count].tolist())

    @torch.no_grad()
    def _evaluate(self, split: str, listing: Listing, labels: NDArray[np.int64], chosen: Any) -> Evaluated:
        """Return averages over the chosen images of a split, in float32 and without augmentation."""
        device, processes = self.execution.device, self.execution.processes
        images = self._images(split, listing, labels, without_augmentation(self.settings["images"]))
        block = EVALUATED_AT_ONCE.get(device.type, EVALUATED_AT_ONCE_ON_GPU)
        sums = torch.zeros(5, device=device)
        self.network.eval()
        for batch in batches(images, evaluation_places(chosen, block, processes), self.readers, device):
            shown, targets = self._readable(batch)
            logits = outputs(self.network, shown)[0] if len(shown) else shown.new_empty((0, listing.classes))
            loss = functional.cross_entropy(logits, targets, reduction="sum")
            sums += _sums(loss, logits, targets, len(batch.unreadable))
            self.keeper.after_step()
        self.network.train()
        processes.add_up(sums)
        averages = _averages(sums)
        if not averages[SEEN]:
            raise UserError(f"{self.folder / split}: not one image can be read")
        return Evaluated(
            averages[LOSS], averages[TOP1], averages[TOP5], round(averages[SEEN]), round(averages[UNREADABLE])
        )


def _sums(loss: Tensor, logits: Tensor, labels: Tensor, unreadable: int) -> Tensor:
    """Return (5,) sums over a part of a batch: the loss, hits among the largest and the five largest, examples."""
    best = logits.topk(min(5, logits.shape[1]), dim=1).indices == labels[:, None]
    hits = (best[:, 0].sum(), best.sum())
    counts = (torch.full_like(loss, number) for number in (len(labels), unreadable))
    return torch.stack([loss, *(number.to(loss.dtype) for number in hits), *counts])


def _averages(sums: Tensor) -> list[float]:
    """Return averages of the first three sums over the examples, and the counts as they are."""
    values: list[float] = sums.tolist()
    return [*(value / max(1.0, values[SEEN]) for value in values[:SEEN]), *values[SEEN:]]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _print_row(row: Row) -> None:
    names = ("train_top1", "train_top5", "test_top1", "test_top5")
    accuracies = "  ".join(f"{name.replace('_', ' ')} {row[name]:7.2%}" for name in names)
    print(f"epoch {row['epoch']:4d}  online loss {row['online_loss']}  {accuracies}  {row['seconds']} s", flush=True)
