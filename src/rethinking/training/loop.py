"""The training loop."""

import math
from collections.abc import Callable

import torch
from torch import nn

from rethinking.data.images import DeviceImages
from rethinking.recipe import Recipe
from rethinking.records import Epoch
from rethinking.training.devices import Execution
from rethinking.training.evaluate import FLOAT32, evaluate
from rethinking.training.optimiser import Optimiser, learning_rate
from rethinking.training.progress import EpochInProgress, Progress
from rethinking.training.recorded import steps_of
from rethinking.training.steps import Steps


def nothing() -> None:
    """Do nothing: where nobody wants to be called."""


def train(
    network: nn.Module,
    optimiser: Optimiser,
    recipe: Recipe,
    execution: Execution,
    train_split: DeviceImages,
    evaluation_split: DeviceImages,
    test_split: DeviceImages,
    progress: Progress,
    after_epoch: Callable[[], None] = nothing,
    after_step: Callable[[], None] = nothing,
) -> None:
    """Train up to the recipe's last epoch, from where `progress` stands, which is kept up to date on the way.

    `train_split` may be augmented; `evaluation_split` holds the same examples without augmentation. A run whose loss is
    no longer finite ends early: its last epoch says so, and there is nothing after it.

    `after_step` is called after each step, and after each block of examples in evaluations, `after_epoch` when an epoch
    has joined the history. Called again with network, optimiser and progress as they were at any of these moments,
    training goes on as if it had not stopped; an evaluation begins again.
    """
    network.train()
    processes = execution.processes
    steps = steps_of(network, optimiser, recipe, execution, train_split)
    while not progress.finished(recipe):
        number, examples = len(progress.history), len(train_split)
        epoch = progress.epoch = progress.epoch or EpochInProgress.begin(recipe, execution, examples, number)
        online_loss, online_accuracy = one_epoch(steps, epoch, after_step)
        last = number + 1 == recipe.epochs or not math.isfinite(online_loss)
        precision = FLOAT32 if last else execution.autocast  # what tables print
        on_test = evaluate(network, test_split, processes, after_step, precision)
        on_train = None
        if last or (number + 1) % recipe.train_evaluation_period == 0:
            on_train = evaluate(network, evaluation_split, processes, after_step, precision)
        batches = math.ceil(examples / recipe.batch_size)
        finished = Epoch(
            epoch=number + 1,
            step=(number + 1) * batches,
            learning_rate=learning_rate(recipe, number, number * batches),
            online_loss=online_loss,
            online_accuracy=online_accuracy,
            train_loss=on_train and on_train.loss,
            train_accuracy=on_train and on_train.accuracy,
            test_loss=on_test.loss,
            test_accuracy=on_test.accuracy,
            seconds=epoch.seconds,
        )
        progress.history, progress.epoch = [*progress.history, finished], None
        after_epoch()


def one_epoch(steps: Steps, epoch: EpochInProgress, after_step: Callable[[], None] = nothing) -> tuple[float, float]:
    """Visit every example that `epoch` has not visited, in its order; return online loss and accuracy of all of it.

    Online means: averages over the batches as they were seen in training, before each step. The last, smaller batch is
    kept (391 steps on CIFAR-10): this is about fitting every example.
    """
    recipe, processes = steps.recipe, steps.execution.processes
    batches = torch.split(epoch.order, recipe.batch_size)
    with steps.under_way():
        for index in batches[epoch.steps :]:
            rate = learning_rate(recipe, epoch.number, epoch.number * len(batches) + epoch.steps)
            steps.take(epoch, index, rate)
            epoch.steps += 1
            after_step()
    loss_sum, correct = epoch.loss_sum.clone(), epoch.correct.clone()
    processes.add_up(loss_sum)
    processes.add_up(correct)
    return loss_sum.item() / len(steps.split), correct.item() / len(steps.split)
