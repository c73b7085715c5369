"""Settings: quantisation."""

from typing import Annotated

from pydantic import Field, model_validator

from rethinking.params_sections import MisplacedValue, ModelName, Section, listed

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
