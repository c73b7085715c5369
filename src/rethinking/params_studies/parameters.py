"""Settings: parameters against data."""

from typing import Annotated

from pydantic import Field, model_validator

from rethinking.params_sections import DatasetName, MisplacedValue, ModelName, Section, Seed


class ParametersParams(Section):
    """The study of parameters against data: perceptrons with few and with many hidden units."""

    dataset: DatasetName
    model: ModelName
    """A perceptron with one hidden layer."""
    widths: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2)]
    """Hidden units, rising."""
    seeds: Annotated[list[Seed], Field(min_length=1)]
    """Of networks trained with true labels."""
    random_label_seeds: Annotated[list[Seed], Field(min_length=1)]
    """Of networks trained with random labels."""

    @model_validator(mode="after")
    def _lists_are_in_order(self) -> "ParametersParams":
        for name in ("widths", "seeds", "random_label_seeds"):
            values = getattr(self, name)
            if sorted(set(values)) != values:
                raise MisplacedValue(f"studies.parameters.{name}", f"found {values}, must rise from each to the next")
        return self
