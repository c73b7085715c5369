"""Reading images from their files, augmented or not, in processes beside the one that trains.

What is drawn for an image depends on seed, epoch and image alone. So neither the number of processes, of those that
read or of those that train, nor an interruption changes what the network sees.
"""

import signal
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from rethinking.studies.imagenet.listing import Listing
from rethinking.studies.imagenet.seeds import derived_seed

Place = tuple[int, int]
"""An image's place in the listing, and the epoch in which it is shown."""


class Unreadable(NamedTuple):
    """A file that is no whole image."""

    path: str
    problem: str
    damaged: bool
    """Whether its content is to blame; else the system could not read it, which says nothing of the file."""


class Batch(NamedTuple):
    """Images and labels that could be read, and what could not."""

    images: Tensor
    """(n, 3, size, size) uint8."""
    labels: Tensor
    """(n,) int64."""
    unreadable: list[Unreadable]


class Images(Dataset[Any]):
    """The images of a split as a network is shown them. An item is asked for by its `Place`."""

    def __init__(
        self, folder: Path, listing: Listing, labels: NDArray[np.int64], transform: v2.Transform, size: int, seed: int
    ) -> None:
        self.folder, self.paths, self.labels = folder, listing.paths, labels
        self.transform, self.size, self.seed = transform, size, seed

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: Place) -> tuple[Tensor, int] | Unreadable:
        index, epoch = place
        path = self.folder / self.paths[index].decode("utf-8", "surrogateescape")
        try:
            with Image.open(path) as opened:
                image = opened.convert("RGB")  # reads all of it: grey and CMYK images are among ImageNet's
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            # An error of the system has a number; Pillow's, of files that are damaged or no images, have none.
            system = isinstance(error, OSError) and error.errno is not None
            problem = error.strerror if isinstance(error, OSError) and error.errno is not None else str(error)
            return Unreadable(str(path), str(problem), not system)
        return self._transformed(image, derived_seed(self.seed, "augmentation", epoch, index)), int(self.labels[index])

    def _transformed(self, image: Image.Image, seed: int) -> Tensor:
        """Return the image as the transform draws it from `seed`; the generator, dropout's too, stays as it was."""
        before = torch.get_rng_state()
        try:
            torch.default_generator.manual_seed(seed)  # not torch.manual_seed, which reaches for the GPU
            shown: Tensor = self.transform(image)
        finally:
            torch.set_rng_state(before)
        return shown

    def collate(self, items: Iterable[tuple[Tensor, int] | Unreadable]) -> Batch:
        """Return items as a batch, which may be empty."""
        unreadable, images, labels = [], [], []
        for item in items:
            if isinstance(item, Unreadable):
                unreadable.append(item)
            else:
                images.append(item[0])
                labels.append(item[1])
        none = torch.empty((0, 3, self.size, self.size), dtype=torch.uint8)
        return Batch(torch.stack(images) if images else none, torch.tensor(labels, dtype=torch.int64), unreadable)


def without_augmentation(images: Mapping[str, Any]) -> v2.Transform:
    """Return the transform of an image to its central window: (3, size, size) uint8. Settings are `images`."""
    shorter = round(images["size"] / images["central_fraction"])
    return v2.Compose([v2.Resize(shorter), v2.CenterCrop(images["size"]), v2.PILToTensor()])


def with_augmentation(images: Mapping[str, Any], augmentation: Mapping[str, Any]) -> v2.Transform:
    """Return the transform of an image to a random window, mirrored or not, in other colours: (3, size, size) uint8."""
    widest = augmentation["aspect_ratio"]
    window = v2.RandomResizedCrop(
        images["size"], scale=(augmentation["smallest_area"], 1.0), ratio=(1 / widest, widest)
    )
    strengths = {name: augmentation[name] for name in ("brightness", "contrast", "saturation", "hue")}
    colours = [v2.ColorJitter(**strengths)] if any(strengths.values()) else []
    return v2.Compose([window, v2.RandomHorizontalFlip(), v2.PILToTensor(), *colours])


def batches(images: Images, places: Iterable[list[Place]], readers: int, device: torch.device) -> Iterator[Batch]:
    """Yield a batch for each list of places, which may be empty; `readers` processes work ahead, 0 for none."""
    loader: DataLoader[Any] = DataLoader(
        images,
        batch_sampler=places,
        num_workers=readers,
        collate_fn=images.collate,
        pin_memory=device.type == "cuda",
        worker_init_fn=_leave_signals_to_the_trainer,
        generator=torch.Generator(),  # else a seed for its processes is drawn from the one that dropout draws from
    )
    yield from loader


def _leave_signals_to_the_trainer(_: int) -> None:
    """A scheduler, or Ctrl-C in a terminal, signals all processes: the one that trains still needs these."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def scaled(images: Tensor) -> Tensor:
    """Return images (n, c, h, w) of 0..255 as networks see them: between -1 and 1, as TensorFlow's package does it."""
    return (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
