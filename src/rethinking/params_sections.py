"""What all sections of the params have in common."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["data set", "model", "regularizer"]


@dataclass(frozen=True)
class Names:
    """Marks a setting that names something, which has to be there."""

    kind: Kind


Seed = Annotated[int, Field(ge=0, lt=2**31)]
Probability = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")]
DatasetName = Annotated[Name, Names("data set")]
ModelName = Annotated[Name, Names("model")]
RegularizerName = Annotated[Name, Names("regularizer")]


class MisplacedValue(ValueError):
    """A complaint about the value at `key`, which is written with dots."""

    def __init__(self, key: str, complaint: str) -> None:
        super().__init__(complaint)
        self.key = key


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them."""
    return ", ".join(names)


class Section(BaseModel):
    """Unknown keys are errors, and a value is never silently converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def names_in(section: Section, prefix: str = "") -> Iterator[tuple[Kind, str, str]]:
    """Yield each name in a section and in those below it: what it names, its key, written with dots, and itself."""
    for field, hint in get_type_hints(type(section), include_extras=True).items():
        if field in type(section).model_fields:
            value, key = getattr(section, field), f"{prefix}{field}"
            below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
            for number, item in below:
                if isinstance(item, Section):
                    yield from names_in(item, f"{key}.{number}.")
            if isinstance(value, Section):
                yield from names_in(value, f"{key}.")
            elif (kind := _named(hint)) is not None:
                yield from ((kind, key, name) for name in ([value] if isinstance(value, str) else value or ()))


def _named(hint: Any) -> Kind | None:
    """Return what a type's names name: of itself, of a list's items, of a mapping's keys."""
    for part in get_args(hint):
        found = part.kind if isinstance(part, Names) else _named(part)
        if found is not None:
            return found
    return None
