"""Settings: ImageNet."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rethinking.params_sections import MisplacedValue, Section

Regularizers = Literal[
    "none",
    "augmentation",
    "dropout",
    "wd",
    "augmentation+dropout",
    "augmentation+wd",
    "dropout+wd",
    "augmentation+dropout+wd",
]
Architecture = Literal["inception_v3", "alexnet", "mobilenet_v3_small", "resnet18", "resnet50"]
"""Of torchvision."""

SMALLEST_IMAGES: dict[str, int] = {"inception_v3": 299, "alexnet": 63}
"""Pixels below which an architecture has no place for its convolutions; Inception V3 for its second classifier's."""

Strength = Annotated[float, Field(ge=0, le=1)]


class ImagesParams(Section):
    """How images are shown."""

    size: Annotated[int, Field(ge=16)]
    """Pixels to a side."""
    central_fraction: Annotated[float, Field(gt=0, le=1)]
    """Without augmentation: the side of the central window, of the image's shorter side."""
    unreadable: Literal["stop", "skip"]
    """What becomes of a file that is no whole image."""


class ImageAugmentationParams(Section):
    """The regularizer augmentation: a random window, its mirror image or not, and other colours."""

    smallest_area: Annotated[float, Field(gt=0, le=1)]
    """Of the window, of the image's; it is drawn between this and 1."""
    aspect_ratio: Annotated[float, Field(ge=1)]
    """Of the window, at most; at least its inverse."""
    brightness: Strength
    contrast: Strength
    saturation: Strength
    hue: Annotated[float, Field(ge=0, le=0.5)]


class ImageNetTrainingParams(Section):
    """Gradient descent."""

    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]
    """Of all processes together."""
    optimiser: Literal["rmsprop", "sgd"]
    momentum: Annotated[float, Field(ge=0, lt=1)]
    rmsprop_decay: Annotated[float, Field(ge=0, lt=1)]
    rmsprop_epsilon: Annotated[float, Field(gt=0)]
    initial_learning_rate: Annotated[float, Field(gt=0)]
    learning_rate_decay: Annotated[float, Field(gt=0, le=1)]
    learning_rate_period: Annotated[int, Field(ge=1)]
    """Epochs."""
    auxiliary_weight: Annotated[float, Field(ge=0)]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Annotated[float, Field(ge=0)]
    dropout: Annotated[float, Field(ge=0, lt=1)]


class ImageNetEvaluationParams(Section):
    """When accuracies are measured, and on what."""

    every_epochs: Annotated[int, Field(ge=1)]
    train_examples: Annotated[int, Field(ge=1)] | None
    """As many of the training images along the run; at its end all of them. None: always all."""


class ImageNetParams(Section):
    """The study of ImageNet."""

    architecture: Architecture
    true_labels: list[Regularizers]
    """One network each, for every seed."""
    random_labels: list[Regularizers]
    images: ImagesParams
    augmentation: ImageAugmentationParams
    training: ImageNetTrainingParams
    evaluation: ImageNetEvaluationParams

    @model_validator(mode="after")
    def _settings_agree(self) -> "ImageNetParams":
        key = "studies.imagenet"
        for name in ("true_labels", "random_labels"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise MisplacedValue(f"{key}.{name}", f"found {values}, must not name one twice")
        smallest = SMALLEST_IMAGES.get(self.architecture, 1)
        if self.images.size < smallest:
            raise MisplacedValue(
                f"{key}.images.size", f"found {self.images.size}, must be at least {smallest} for {self.architecture}"
            )
        return self
