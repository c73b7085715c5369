"""The loop that ours is compared with: what tutorials of PyTorch teach, and public re-implementations of the paper do.

Images are prepared one by one by torchvision's transforms, a `DataLoader` makes batches of them, and everything is
computed in float32, eagerly, with `torch.optim.SGD`; the loss is read back at every step. Nothing is trained with this.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from rethinking.recipe import Recipe

Batches = DataLoader[tuple[Tensor, int]]


class Averages(NamedTuple):
    """Over the examples that were seen."""

    loss: float
    """Cross-entropy, in nats."""
    accuracy: float


class Whiten:
    """A transform: (x - mean) / max(std, 1/sqrt(N)) over all N values of an image."""

    def __call__(self, image: Tensor) -> Tensor:
        """Return the image, (c, h, w) in units of 0 to 1, whitened."""
        whitened: Tensor = (image - image.mean()) / max(float(image.std(correction=0)), image.numel() ** -0.5)
        return whitened


class Images(Dataset[tuple[Tensor, int]]):
    """(n, c, h, w) uint8 images and their (n,) labels, as torchvision's data sets hold and give them."""

    def __init__(self, images: Tensor, labels: Tensor, recipe: Recipe, augment: bool) -> None:
        grey = images.shape[1] == 1
        self.arrays = (images[:, 0] if grey else images.permute(0, 2, 3, 1)).contiguous().numpy()
        self.labels = labels.tolist()
        self.transform = transform(recipe, augment)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


def transform(recipe: Recipe, augment: bool) -> transforms.Compose:
    """Return what the recipe does to an image, in the words of torchvision."""
    steps: list[Any] = []
    if augment and recipe.flip:
        steps.append(transforms.RandomHorizontalFlip())
    if augment and recipe.rotation_degrees:
        bilinear = transforms.InterpolationMode.BILINEAR
        steps.append(transforms.RandomRotation(recipe.rotation_degrees, interpolation=bilinear))
    crop = transforms.RandomCrop if augment and recipe.random_crop else transforms.CenterCrop
    return transforms.Compose([*steps, crop(recipe.crop_size), transforms.ToTensor(), Whiten()])


def batches(
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    train: bool,
    workers: int = 0,
    pin: bool = False,
    order: Iterable[int] | None = None,
) -> Batches:
    """Return a loader: shuffled and augmented for training, or in the `order` given; `workers` processes read ahead."""
    examples = Images(images, labels, recipe, augment=train)
    return DataLoader(
        examples,
        batch_size=recipe.batch_size if train else 1000,
        shuffle=train and order is None,
        sampler=order,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=pin,
    )


def optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return torch's own optimiser, decaying weights and not biases."""
    groups: list[dict[str, Any]] = [
        {"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in network.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    if recipe.optimiser == "adam":
        return torch.optim.Adam(groups, lr=recipe.initial_learning_rate)
    return torch.optim.SGD(groups, lr=recipe.initial_learning_rate, momentum=recipe.momentum)


def train_epoch(
    network: nn.Module, optimiser: torch.optim.Optimizer, loader: Batches, device: torch.device
) -> Averages:
    """Visit every example once; return averages before each step."""
    network.train()
    loss_sum, correct, count = 0.0, 0, 0
    for images, labels in loader:
        images, labels = images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
        optimiser.zero_grad()
        logits = network(images)
        loss = nn.functional.cross_entropy(logits, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        loss_sum += loss.item() * len(labels)
        correct += int((logits.argmax(dim=1) == labels).sum())
        count += len(labels)
    return Averages(loss_sum / count, correct / count)


@torch.no_grad()
def evaluate(network: nn.Module, loader: Batches, device: torch.device) -> Averages:
    """Return averages over the loader's examples in evaluation mode."""
    network.eval()
    loss_sum, correct, count = 0.0, 0, 0
    for images, labels in loader:
        images, labels = images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
        logits = network(images)
        loss_sum += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
        correct += int((logits.argmax(dim=1) == labels).sum())
        count += len(labels)
    return Averages(loss_sum / count, correct / count)
