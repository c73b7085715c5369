"""Typed params: the single definition of what can be set, and of how a cell is resolved into a recipe."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rethinking.cells import Cell
from rethinking.data import imagenet
from rethinking.errors import UserError
from rethinking.names import Regularizer, base_model, model_width, subset, whole_dataset
from rethinking.params_sections import (
    DatasetName,
    Kind,
    MisplacedValue,
    ModelName,
    Name,
    RegularizerName,
    Section,
    Seed,
    listed,
    names_in,
)
from rethinking.params_studies import StudiesParams
from rethinking.recipe import Recipe


class DataParams(Section):
    """Where originals come from and how they are corrupted."""

    mirror: str | None
    imagenet: str | None
    corruption_seed: Seed


class DatasetParams(Section):
    """How a data set is presented to the networks."""

    crop_size: Annotated[int, Field(ge=1)]
    train_examples: Annotated[int, Field(ge=1)] | None = None


class ModelParams(Section):
    """What all architectures share: the optimiser's settings that the paper gives per model."""

    initial_learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    weight_decay_layers: Literal["all", "hidden-linear"] = "all"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5

    def architecture_options(self) -> dict[str, str | int | float | bool]:
        """Return the architecture's name and the keyword arguments of its `build`."""
        return self.model_dump(exclude=set(ModelParams.model_fields))


class MLPParams(ModelParams):
    """Multilayer perceptron: `depth` hidden layers of `width` units."""

    architecture: Literal["mlp"]
    depth: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]
    initialisation: Literal["glorot", "he", "truncated-normal", "torch"]


class AlexNetParams(ModelParams):
    """Small AlexNet; `width` multiplies the number of channels and units of every hidden layer."""

    architecture: Literal["alexnet"]
    width: Annotated[float, Field(gt=0)]
    initialisation: Literal["glorot", "he", "truncated-normal", "torch"]


class InceptionParams(ModelParams):
    """Small Inception; `width` multiplies the number of channels of every layer."""

    architecture: Literal["inception"]
    width: Annotated[float, Field(gt=0)]
    batch_norm: bool
    initialisation: Literal["glorot", "he", "truncated-normal", "torch"]


class CNNParams(ModelParams):
    """Convolutional network of five layers; `width` is the number of channels of the first, doubled by each further."""

    architecture: Literal["cnn"]
    width: Annotated[int, Field(ge=1)]
    initialisation: Literal["glorot", "he", "truncated-normal", "torch"]


class ResNetParams(ModelParams):
    """Residual network of `depth` layers; `width` is the number of channels of its first stage."""

    architecture: Literal["resnet"]
    depth: Literal[18, 34]
    width: Annotated[int, Field(ge=1)]
    pre_activation: bool
    initialisation: Literal["glorot", "he", "truncated-normal", "torch"]


AnyModelParams = Annotated[
    MLPParams | AlexNetParams | InceptionParams | CNNParams | ResNetParams, Field(discriminator="architecture")
]


class TrainingParams(Section):
    """Gradient descent on batches."""

    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]
    loss: Literal["cross-entropy", "squared"]
    optimiser: Literal["sgd", "adam"]
    momentum: Annotated[float, Field(ge=0, lt=1)]
    learning_rate_schedule: Literal["exponential", "step", "inverse-sqrt"]
    learning_rate_decay: Annotated[float, Field(gt=0, le=1)]
    learning_rate_period: Annotated[int, Field(ge=1)]
    train_evaluation_period: Annotated[int, Field(ge=1)]


class TrainingChange(Section):
    """The training settings that an exception replaces."""

    epochs: Annotated[int, Field(ge=1)] | None = None
    batch_size: Annotated[int, Field(ge=1)] | None = None
    loss: Literal["cross-entropy", "squared"] | None = None
    optimiser: Literal["sgd", "adam"] | None = None
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None
    learning_rate_schedule: Literal["exponential", "step", "inverse-sqrt"] | None = None
    learning_rate_decay: Annotated[float, Field(gt=0, le=1)] | None = None
    learning_rate_period: Annotated[int, Field(ge=1)] | None = None
    train_evaluation_period: Annotated[int, Field(ge=1)] | None = None
    initial_learning_rate: Annotated[float, Field(gt=0)] | None = None


class TrainingException(Section):
    """Other training settings for the cells that match every list given, subsets and other widths included."""

    datasets: list[DatasetName] | None = None
    models: list[ModelName] | None = None
    corruptions: list[Name] | None = None
    regularizers: list[RegularizerName] | None = None
    training: TrainingChange

    def applies_to(self, cell: Cell) -> bool:
        """Whether this exception changes how `cell` is trained."""
        axes = (
            (self.datasets, {cell.dataset, whole_dataset(cell.dataset)}),
            (self.models, {cell.model, base_model(cell.model)}),
            (self.corruptions, {cell.corruption}),
            (self.regularizers, {cell.regularizer}),
        )
        return all(names is None or not values.isdisjoint(names) for names, values in axes)


class AugmentationParams(Section):
    """The regularizer flip+rotate."""

    rotation_degrees: Annotated[float, Field(ge=0, le=180)]


class ExecutionParams(Section):
    """How runs are executed; what they are does not depend on it."""

    device: Literal["auto", "cpu", "cuda", "mps"]
    precision: Literal["auto", "float32", "bfloat16"]
    cuda_graphs: bool
    runs_per_gpu: Annotated[int, Field(ge=1)]
    processes: dict[Name, Annotated[int, Field(ge=1)]]
    """By data set; one where it is not named."""
    readers: Annotated[int, Field(ge=0)] | None
    """Processes that read ImageNet's images for each that trains."""


class ResultsParams(Section):
    """What is read out of finished runs; changing it retrains nothing."""

    overfit_loss: Annotated[float, Field(gt=0)]


class Params(Section):
    """All settings of one preset."""

    preset: str
    data: DataParams
    datasets: Annotated[dict[Name, DatasetParams], Field(min_length=1)]
    models: Annotated[dict[Name, AnyModelParams], Field(min_length=1)]
    augmentation: AugmentationParams
    training: TrainingParams
    exceptions: list[TrainingException]
    seeds: Annotated[list[Seed], Field(min_length=1)]
    execution: ExecutionParams
    results: ResultsParams
    studies: StudiesParams

    @model_validator(mode="after")
    def _names_refer_to_something(self) -> "Params":
        known: dict[Kind, tuple[Callable[[str], str], Iterable[str]]] = {
            "data set": (whole_dataset, self.datasets),
            "model": (base_model, self.models),
        }
        for kind, key, name in names_in(self):
            if kind == "regularizer":
                try:
                    Regularizer.parse(name)
                except UserError as error:
                    raise MisplacedValue(key, str(error)) from None
            else:
                whole, there = known[kind]
                if whole(name) not in there:
                    raise MisplacedValue(key, f"found '{name}', must be one of {listed(there)}")
        return self

    @model_validator(mode="after")
    def _sections_agree(self) -> "Params":
        levels = self.studies.randomisation.label_corruption
        key = "studies.randomisation.label_corruption"
        for probability in levels:
            if abs(100 * probability - round(100 * probability)) > 1e-6:
                raise MisplacedValue(key, f"found {probability}, must be in whole percents")
        if sorted(set(levels)) != levels:
            raise MisplacedValue(key, f"found {levels}, must rise from each to the next")
        pruned = [name for part in self.studies.sparsity.iterative for name in part.models]
        for name in self.studies.quantisation.combined.models:
            if name not in pruned:
                raise MisplacedValue(
                    "studies.quantisation.combined.models",
                    f"found '{name}', must be one that studies.sparsity.iterative prunes: {listed(pruned)}",
                )
        model = self.studies.parameters.model
        if getattr(self.models[base_model(model)], "depth", None) != 1:
            raise MisplacedValue(
                "studies.parameters.model", f"found '{model}', must be a perceptron (mlp) with a depth of 1"
            )
        there = [*self.datasets, imagenet.NAME]
        for name in self.execution.processes:
            if name not in there:
                raise MisplacedValue("execution.processes", f"found '{name}', must be one of {listed(there)}")
        if len(set(self.seeds)) != len(self.seeds):
            raise MisplacedValue("seeds", f"found {self.seeds}, must not name a seed twice")
        return self

    def model(self, name: str) -> AnyModelParams:
        """Return the settings of a model, which may be named as another width of one. Raises KeyError if unknown."""
        model, width = self.models[base_model(name)], model_width(name)
        return model if width is None else model.model_copy(update={"width": type(model.width)(width)})

    def recipe(self, cell: Cell) -> Recipe:
        """Resolve a cell into everything that determines its outcome.

        Raises KeyError if data set or model are not known, UserError for a regularizer that is none.
        """
        whole = whole_dataset(cell.dataset)
        model, dataset = self.model(cell.model), self.datasets[whole]
        settings: dict[str, Any] = {
            **self.training.model_dump(),
            "initial_learning_rate": model.initial_learning_rate,
        }
        for exception in self.exceptions:
            if exception.applies_to(cell):
                settings |= exception.training.model_dump(exclude_none=True)
        regularizer = Regularizer.parse(cell.regularizer)
        decay = model.weight_decay if regularizer.weight_decay == "model's" else regularizer.weight_decay
        return Recipe(
            dataset=whole,
            corruption=cell.corruption,
            corruption_seed=None if cell.corruption == "true" else self.data.corruption_seed,
            crop_size=dataset.crop_size,
            train_examples=dataset.train_examples,
            train_subset=subset(cell.dataset),
            model=model.architecture_options(),
            random_crop=regularizer.crop,
            weight_decay=decay or 0.0,
            weight_decay_layers=model.weight_decay_layers,
            dropout=model.dropout if regularizer.dropout else 0.0,
            flip=regularizer.flip,
            rotation_degrees=self.augmentation.rotation_degrees if regularizer.rotate else 0.0,
            seed=cell.seed,
            **settings,
        )
