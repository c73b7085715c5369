"""Which images a folder of ImageNet's layout holds, and under which labels."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torchvision.datasets import ImageFolder

from rethinking.data.corruptions import random_stream
from rethinking.data.imagenet import NAME
from rethinking.errors import UserError


class Listing(NamedTuple):
    """The images of one split, sorted by class and name. Arrays, not lists, which processes that read would copy."""

    paths: NDArray[np.bytes_]
    """(n,) relative to the split's folder."""
    labels: NDArray[np.int64]
    """(n,) places of the images' folders among the sorted classes."""
    classes: int
    digest: str
    """SHA-256 over all paths and sizes: what the folder's content is told by, as to read it all would take hours."""


def list_images(folder: Path) -> Listing:
    """Return what `torchvision.datasets.ImageFolder` finds in a split's folder.

    Raises UserError if a class has no image, or a file cannot be looked at.
    """
    try:
        found = ImageFolder(folder)
    except FileNotFoundError as error:
        raise UserError(f"{folder} is not as it must be: {str(error).splitlines()[0]}") from None
    paths = [os.path.relpath(path, folder) for path, _ in found.samples]
    digest = hashlib.sha256()
    for path in paths:
        try:
            size = (folder / path).stat().st_size
        except OSError as error:
            raise UserError(f"{folder / path} cannot be read: {error.strerror}") from None
        digest.update(os.fsencode(Path(path).as_posix()) + f" {size}\n".encode())
    labels = np.array([label for _, label in found.samples], dtype=np.int64)
    return Listing(np.array([os.fsencode(path) for path in paths]), labels, len(found.classes), digest.hexdigest())


def random_labels(count: int, classes: int, seed: int) -> NDArray[np.int64]:
    """Return labels (n,) drawn uniformly over the classes, for the training images in their sorted order.

    Drawn once and fixed, as for the other data sets (`rethinking.data.corruptions`): they are the same for every
    regularizer, device and seed of training.
    """
    return random_stream(seed, NAME, "random-labels", "train").integers(classes, size=count, dtype=np.int64)
