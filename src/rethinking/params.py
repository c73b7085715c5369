"""Typed params: the single definition of what can be set, and of how a cell is resolved into a recipe."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rethinking.cells import Cell
from rethinking.recipe import Recipe

REGULARIZERS = ("none", "crop", "wd", "crop+wd", "dropout", "flip+rotate")

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Probability = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")]


class MisplacedValue(ValueError):
    """A complaint about the value at `key`, which is written with dots."""

    def __init__(self, key: str, complaint: str) -> None:
        super().__init__(complaint)
        self.key = key


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them."""
    return ", ".join(names)


class Section(BaseModel):
    """Unknown keys are errors, and a value is never silently converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class DataParams(Section):
    """Where originals come from and how they are corrupted."""

    mirror: str | None
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


AnyModelParams = Annotated[MLPParams | AlexNetParams | InceptionParams, Field(discriminator="architecture")]


class TrainingParams(Section):
    """Stochastic gradient descent."""

    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]
    learning_rate_decay: Annotated[float, Field(gt=0, le=1)]
    momentum: Annotated[float, Field(ge=0, lt=1)]


class TrainingChange(Section):
    """The training settings that an exception replaces."""

    epochs: Annotated[int, Field(ge=1)] | None = None
    batch_size: Annotated[int, Field(ge=1)] | None = None
    learning_rate_decay: Annotated[float, Field(gt=0, le=1)] | None = None
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None
    initial_learning_rate: Annotated[float, Field(gt=0)] | None = None


class TrainingException(Section):
    """Other training settings for the cells that match every list given."""

    models: list[Name] | None = None
    corruptions: list[Name] | None = None
    regularizers: list[Literal[REGULARIZERS]] | None = None  # type: ignore[valid-type]
    training: TrainingChange

    def applies_to(self, cell: Cell) -> bool:
        """Whether this exception changes how `cell` is trained."""
        axes = (
            (self.models, cell.model),
            (self.corruptions, cell.corruption),
            (self.regularizers, cell.regularizer),
        )
        return all(names is None or value in names for names, value in axes)


class AugmentationParams(Section):
    """The regularizer flip+rotate."""

    rotation_degrees: Annotated[float, Field(ge=0, le=180)]


class ExecutionParams(Section):
    """How runs are executed; what they are does not depend on it."""

    device: Literal["auto", "cpu", "cuda", "mps"]
    precision: Literal["auto", "float32", "bfloat16"]
    runs_per_gpu: Annotated[int, Field(ge=1)]
    processes: dict[Name, Annotated[int, Field(ge=1)]]
    """By data set; one where it is not named."""


class RandomisationParams(Section):
    """The randomisation study."""

    dataset: str
    fits_random_labels_on: list[str]
    further_models: list[Name]
    label_corruption: Annotated[list[Probability], Field(min_length=2)]


class ResultsParams(Section):
    """What is read out of finished runs; changing it retrains nothing."""

    overfit_loss: Annotated[float, Field(gt=0)]


class StudiesParams(Section):
    """One section for each study."""

    randomisation: RandomisationParams


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
        study = self.studies.randomisation
        for key, names in (
            ("studies.randomisation.dataset", [study.dataset]),
            ("studies.randomisation.fits_random_labels_on", study.fits_random_labels_on),
        ):
            for name in names:
                if name not in self.datasets:
                    raise MisplacedValue(key, f"found '{name}', must be one of {listed(self.datasets)}")
        for name in self.execution.processes:
            if name not in self.datasets:
                raise MisplacedValue("execution.processes", f"found '{name}', must be one of {listed(self.datasets)}")
        for name in study.further_models:
            if name not in self.models:
                raise MisplacedValue(
                    "studies.randomisation.further_models", f"found '{name}', must be one of {listed(self.models)}"
                )
        for probability in study.label_corruption:
            if abs(100 * probability - round(100 * probability)) > 1e-6:
                raise MisplacedValue(
                    "studies.randomisation.label_corruption",
                    f"found {probability}, must be in whole percents",
                )
        if sorted(set(study.label_corruption)) != study.label_corruption:
            raise MisplacedValue(
                "studies.randomisation.label_corruption",
                f"found {study.label_corruption}, must rise from each to the next",
            )
        for index, exception in enumerate(self.exceptions):
            for name in exception.models or []:
                if name not in self.models:
                    raise MisplacedValue(
                        f"exceptions.{index}.models", f"found '{name}', must be one of {listed(self.models)}"
                    )
        if len(set(self.seeds)) != len(self.seeds):
            raise MisplacedValue("seeds", f"found {self.seeds}, must not name a seed twice")
        return self

    def recipe(self, cell: Cell) -> Recipe:
        """Resolve a cell into everything that determines its outcome."""
        model, dataset = self.models[cell.model], self.datasets[cell.dataset]
        settings: dict[str, Any] = {
            **self.training.model_dump(),
            "initial_learning_rate": model.initial_learning_rate,
        }
        for exception in self.exceptions:
            if exception.applies_to(cell):
                settings |= exception.training.model_dump(exclude_none=True)
        parts = cell.regularizer.split("+")
        augmented = cell.regularizer == "flip+rotate"
        return Recipe(
            dataset=cell.dataset,
            corruption=cell.corruption,
            corruption_seed=None if cell.corruption == "true" else self.data.corruption_seed,
            crop_size=dataset.crop_size,
            train_examples=dataset.train_examples,
            model=model.architecture_options(),
            random_crop="crop" in parts,
            weight_decay=model.weight_decay if "wd" in parts else 0.0,
            weight_decay_layers=model.weight_decay_layers,
            dropout=model.dropout if cell.regularizer == "dropout" else 0.0,
            flip=augmented,
            rotation_degrees=self.augmentation.rotation_degrees if augmented else 0.0,
            seed=cell.seed,
            **settings,
        )
