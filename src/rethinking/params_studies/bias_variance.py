"""Settings: bias and variance."""

from typing import Annotated

from pydantic import Field, model_validator

from rethinking.params_sections import DatasetName, MisplacedValue, ModelName, RegularizerName, Section, Seed


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
