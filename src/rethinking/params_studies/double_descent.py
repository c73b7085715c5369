"""Settings: double descent."""

from typing import Annotated

from pydantic import Field, model_validator

from rethinking.params_sections import DatasetName, MisplacedValue, ModelName, RegularizerName, Section, Seed


class RandomFeaturesParams(Section):
    """Least squares on random Fourier features."""

    dataset: DatasetName
    examples: Annotated[int, Field(ge=2)]
    features: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=3)]
    """Rising, the number of examples among them."""
    example_sweep: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=3)]
    """Rising: numbers of examples to which as many features are fitted as there are examples in the other sweep."""
    bandwidth: Annotated[float, Field(gt=0)]
    """Of the Gaussian kernel, in lengths of a whitened image."""
    label_noise: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=1)]
    penalties: list[Annotated[float, Field(gt=0)]]
    seeds: Annotated[list[Seed], Field(min_length=1)]


class NoisySweepParams(Section):
    """Networks trained on noisy labels.

    Several of them stand at each point of a curve, on the parts of the data set in turn, and, where there are fewer
    parts than networks, with several seeds on each.
    """

    model: ModelName
    regularizer: RegularizerName


class WidthSweepParams(NoisySweepParams):
    """A model at rising widths, and with weight decay at the highest label noise."""

    parts: Annotated[int, Field(ge=1)]
    widths: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=3)]
    label_noise: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=1)]
    networks: list[Annotated[int, Field(ge=1)]]
    """At each point, one number for each label noise."""
    weight_decay: list[Annotated[float, Field(gt=0)]]
    """Coefficients; none where there is no such comparison."""
    weight_decay_widths: list[Annotated[int, Field(ge=1)]]
    """Of `widths`; at least three where there are coefficients."""
    weight_decay_networks: Annotated[int, Field(ge=1)]


class EpochWiseParams(NoisySweepParams):
    """The test error along the training of one network."""

    parts: Annotated[int, Field(ge=1)]
    networks: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(ge=1)]
    label_noise: Annotated[float, Field(ge=0, lt=1)]
    window: Annotated[int, Field(ge=1)]
    """Epochs over which the curve is averaged."""


class SampleWiseParams(NoisySweepParams):
    """A model at fixed widths on ever larger parts of the data set."""

    parts: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2)]
    """Into how many parts the data set is divided, falling: each time, one part is trained on."""
    networks: Annotated[int, Field(ge=1)]
    widths: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
    label_noise: Annotated[float, Field(ge=0, lt=1)]


class DoubleDescentParams(Section):
    """The study of double descent."""

    random_features: RandomFeaturesParams
    dataset: DatasetName
    """Of all networks below."""
    last_epochs: Annotated[int, Field(ge=1)]
    """Over which errors at the end of training are averaged: at a constant rate they jump from epoch to epoch."""
    width_sweeps: Annotated[list[WidthSweepParams], Field(min_length=1)]
    epoch_wise: EpochWiseParams
    sample_wise: SampleWiseParams

    @model_validator(mode="after")
    def _sweeps_are_sound(self) -> "DoubleDescentParams":
        features, samples = self.random_features, self.sample_wise
        rising: list[tuple[str, list[int] | list[float]]] = [
            ("random_features.features", features.features),
            ("random_features.example_sweep", features.example_sweep),
            ("random_features.label_noise", features.label_noise),
            ("random_features.penalties", features.penalties),
            ("sample_wise.widths", samples.widths),
        ]
        for number, sweep in enumerate(self.width_sweeps):
            rising += [
                (f"width_sweeps.{number}.{key}", getattr(sweep, key))
                for key in ("widths", "label_noise", "weight_decay", "weight_decay_widths")
            ]
        for key, values in rising:
            if sorted(set(values)) != values:
                raise MisplacedValue(
                    f"studies.double_descent.{key}", f"found {values}, must rise from each to the next"
                )
        if sorted(set(samples.parts), reverse=True) != samples.parts:
            raise MisplacedValue(
                "studies.double_descent.sample_wise.parts",
                f"found {samples.parts}, must fall from each to the next",
            )
        for swept in ("features", "example_sweep"):
            if features.examples not in getattr(features, swept):
                raise MisplacedValue(
                    f"studies.double_descent.random_features.{swept}",
                    f"found {getattr(features, swept)}, must hold the number of examples, {features.examples}",
                )
        for number, sweep in enumerate(self.width_sweeps):
            key = f"studies.double_descent.width_sweeps.{number}"
            if [other.model for other in self.width_sweeps].count(sweep.model) > 1:
                raise MisplacedValue(f"{key}.model", f"found '{sweep.model}' in two sweeps; keep one")
            if len(sweep.networks) != len(sweep.label_noise):
                raise MisplacedValue(
                    f"{key}.networks", f"found {sweep.networks}, must be one number for each of {sweep.label_noise}"
                )
            chosen = sweep.weight_decay_widths
            if not set(chosen) <= set(sweep.widths) or len(chosen) < (3 if sweep.weight_decay else 0):
                raise MisplacedValue(
                    f"{key}.weight_decay_widths", f"found {chosen}, must be at least three of {sweep.widths}"
                )
            if sweep.weight_decay and sweep.regularizer != "none":
                raise MisplacedValue(
                    f"{key}.weight_decay", f"found {sweep.weight_decay}, must be [] beside another regularizer"
                )
        for key, probabilities in self._label_noise():
            for probability in probabilities:
                if abs(100 * probability - round(100 * probability)) > 1e-6:
                    raise MisplacedValue(key, f"found {probability}, must be in whole percents")
        return self

    def _label_noise(self) -> list[tuple[str, list[float]]]:
        key = "studies.double_descent"
        return [
            (f"{key}.random_features.label_noise", self.random_features.label_noise),
            *((f"{key}.width_sweeps.{n}.label_noise", sweep.label_noise) for n, sweep in enumerate(self.width_sweeps)),
            (f"{key}.epoch_wise.label_noise", [self.epoch_wise.label_noise]),
            (f"{key}.sample_wise.label_noise", [self.sample_wise.label_noise]),
        ]
