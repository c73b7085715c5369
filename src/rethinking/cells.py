"""Cells: what is trained, and where its run lies. The mapping is a contract: changing it orphans every run."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from rethinking.errors import UserError
from rethinking.names import base_model, whole_dataset

RUN_FILES = ("metrics.json", "history.csv")
WEIGHTS_FILE = "weights.safetensors"


@dataclass(frozen=True, order=True)
class Cell:
    """One training run's identity within a preset."""

    dataset: str
    model: str
    corruption: str
    regularizer: str
    seed: int

    def __str__(self) -> str:
        return f"{self.dataset}/{self.model}/{self.corruption}/{self.regularizer}/seed-{self.seed}"

    @property
    def variant(self) -> tuple[str, str]:
        """Return the data that it is trained on, or on a subset of: data set and corruption."""
        return whole_dataset(self.dataset), self.corruption

    @classmethod
    def parse(cls, text: str) -> "Cell":
        """Return the cell that `str(cell)` names. Raises UserError if `text` is not of that form."""
        parts = text.strip("/").split("/")
        if len(parts) == 5 and all(parts) and re.fullmatch("seed-(0|[1-9][0-9]*)", parts[4]):
            dataset, model, corruption, regularizer, seed = parts
            return cls(dataset, model, corruption, regularizer, int(seed.removeprefix("seed-")))
        raise UserError(
            f"'{text}' does not name a cell; the form is dataset/model/corruption/regularizer/seed-<k>, "
            "for example digits/mlp-1x512/random-labels/none/seed-0"
        )

    def run_folder(self, preset: str) -> PurePosixPath:
        """Return the folder of this cell's run, relative to the project's root."""
        return PurePosixPath("runs", preset, str(self))

    def weights_path(self, preset: str) -> PurePosixPath:
        """Return the file of this cell's trained weights, relative to the project's root.

        Weights lie apart from the runs, so that the small files can be had without them.
        """
        return PurePosixPath("weights", preset, str(self), WEIGHTS_FILE)


_CELL_PATTERN = "{preset}/{dataset}/{model}/{corruption}/{regularizer}/seed-{seed}"
RUN_PATTERN = f"runs/{_CELL_PATTERN}"
WEIGHTS_PATTERN = f"weights/{_CELL_PATTERN}/{WEIGHTS_FILE}"
"""`Cell.run_folder` and `Cell.weights_path` as Snakemake patterns; a test holds them together."""


class Selection(NamedTuple):
    """A narrowed run: None selects everything along that axis."""

    studies: tuple[str, ...] | None = None
    datasets: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    corruptions: tuple[str, ...] | None = None
    regularizers: tuple[str, ...] | None = None
    seeds: tuple[int, ...] | None = None

    def keeps(self, cell: Cell) -> bool:
        """Whether `cell` is part of the narrowed run (the studies are chosen before there are cells).

        A data set stands for its subsets as well, a model for its other widths.
        """
        axes: tuple[tuple[tuple[object, ...] | None, set[object]], ...] = (
            (self.datasets, {cell.dataset, whole_dataset(cell.dataset)}),
            (self.models, {cell.model, base_model(cell.model)}),
            (self.corruptions, {cell.corruption}),
            (self.regularizers, {cell.regularizer}),
            (self.seeds, {cell.seed}),
        )
        return all(chosen is None or not values.isdisjoint(chosen) for chosen, values in axes)


def union(*grids: Iterable[Cell]) -> list[Cell]:
    """Return the cells of all grids without duplicates, in order of first appearance."""
    return list(dict.fromkeys(cell for grid in grids for cell in grid))
