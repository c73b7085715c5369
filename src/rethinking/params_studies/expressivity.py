"""Settings: finite-sample expressivity."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rethinking.params_sections import DatasetName, MisplacedValue, Section, Seed


class ExpressivityParams(Section):
    """Networks that are made to take given labels, and not trained."""

    datasets: Annotated[list[DatasetName], Field(min_length=1)]
    corruptions: Annotated[list[Literal["true", "random-labels"]], Field(min_length=1)]
    """Whose labels are represented."""
    depths: Annotated[list[Annotated[int, Field(ge=3)]], Field(min_length=1)]
    """Of the networks of corollary 1, rising."""
    sizes: list[Annotated[int, Field(ge=2)]]
    """Numbers of examples at which time and error are measured, rising; all of a data set's come on top."""
    dense_up_to: Annotated[int, Field(ge=2)]
    """The most examples for which the triangular system is also solved as a matrix."""
    repetitions: Annotated[int, Field(ge=1)]
    """Of which the median time counts."""
    checked: Annotated[int, Field(ge=1)]
    """How many examples' outputs are also computed unit by unit, at most."""
    seed: Seed
    """Of directions."""

    @model_validator(mode="after")
    def _lists_are_sound(self) -> "ExpressivityParams":
        for key in ("depths", "sizes"):
            values = getattr(self, key)
            if sorted(set(values)) != values:
                raise MisplacedValue(f"studies.expressivity.{key}", f"found {values}, must rise from each to the next")
        for key in ("datasets", "corruptions"):
            names = getattr(self, key)
            if len(set(names)) != len(names):
                raise MisplacedValue(f"studies.expressivity.{key}", f"found {names}, must not name one twice")
        return self
