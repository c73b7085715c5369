"""Settings: randomisation tests."""

from typing import Annotated

from pydantic import Field

from rethinking.params_sections import DatasetName, ModelName, Probability, Section


class RandomisationParams(Section):
    """The randomisation study."""

    dataset: DatasetName
    fits_random_labels_on: list[DatasetName]
    further_models: list[ModelName]
    label_corruption: Annotated[list[Probability], Field(min_length=2)]
