"""The training loop."""

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from rethinking.data.images import DeviceImages
from rethinking.recipe import Recipe
from rethinking.records import Epoch
from rethinking.training.devices import Execution
from rethinking.training.evaluate import evaluate
from rethinking.training.optimiser import SGD, learning_rate


def train(
    network: nn.Module,
    optimiser: SGD,
    recipe: Recipe,
    execution: Execution,
    train_split: DeviceImages,
    evaluation_split: DeviceImages,
    test_split: DeviceImages,
    history: list[Epoch],
    after_epoch: Callable[[list[Epoch]], None],
) -> list[Epoch]:
    """Train up to the recipe's last epoch, from where `history` ends, and return the whole history.

    `train_split` may be augmented; `evaluation_split` holds the same
    examples without augmentation.
    `after_epoch` is called with the history so far. A run whose loss is no longer finite ends early: its last epoch
    says so, and there is nothing after it.
    """
    network.train()
    if history and history[-1].diverged:
        return history
    for epoch in range(len(history), recipe.epochs):
        started = time.perf_counter()
        optimiser.learning_rate = learning_rate(recipe, epoch)
        online_loss, online_accuracy = one_epoch(network, optimiser, recipe, execution, train_split, epoch)
        on_train, on_test = evaluate(network, evaluation_split), evaluate(network, test_split)
        history = [
            *history,
            Epoch(
                epoch=epoch + 1,
                step=(epoch + 1) * math.ceil(len(train_split) / recipe.batch_size),
                learning_rate=learning_rate(recipe, epoch),
                online_loss=online_loss,
                online_accuracy=online_accuracy,
                train_loss=on_train.loss,
                train_accuracy=on_train.accuracy,
                test_loss=on_test.loss,
                test_accuracy=on_test.accuracy,
                seconds=time.perf_counter() - started,
            ),
        ]
        after_epoch(history)
        if history[-1].diverged:
            break
    return history


def one_epoch(
    network: nn.Module,
    optimiser: SGD,
    recipe: Recipe,
    execution: Execution,
    split: DeviceImages,
    epoch: int,
) -> tuple[float, float]:
    """Visit every example once, in an order drawn for this epoch; return online loss and accuracy.

    Online means: averages over the batches as they were seen in training, before each step. The last, smaller batch is
    kept (391 steps on CIFAR-10): this is about fitting every example.
    """
    order = torch.randperm(
        len(split),
        generator=execution.generator(recipe.derived_seed("batch order", epoch)),
        device=execution.device,
    )
    augmentation = execution.generator(recipe.derived_seed("augmentation", epoch))
    torch.manual_seed(recipe.derived_seed("dropout", epoch))
    # Sums stay on the device: reading one back at every step would make the device wait for the interpreter.
    loss_sum = torch.zeros((), device=execution.device)
    correct = torch.zeros((), dtype=torch.int64, device=execution.device)
    for index in torch.split(order, recipe.batch_size):
        images, labels = split.batch(index, augmentation)
        loss, logits = step(network, optimiser, execution, images, labels)
        loss_sum += loss * len(index)
        correct += (logits.argmax(dim=1) == labels).sum()
    return loss_sum.item() / len(split), correct.item() / len(split)


def step(
    network: nn.Module, optimiser: SGD, execution: Execution, images: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Take one gradient step on a batch; return its mean loss before the step and its logits, detached."""
    with execution.autocast:
        logits = network(images)
    loss = functional.cross_entropy(logits.float(), labels)
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()
    return loss.detach(), logits.detach()
