"""Settings: classical generalisation bounds."""

from typing import Annotated

from pydantic import Field, model_validator

from rethinking.params_sections import MisplacedValue, ModelName, Section, Seed


class TwinsParams(Section):
    """Networks trained on the same examples but one."""

    model: ModelName
    count: Annotated[int, Field(ge=2)]
    seed: Seed
    """Of the examples that are replaced."""


class BoundsParams(Section):
    """Bounds for networks of the randomisation study."""

    models: Annotated[list[ModelName], Field(min_length=1)]
    """Of those that it trains with true and with random labels."""
    confidence: Annotated[float, Field(gt=0, lt=1)]
    margin_quantile: Annotated[float, Field(gt=0, lt=1)]
    twins: TwinsParams

    @model_validator(mode="after")
    def _models_are_sound(self) -> "BoundsParams":
        if len(set(self.models)) != len(self.models):
            raise MisplacedValue("studies.bounds.models", f"found {self.models}, must not name one twice")
        return self
