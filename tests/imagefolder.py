"""A folder in ImageNet's layout, made of nothing: small JPEG files of odd sizes, grey and CMYK ones among them."""

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("n01440764", "n01443537", "n02085620")
PER_CLASS = {"train": 6, "val": 3}
MODES = ("RGB", "L", "CMYK")


def make_image_folder(
    folder: Path, classes: tuple[str, ...] = CLASSES, per_class: dict[str, int] = PER_CLASS, largest: int = 60
) -> Path:
    """Write such images, each class in a colour of its own, with sides from 17 pixels, and return the folder."""
    rng = np.random.default_rng(0)
    for split, count in per_class.items():
        for number, name in enumerate(classes):
            (folder / split / name).mkdir(parents=True)
            for image in range(count):
                height, width = rng.integers(17, largest, size=2)
                pixels = rng.integers(0, 100, size=(height, width, 3), dtype=np.uint8)
                pixels[..., number % 3] += 120
                drawn = Image.fromarray(pixels).convert(MODES[image % 3])
                drawn.save(folder / split / name / f"{split}_{image:08d}.JPEG")
    return folder
