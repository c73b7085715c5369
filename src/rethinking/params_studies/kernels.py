"""Settings: linear models that interpolate."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rethinking.params_sections import DatasetName, MisplacedValue, Section, Seed, listed

Penalty = Annotated[float, Field(gt=0)]
"""Of ridge regression, in units of the mean of the Gram matrix's diagonal."""


class GramSystem(Section):
    """A Gram system with the kernel exp(-gamma |x - y|^2)."""

    dataset: DatasetName
    features: Literal["pixels", "gabor"]
    gamma: Annotated[float, Field(gt=0)]
    """Per squared unit of the features; pixels are between 0 and 1."""
    further_gammas: list[Annotated[float, Field(gt=0)]]
    """Rising, and not this one: for the solution of smallest norm alone."""
    examples: Annotated[int, Field(ge=2)] | None
    """The first of the training set; None: all."""
    penalties: list[Penalty]
    """Beside the solution of smallest norm."""


class GaborParams(Section):
    """The wavelets whose pooled responses are Gabor features."""

    wavelengths: Annotated[list[Annotated[float, Field(ge=2)]], Field(min_length=1)]
    """In pixels."""
    orientations: Annotated[int, Field(ge=1)]
    pool: Annotated[int, Field(ge=1)]
    """Side, in pixels, of the squares over which responses are averaged."""
    stride: Annotated[int, Field(ge=1)]
    """Pixels from one square to the next."""


class ConvolutionalSystem(Section):
    """A Gram system on the features of a convolutional network with one layer, whose filters are not trained."""

    dataset: DatasetName
    filters: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
    """One system for each number."""
    drawn_from: Literal["patches", "gaussian"]
    """Filters are patches of training images, or independent normal numbers."""
    patch: Annotated[int, Field(ge=1)]
    """Side, in pixels."""
    contrast: Annotated[float, Field(gt=0)]
    """Added to the variance of a patch, in units of 0 to 255, before it is divided by its root."""
    whitening: Annotated[float, Field(gt=0)] | None
    """Added to the eigenvalues of the patches' covariance; None: patches are not whitened."""
    threshold: Annotated[float, Field(ge=0)]
    """What is taken off a response, of either sign, before what is below 0 is set to 0."""
    regions: Annotated[int, Field(ge=1)]
    """Responses are summed over so many parts of the image from top to bottom, and from left to right."""
    examples: Annotated[int, Field(ge=2)] | None
    penalties: list[Penalty]
    seed: Seed


class DescentParams(Section):
    """Stochastic gradient descent on a linear system with more unknowns than equations."""

    dataset: DatasetName
    examples: Annotated[int, Field(ge=2)]
    learning_rate: Annotated[float, Field(gt=0, lt=2)]
    """In units of one over the mean squared length of an example."""
    steps: Annotated[int, Field(ge=10)]
    """One example each."""
    start: Annotated[float, Field(gt=0)]
    """Length of the other start, in units of the norm of the smallest solution."""
    seed: Seed


class KernelsParams(Section):
    """The study of linear models that interpolate."""

    interpolation: Annotated[list[GramSystem], Field(min_length=1)]
    gabor: GaborParams
    convolutional: list[ConvolutionalSystem]
    descent: DescentParams

    @model_validator(mode="after")
    def _systems_are_sound(self) -> "KernelsParams":
        key = "studies.kernels"
        named = [f"{system.features} of {system.dataset}" for system in self.interpolation]
        for name, systems in (
            ("interpolation", named),
            ("convolutional", [system.dataset for system in self.convolutional]),
        ):
            if twice := sorted({system for system in systems if systems.count(system) > 1}):
                raise MisplacedValue(f"{key}.{name}", f"found {listed(twice)} twice, must name a system once")
        rising: list[tuple[str, list[int] | list[float]]] = [("gabor.wavelengths", self.gabor.wavelengths)]
        for part, lists in (
            ("interpolation", ("further_gammas", "penalties")),
            ("convolutional", ("filters", "penalties")),
        ):
            for number, system in enumerate(getattr(self, part)):
                rising += [(f"{part}.{number}.{name}", getattr(system, name)) for name in lists]
        for number, system in enumerate(self.interpolation):
            if system.gamma in system.further_gammas:
                found = f"found {system.gamma:g}, which is gamma; name it once"
                raise MisplacedValue(f"{key}.interpolation.{number}.further_gammas", found)
        for name, values in rising:
            if sorted(set(values)) != values:
                raise MisplacedValue(f"{key}.{name}", f"found {values}, must rise from each to the next")
        return self
