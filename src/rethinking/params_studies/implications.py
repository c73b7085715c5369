"""Settings: the summary over all studies."""

from typing import Annotated

from pydantic import Field

from rethinking.params_sections import ModelName, Section


class ImplicationsParams(Section):
    """The summary over all studies: small networks trained from the start stand beside compressed large ones."""

    model: ModelName
    """Which network is trained at these widths, with true and with random labels."""
    widths: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
    """Units of its hidden layers, rising."""
    accuracy_lost: Annotated[float, Field(ge=0, lt=1)]
    """Of train accuracy: what a compressed network may lose and still count as having kept it."""
