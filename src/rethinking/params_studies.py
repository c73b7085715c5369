"""The settings of each study, one section a study."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rethinking.params_sections import (
    DatasetName,
    MisplacedValue,
    ModelName,
    Probability,
    RegularizerName,
    Section,
    Seed,
    listed,
)


class RandomisationParams(Section):
    """The randomisation study."""

    dataset: DatasetName
    fits_random_labels_on: list[DatasetName]
    further_models: list[ModelName]
    label_corruption: Annotated[list[Probability], Field(min_length=2)]


class RegressionParams(Section):
    """Polynomials fitted to a noisy sinusoid by least squares."""

    degrees: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    examples: Annotated[int, Field(ge=2)]
    """In each training set."""
    noise: Annotated[float, Field(gt=0)]
    """Standard deviation of the noise on a target between -1 and 1."""
    repetitions: Annotated[int, Field(ge=2)]
    """Training sets."""
    seed: Seed

    @model_validator(mode="after")
    def _every_degree_can_be_fitted(self) -> "RegressionParams":
        key = "studies.bias_variance.regression.degrees"
        if sorted(set(self.degrees)) != self.degrees:
            raise MisplacedValue(key, f"found {self.degrees}, must rise from each to the next")
        if self.degrees[-1] >= self.examples:
            raise MisplacedValue(
                key, f"found {self.degrees[-1]}, must be below the number of examples, {self.examples}"
            )
        return self


class BiasVarianceParams(Section):
    """The study of bias and variance."""

    regression: RegressionParams
    dataset: DatasetName
    network: ModelName
    """The model of which networks of the `widths` below are trained."""
    regularizer: RegularizerName
    widths: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
    parts: Annotated[int, Field(ge=2)]
    """Disjoint parts of the training set, each with networks of its own."""
    networks_per_part: Annotated[int, Field(ge=1)]
    """That differ by their seeds alone; one tells nothing of the two parts of the variance."""
    label_noise: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=1)]
    """Probabilities that a training label is replaced by a wrong one."""

    @model_validator(mode="after")
    def _lists_rise(self) -> "BiasVarianceParams":
        for name in ("widths", "label_noise"):
            values = getattr(self, name)
            if sorted(set(values)) != values:
                raise MisplacedValue(
                    f"studies.bias_variance.{name}", f"found {values}, must rise from each to the next"
                )
        for probability in self.label_noise:
            if abs(100 * probability - round(100 * probability)) > 1e-6:
                raise MisplacedValue(
                    "studies.bias_variance.label_noise", f"found {probability}, must be in whole percents"
                )
        return self


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


FractionLeft = Annotated[float, Field(gt=0, lt=1)]
"""Of the weights of all convolutional and linear layers, what pruning leaves."""


class RetrainedPruning(Section):
    """Networks pruned at once, to several fractions, and trained on."""

    models: Annotated[list[ModelName], Field(min_length=1)]
    fractions_left: Annotated[list[FractionLeft], Field(min_length=1)]
    epochs: Annotated[int, Field(ge=1)] | None
    """None: as many as the network was trained for."""
    layer_wise: bool
    """Whether also the same fraction of every layer, beside global pruning."""


class IterativePruning(Section):
    """Networks pruned and trained on in turns."""

    models: Annotated[list[ModelName], Field(min_length=1)]
    pruned_per_round: Annotated[float, Field(gt=0, lt=1)]
    """Fraction of the weights that are left."""
    rounds: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)] | None
    """In each round; None: as many as the network was trained for."""
    layer_wise: bool


class LotteryTickets(Section):
    """Networks pruned in rounds and trained anew in each: from their own first weights, and from others."""

    models: Annotated[list[ModelName], Field(min_length=1)]
    corruptions: Annotated[list[Literal["true", "random-labels"]], Field(min_length=1)]
    pruned_per_round: Annotated[float, Field(gt=0, lt=1)]
    rounds: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)] | None
    """None: those of the recipe."""
    seeds: Annotated[list[Seed], Field(min_length=1)]
    """One trial each."""
    draws: Annotated[int, Field(ge=1)]
    """New first weights, and random masks, that each ticket is compared with."""


class SparsityParams(Section):
    """The study of pruning."""

    models: Annotated[list[ModelName], Field(min_length=1)]
    """Pruned at once without being trained on."""
    fractions_left: Annotated[list[FractionLeft], Field(min_length=1)]
    accuracy_lost: Annotated[float, Field(gt=0, lt=1)]
    """Train accuracy, a fraction, that a network may lose and still counts as kept."""
    retraining: list[RetrainedPruning]
    iterative: list[IterativePruning]
    tickets: list[LotteryTickets]

    @model_validator(mode="after")
    def _lists_are_in_order(self) -> "SparsityParams":
        fractions = [("fractions_left", self.fractions_left)]
        fractions += [
            (f"retraining.{index}.fractions_left", part.fractions_left) for index, part in enumerate(self.retraining)
        ]
        for key, values in fractions:
            if sorted(set(values), reverse=True) != values:
                raise MisplacedValue(f"studies.sparsity.{key}", f"found {values}, must fall from each to the next")
        for part, named in (
            ("retraining", [model for entry in self.retraining for model in entry.models]),
            ("iterative", [model for entry in self.iterative for model in entry.models]),
        ):
            if twice := sorted({model for model in named if named.count(model) > 1}):
                raise MisplacedValue(f"studies.sparsity.{part}", f"found {listed(twice)} twice, must name a model once")
        tickets = [
            (model, corruption) for entry in self.tickets for model in entry.models for corruption in entry.corruptions
        ]
        if twice := sorted({f"{model} with {name}" for model, name in tickets if tickets.count((model, name)) > 1}):
            raise MisplacedValue("studies.sparsity.tickets", f"found {listed(twice)} twice, must name it once")
        for index, entry in enumerate(self.tickets):
            if len(set(entry.seeds)) != len(entry.seeds):
                key = f"studies.sparsity.tickets.{index}.seeds"
                raise MisplacedValue(key, f"found {entry.seeds}, must not name a seed twice")
        return self


Bits = Annotated[int, Field(ge=2, le=8)]
"""Of a weight."""


class AwareTraining(Section):
    """Networks trained on while their weights are rounded."""

    models: Annotated[list[ModelName], Field(min_length=1)]
    bits: Annotated[list[Bits], Field(min_length=1)]
    epochs: Annotated[int, Field(ge=1)] | None
    """None: as many as the network was trained for."""
    rate: Annotated[float, Field(gt=0)]
    """Learning rate of the first epoch, as a fraction of that with which the network's training ended."""


class Int8Params(Section):
    """Networks whose activations are int8, too."""

    models: list[ModelName]
    calibration_examples: Annotated[int, Field(ge=2)]
    """Training images on which the activations' ranges are noted."""
    batch: Annotated[int, Field(ge=2)]
    """Test images that are evaluated together, where latency is measured for many at once."""
    repetitions: Annotated[int, Field(ge=1)]
    """Evaluations of which the median time counts."""


class CombinedParams(Section):
    """Networks that were pruned in rounds, and are quantised after that."""

    models: list[ModelName]
    """Of those that the study of sparsity prunes in rounds."""
    bits: Annotated[list[Bits], Field(min_length=1)]


class QuantisationParams(Section):
    """The study of quantisation."""

    models: Annotated[list[ModelName], Field(min_length=1)]
    bits: Annotated[list[Bits], Field(min_length=2)]
    aware: list[AwareTraining]
    int8: Int8Params
    combined: CombinedParams

    @model_validator(mode="after")
    def _lists_are_in_order(self) -> "QuantisationParams":
        key = "studies.quantisation"
        aware = [(f"aware.{index}.bits", part.bits) for index, part in enumerate(self.aware)]
        for name, values in [("bits", self.bits), ("combined.bits", self.combined.bits), *aware]:
            if sorted(set(values), reverse=True) != values:
                raise MisplacedValue(f"{key}.{name}", f"found {values}, must fall from each to the next")
        for name, values in aware:
            if not set(values) <= set(self.bits):
                raise MisplacedValue(f"{key}.{name}", f"found {values}, must be of {self.bits}")
        trained = [model for part in self.aware for model in part.models]
        for name, models in [
            ("models", self.models),
            ("aware", trained),
            ("int8.models", self.int8.models),
            ("combined.models", self.combined.models),
        ]:
            if twice := sorted({model for model in models if models.count(model) > 1}):
                raise MisplacedValue(f"{key}.{name}", f"found {listed(twice)} twice, must name a model once")
            if unknown := [model for model in models if model not in self.models]:
                raise MisplacedValue(f"{key}.{name}", f"found {listed(unknown)}, must be of {listed(self.models)}")
        return self


class ImplicationsParams(Section):
    """The summary over all studies: small networks trained from the start stand beside compressed large ones."""

    model: ModelName
    """Which network is trained at these widths, with true and with random labels."""
    widths: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
    """Units of its hidden layers, rising."""
    accuracy_lost: Annotated[float, Field(ge=0, lt=1)]
    """Of train accuracy: what a compressed network may lose and still count as having kept it."""


class StudiesParams(Section):
    """One section for each study."""

    randomisation: RandomisationParams
    bias_variance: BiasVarianceParams
    double_descent: DoubleDescentParams
    sparsity: SparsityParams
    quantisation: QuantisationParams
    implications: ImplicationsParams
