"""What the parts of a cell's name mean: subsets of data sets, models of other widths, regularizers in combination.

Studies sweep over these; a name says all there is to know, so that no sweep needs a list of its own anywhere else.

    digits-first300, digits-part2of5    the first 300 training examples; the second of five disjoint parts
    cnn-k8                              the model `cnn` of params.yaml, at width 8
    crop+flip, wd0.001                  random crops and mirror images; weight decay with this coefficient
"""

import re
from typing import Literal, NamedTuple

from rethinking.errors import UserError

_SUBSET = re.compile(r"(.+)-(first[1-9]\d*|part[1-9]\d*of[1-9]\d*)")
_FIRST = re.compile(r"first(\d+)")
_PART = re.compile(r"part(\d+)of(\d+)")
_WIDTH = re.compile(r"(.+)-k([1-9]\d*)")
_DECAY = re.compile(r"wd(\d[\d.]*(?:e-\d+)?)?")

PARTS = ("crop", "flip", "rotate", "wd", "dropout")
"""What regularizers are combined of, in the order in which names hold them."""


def whole_dataset(name: str) -> str:
    """Return the data set that `name` is a subset of, which may be itself."""
    found = _SUBSET.fullmatch(name)
    return found[1] if found else name


def subset(name: str) -> str | None:
    """Return which subset of a data set `name` is, such as "part2of5"; None for all of it."""
    found = _SUBSET.fullmatch(name)
    return found[2] if found else None


def subset_slice(name: str | None, examples: int) -> slice:
    """Return the places that a subset has among so many training examples.

    Originals are in random order (`rethinking.data.sources`), so that any range of them is a random sample. Raises
    UserError if there are fewer examples, or fewer parts.
    """
    if name is None:
        return slice(0, examples)
    if found := _FIRST.fullmatch(name):
        if int(found[1]) > examples:
            raise UserError(f"{name}: there are only {examples} training examples")
        return slice(0, int(found[1]))
    found = _PART.fullmatch(name)
    assert found is not None, name
    number, parts = int(found[1]), int(found[2])
    if not number <= parts <= examples:
        raise UserError(f"{name}: {examples} training examples have the parts 1 to {parts} of {parts} at most")
    return slice((number - 1) * examples // parts, number * examples // parts)


def base_model(name: str) -> str:
    """Return the model of params.yaml of which `name` is another width, which may be itself."""
    found = _WIDTH.fullmatch(name)
    return found[1] if found else name


def model_width(name: str) -> int | None:
    """Return the width that `name` asks for; None for that of params.yaml."""
    found = _WIDTH.fullmatch(name)
    return int(found[2]) if found else None


class Regularizer(NamedTuple):
    """What a regularizer's name asks for."""

    crop: bool = False
    flip: bool = False
    rotate: bool = False
    weight_decay: float | Literal["model's"] | None = None
    """A coefficient, the one that params.yaml gives the model, or none."""
    dropout: bool = False

    @classmethod
    def parse(cls, name: str) -> "Regularizer":
        """Return what `name` stands for. Raises UserError if it is no regularizer, naming what would be."""
        if name == "none":
            return cls()
        kinds = ["wd" if _DECAY.fullmatch(part) else part for part in name.split("+")]
        if kinds != [part for part in PARTS if part in kinds]:
            raise UserError(
                f"'{name}' is no regularizer; these are none, or one or more of {', '.join(PARTS)}, in this order and "
                "joined by +, as crop+wd; wd may name its coefficient, as wd0.001"
            )
        decay: float | Literal["model's"] | None = None
        for part in name.split("+"):
            if found := _DECAY.fullmatch(part):
                decay = "model's" if found[1] is None else _coefficient(name, found[1])
        return cls("crop" in kinds, "flip" in kinds, "rotate" in kinds, decay, "dropout" in kinds)


def weight_decay_name(coefficient: float) -> str:
    """Return the regularizer that is weight decay with this coefficient alone: `none` for 0."""
    return f"wd{coefficient:g}" if coefficient else "none"


def _coefficient(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(f"'{name}' is no regularizer: {text} is no number") from None
