"""The settings of each study, one section a study."""

from typing import Annotated

from pydantic import Field

from rethinking.params_sections import Name, Probability, Section


class RandomisationParams(Section):
    """The randomisation study."""

    dataset: str
    fits_random_labels_on: list[str]
    further_models: list[Name]
    label_corruption: Annotated[list[Probability], Field(min_length=2)]


class BiasVarianceParams(Section):
    """The study of bias and variance."""


class DoubleDescentParams(Section):
    """The study of double descent."""


class SparsityParams(Section):
    """The study of pruning."""


class QuantisationParams(Section):
    """The study of quantisation."""


class ImplicationsParams(Section):
    """The summary over all studies."""


class StudiesParams(Section):
    """One section for each study."""

    randomisation: RandomisationParams
    bias_variance: BiasVarianceParams
    double_descent: DoubleDescentParams
    sparsity: SparsityParams
    quantisation: QuantisationParams
    implications: ImplicationsParams
