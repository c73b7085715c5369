"""Typed params: the single definition of what can be set, and of what the presets change.

`params.yaml` holds the paper's scale at its top level; a preset is a set of differences, merged key by key. The
merged values are validated as a whole before any job starts, and every complaint names the key as it was written.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rethinking.cells import Cell, Selection
from rethinking.errors import UserError
from rethinking.recipe import Recipe

PARAMS_FILE = Path("params.yaml")

REGULARIZERS = ("none", "crop", "wd", "crop+wd", "dropout", "flip+rotate")

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Probability = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")]


class Section(BaseModel):
    """Unknown keys are errors, and a value is never silently converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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
    weight_decay_layers: Literal["all", "fully-connected"] = "all"
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


class RandomisationParams(Section):
    """The randomisation study."""

    dataset: str
    fits_random_labels_on: list[str]
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
                    raise _Misplaced(key, f"found '{name}', must be one of {_listed(self.datasets)}")
        for probability in study.label_corruption:
            if abs(100 * probability - round(100 * probability)) > 1e-6:
                raise _Misplaced(
                    "studies.randomisation.label_corruption",
                    f"found {probability}, must be in whole percents",
                )
        for index, exception in enumerate(self.exceptions):
            for name in exception.models or []:
                if name not in self.models:
                    raise _Misplaced(
                        f"exceptions.{index}.models", f"found '{name}', must be one of {_listed(self.models)}"
                    )
        if len(set(self.seeds)) != len(self.seeds):
            raise _Misplaced("seeds", f"found {self.seeds}, must not name a seed twice")
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
            corruption_seed=self.data.corruption_seed,
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


class _Misplaced(ValueError):
    """A complaint of our own about the value at `key`."""

    def __init__(self, key: str, complaint: str) -> None:
        super().__init__(complaint)
        self.key = key


class _StrictLoader(yaml.SafeLoader):
    """YAML without silently repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                line = node.value[position][0].start_mark.line + 1
                raise UserError(f"{PARAMS_FILE.name}, line {line}: the key '{key}' stands twice; keep one")
        return super().construct_mapping(node, deep)


def read_params_file(path: Path) -> dict[str, Any]:
    """Return the file's top-level mapping. Raises UserError if there is no such file or it is not valid YAML."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except FileNotFoundError:
        raise UserError(f"{path} is missing; run from the project's root folder") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold a mapping of settings, found {_shown(content)}")
    return content


def load_params(path: Path = PARAMS_FILE, preset: str | None = None) -> Params:
    """Return the validated settings of `preset` (the file's own `preset` where None).

    Raises UserError with one line per wrong value: the key as written in the file, what was found, what is allowed.
    """
    content = read_params_file(path)
    presets = content.pop("presets", None)
    if not isinstance(presets, dict) or not presets:
        raise UserError(f"{path}: presets: must be a mapping with at least one preset")
    chosen = content.get("preset") if preset is None else preset
    if not isinstance(chosen, str) or chosen not in presets:
        raise UserError(f"{path}: preset: found {_shown(chosen)}, must be one of {_listed(presets)}")
    differences = presets[chosen] or {}
    if not isinstance(differences, dict):
        raise UserError(f"{path}: presets.{chosen}: must be a mapping, found {_shown(differences)}")
    if "preset" in differences:
        raise UserError(f"{path}: presets.{chosen}.preset: a preset cannot choose a preset; remove the key")
    if "data" in differences:
        raise UserError(
            f"{path}: presets.{chosen}.data: data sets are shared by all presets; set data at the top level"
        )
    merged = _merge(content, differences) | {"preset": chosen}
    try:
        return Params.model_validate(merged)
    except ValidationError as error:
        complaints = [_complaint(dict(found), differences, chosen) for found in error.errors()]
        raise UserError("\n".join(f"{path.name}: {complaint}" for complaint in complaints)) from None


def parse_selection(config: Mapping[str, Any], params: Params, studies: tuple[str, ...]) -> Selection:
    """Return the narrowing asked for by Snakemake's `--config`, each value a name, a list or "a,b".

    Raises UserError for a key or a name that does not exist.
    """
    allowed: dict[str, tuple[Any, ...] | None] = {
        "studies": studies,
        "datasets": tuple(params.datasets),
        "models": tuple(params.models),
        "corruptions": None,  # checked when the grid is built: the levels are the study's
        "regularizers": REGULARIZERS,
        "seeds": tuple(params.seeds),
    }
    chosen: dict[str, tuple[Any, ...]] = {}
    for key, value in config.items():
        if key == "preset":
            continue
        if key not in allowed:
            raise UserError(f"--config {key}: unknown key, must be one of preset, {', '.join(allowed)}")
        items = value if isinstance(value, list | tuple) else str(value).split(",")
        names = tuple(str(item).strip() for item in items)
        choices = allowed[key]
        for name in names:
            if choices is not None and name not in map(str, choices):
                raise UserError(
                    f"--config {key}: found '{name}', must be one of {', '.join(map(str, choices))} "
                    f"(preset {params.preset})"
                )
        chosen[key] = tuple(int(name) for name in names) if key == "seeds" else names
    return Selection(**chosen)


def _merge(base: Mapping[str, Any], differences: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `differences` merged in, mapping by mapping; lists and values are replaced whole."""
    merged = dict(base)
    for key, value in differences.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _complaint(error: dict[str, Any], differences: Mapping[str, Any], preset: str) -> str:
    """Turn one of pydantic's errors into "key: found X, must be Y", with the key where the person wrote it."""
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, _Misplaced):
        path, expected = tuple(cause.key.split(".")), str(cause)
    else:
        # A discriminated union puts the chosen tag (an architecture's name) into the path of what is below it.
        path = tuple(str(part) for part in error["loc"])
        if path[:1] == ("models",) and len(path) > 3:
            path = path[:2] + path[3:]
        if path and path[-1] == "[key]":
            path = path[:-1]
        expected = _expectation(error)
    written: Any = differences
    for part in path:
        written = written.get(part) if isinstance(written, Mapping) else None
    prefix = f"presets.{preset}." if written is not None and path else ""
    return f"{prefix}{'.'.join(path)}: {expected}"


def _expectation(error: dict[str, Any]) -> str:
    found = _shown(error["input"])
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "unknown key; remove it or check its spelling"
        case "int_type" | "int_from_float":
            return f"found {found}, must be a whole number"
        case "float_type":
            hint = " (in YAML, 5e-4 is text: write 0.0005)" if isinstance(error["input"], str) else ""
            return f"found {found}, must be a number{hint}"
        case "greater_than_equal":
            return f"found {found}, must be at least {context['ge']:g}"
        case "greater_than":
            return f"found {found}, must be greater than {context['gt']:g}"
        case "less_than_equal":
            return f"found {found}, must be at most {context['le']:g}"
        case "less_than":
            return f"found {found}, must be less than {context['lt']:g}"
        case "literal_error":
            return f"found {found}, must be one of {context['expected']}"
        case "union_tag_invalid":
            return f"architecture: found {context['tag']!r}, must be one of {context['expected_tags']}"
        case "too_short":
            return f"found {found}, must hold at least {context['min_length']}"
    message = str(error["msg"])
    return f"found {found}: {message[:1].lower()}{message[1:]}"


def _shown(value: Any) -> str:
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names)
