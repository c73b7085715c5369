"""A data set's training examples as the points that networks are to tell apart."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from rethinking.data.images import center_crop, whiten
from rethinking.data.variants import Variant
from rethinking.experiments.laboratory import Laboratory
from rethinking.studies.expressivity.vocabulary import PIXELS, WHITENED


class Labelled(NamedTuple):
    """Points with labels."""

    points: dict[str, NDArray[Any]]
    """(n, d), by kind of input: whole-numbered pixels after cropping, and what networks are given, whitened."""
    labels: NDArray[np.int64]
    """(n,)"""


def labelled(laboratory: Laboratory) -> Labelled:
    """Return the training examples that the experiment's settings name."""
    settings = laboratory.settings
    variant: Variant = laboratory.variant(settings["dataset"], settings["corruption"])
    limit = settings["train_examples"]
    images = torch.from_numpy(np.array(variant.train_images[:limit]))
    cropped = center_crop(images, settings["crop_size"])
    whitened = torch.cat([whiten(block.float() / 255) for block in torch.split(cropped, 8192)])
    points = {PIXELS: cropped.flatten(1).contiguous().numpy(), WHITENED: whitened.flatten(1).numpy()}
    return Labelled(points, np.asarray(variant.train_labels[:limit], dtype=np.int64))
