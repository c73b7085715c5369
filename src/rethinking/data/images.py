"""Images on the device: cropping, augmentation and per-image whitening of whole batches.

Order matters (Zhang et al. 2017, appendix A): scale to [0, 1], then crop, then whiten. Data sets fit in memory, so
an epoch is a permutation drawn over tensors that already lie where the network is; there is no loader.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rethinking.recipe import Recipe


def whiten(images: Tensor) -> Tensor:
    """Return (x - mean) / max(std, 1/sqrt(N)) for each image, over all its N = c*h*w values.

    `images` is (n, c, h, w) floating, scaled to [0, 1]. std is the population's, as in TensorFlow's
    `per_image_standardization`; the floor keeps constant images finite.
    """
    if not len(images):
        return images  # an empty part of a batch, which has no deviations to warn of
    values = images.flatten(1)
    mean = values.mean(dim=1, keepdim=True)
    std = values.std(dim=1, correction=0, keepdim=True).clamp(min=values.shape[1] ** -0.5)
    return ((values - mean) / std).view(images.shape)


def center_crop(images: Tensor, size: int) -> Tensor:
    """Return the central size x size window of (n, c, h, w) images."""
    top, left = (images.shape[2] - size) // 2, (images.shape[3] - size) // 2
    return images[:, :, top : top + size, left : left + size]


@dataclass(frozen=True)
class Part:
    """The examples of a batch that one process sees, where several share it: those from `start` up to `stop`.

    What is drawn for a batch is drawn for all of its `of` examples, and is the same in all processes.
    """

    start: int
    stop: int
    of: int

    @classmethod
    def whole(cls, count: int) -> "Part":
        """Return all examples of a batch of `count`."""
        return cls(0, count, count)

    @property
    def place(self) -> slice:
        """Index a batch's examples, or what was drawn for them, with this."""
        return slice(self.start, self.stop)


def random_crop(images: Tensor, size: int, generator: torch.Generator, part: Part | None = None) -> Tensor:
    """Return a size x size window of each (n, c, h, w) image, its place drawn uniformly and independently.

    The images are those at `part` of the batch for which places are drawn; without it, they are the batch.
    """
    count, channels, height, width = images.shape
    part = part or Part.whole(count)
    tops = torch.randint(height - size + 1, (part.of, 1), generator=generator, device=images.device)[part.place]
    lefts = torch.randint(width - size + 1, (part.of, 1), generator=generator, device=images.device)[part.place]
    window = torch.arange(size, device=images.device)
    rows, columns = (tops + window)[:, None, :, None], (lefts + window)[:, None, None, :]
    index = torch.arange(count, device=images.device)[:, None, None, None]
    channel = torch.arange(channels, device=images.device)[None, :, None, None]
    return images[index, channel, rows, columns]


def flip_and_rotate(images: Tensor, degrees: float, generator: torch.Generator, part: Part | None = None) -> Tensor:
    """Mirror half of the (n, c, h, w) floating images and turn each by an angle drawn from +-`degrees`.

    Bilinear interpolation; what a rotation brings in from outside the image is black. The images are those at `part` of
    the batch for which angles are drawn; without it, they are the batch.
    """
    count = len(images)
    part = part or Part.whole(count)
    uniform = torch.rand((2, part.of), generator=generator, device=images.device)[:, part.place]
    if not count:
        return images  # an empty part, for which torch makes no grid
    angle = (uniform[0] * 2 - 1) * torch.pi * degrees / 180
    mirror = torch.where(uniform[1] < 0.5, -1.0, 1.0)
    cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    transform = torch.stack([cosine * mirror, -sine, zero, sine * mirror, cosine, zero], dim=1).view(count, 2, 3)
    grid = functional.affine_grid(transform, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


@dataclass
class DeviceImages:
    """One split of a variant on the device, ready for the network.

    Without augmentation the images are prepared once; with it they stay as stored and are prepared batch by batch.
    """

    stored: Tensor
    """(n, c, h, w) uint8 or floating, in units of 0 to 255."""
    labels: Tensor
    """(n,) int64."""
    recipe: Recipe
    augment: bool
    """Whether the recipe's augmentation applies: to training batches, never to evaluation."""

    def __post_init__(self) -> None:
        self.augment = self.augment and is_augmented(self.recipe)
        if not self.augment:
            self.stored = torch.cat([self._prepared(block) for block in torch.split(self.stored, 8192)])

    def __len__(self) -> int:
        return len(self.labels)

    def batch(
        self, index: Tensor | slice, generator: torch.Generator | None = None, part: Part | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return prepared images (m, c, crop, crop) and labels (m,) of the examples at `index`.

        `generator` draws the augmentation and must be on the images' device. The examples are those at `part` of the
        batch for which it is drawn; without it, they are the batch.
        """
        images = self.stored[index]
        if self.augment:
            if generator is None:
                raise ValueError("augmented images need a generator")
            images = self._augmented(images, generator, part)
        return images, self.labels[index]

    def _prepared(self, images: Tensor) -> Tensor:
        cropped = center_crop(images, self.recipe.crop_size)
        return whiten(cropped.float() / 255)

    def _augmented(self, images: Tensor, generator: torch.Generator, part: Part | None) -> Tensor:
        scaled = images.float() / 255
        if self.recipe.flip or self.recipe.rotation_degrees > 0:
            scaled = flip_and_rotate(scaled, self.recipe.rotation_degrees, generator, part)
        size = self.recipe.crop_size
        cropped = random_crop(scaled, size, generator, part) if self.recipe.random_crop else center_crop(scaled, size)
        return whiten(cropped)


def is_augmented(recipe: Recipe) -> bool:
    """Whether the recipe shows the network other images than the stored ones."""
    return recipe.random_crop or recipe.flip or recipe.rotation_degrees > 0
