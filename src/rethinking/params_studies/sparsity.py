"""Settings: pruning."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rethinking.params_sections import MisplacedValue, ModelName, Section, Seed, listed

FractionLeft = Annotated[float, Field(gt=0, lt=1)]
"""Of the weights of all convolutional and linear layers, what pruning leaves."""


class RetrainedPruning(Section):
    """Networks pruned at once, to several fractions, and trained on."""

    models: Annotated[list[ModelName], Field(min_length=1)]
    fractions_left: Annotated[list[FractionLeft], Field(min_length=1)]
    epochs: Annotated[int, Field(ge=1)] | None
    """None: as many as the network was trained for."""
    layer_wise: bool
    """Whether also the same fraction of every layer, beside global pruning."""


class IterativePruning(Section):
    """Networks pruned and trained on in turns."""

    models: Annotated[list[ModelName], Field(min_length=1)]
    pruned_per_round: Annotated[float, Field(gt=0, lt=1)]
    """Fraction of the weights that are left."""
    rounds: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)] | None
    """In each round; None: as many as the network was trained for."""
    layer_wise: bool


class LotteryTickets(Section):
    """Networks pruned in rounds and trained anew in each: from their own first weights, and from others."""

    models: Annotated[list[ModelName], Field(min_length=1)]
    corruptions: Annotated[list[Literal["true", "random-labels"]], Field(min_length=1)]
    pruned_per_round: Annotated[float, Field(gt=0, lt=1)]
    rounds: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)] | None
    """None: those of the recipe."""
    seeds: Annotated[list[Seed], Field(min_length=1)]
    """One trial each."""
    draws: Annotated[int, Field(ge=1)]
    """New first weights, and random masks, that each ticket is compared with."""


class SparsityParams(Section):
    """The study of pruning."""

    models: Annotated[list[ModelName], Field(min_length=1)]
    """Pruned at once without being trained on."""
    fractions_left: Annotated[list[FractionLeft], Field(min_length=1)]
    accuracy_lost: Annotated[float, Field(gt=0, lt=1)]
    """Train accuracy, a fraction, that a network may lose and still counts as kept."""
    retraining: list[RetrainedPruning]
    iterative: list[IterativePruning]
    tickets: list[LotteryTickets]

    @model_validator(mode="after")
    def _lists_are_in_order(self) -> "SparsityParams":
        fractions = [("fractions_left", self.fractions_left)]
        fractions += [
            (f"retraining.{index}.fractions_left", part.fractions_left) for index, part in enumerate(self.retraining)
        ]
        for key, values in fractions:
            if sorted(set(values), reverse=True) != values:
                raise MisplacedValue(f"studies.sparsity.{key}", f"found {values}, must fall from each to the next")
        for part, named in (
            ("retraining", [model for entry in self.retraining for model in entry.models]),
            ("iterative", [model for entry in self.iterative for model in entry.models]),
        ):
            if twice := sorted({model for model in named if named.count(model) > 1}):
                raise MisplacedValue(f"studies.sparsity.{part}", f"found {listed(twice)} twice, must name a model once")
        tickets = [
            (model, corruption) for entry in self.tickets for model in entry.models for corruption in entry.corruptions
        ]
        if twice := sorted({f"{model} with {name}" for model, name in tickets if tickets.count((model, name)) > 1}):
            raise MisplacedValue("studies.sparsity.tickets", f"found {listed(twice)} twice, must name it once")
        for index, entry in enumerate(self.tickets):
            if len(set(entry.seeds)) != len(entry.seeds):
                key = f"studies.sparsity.tickets.{index}.seeds"
                raise MisplacedValue(key, f"found {entry.seeds}, must not name a seed twice")
        return self
