"""What a study consists of."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from rethinking.cells import Cell
from rethinking.experiments.experiment import Experiment

if TYPE_CHECKING:
    import pandas as pd

    from rethinking.params import Params
    from rethinking.results.claims import Claim
    from rethinking.results.drawing import Drawing
    from rethinking.results.frame import Results
    from rethinking.results.table import Table

CLAIMS = "claims"
"""The table that every study has beside its own: its claims, with their verdicts."""


@dataclass(frozen=True)
class Study:
    """The names of what a study makes; the code behind them is imported when it is used.

    In the modules of the package `rethinking.studies.<name>`:
    - design.cells(params) -> list[Cell], design.experiments(params) -> list[Experiment]
    - design.histories(params) -> dict[Cell, int | None], where it reads histories: see `histories` below
    - <kind>.run(laboratory) -> list[Row], a module for each kind of experiment: these, and no others, load torch
    - tables.TABLES[name](results) -> Table, and tables.numbers(results) -> the headline numbers, nested
    - figures.<name>.DRAWING, a module a figure: its points, computed from results, and how they are drawn
    - claims.CLAIMS: the claims of its section
    - plots.PLOTS[name](results) -> DataFrame, one line an x: what `dvc plots` shows and compares
    """

    name: str
    tables: tuple[str, ...]
    figures: tuple[str, ...]
    shows: tuple[str, ...] = ()
    """Other studies whose experiments its tables and figures show as well; runs are all studies' alike."""
    plots: tuple[str, ...] = ()
    """Unlike the others' their names do not begin with the study's: no two studies may share one."""

    def module(self, part: str) -> Any:
        """Import one of the study's modules."""
        return importlib.import_module(self.module_name(part))

    def module_name(self, part: str) -> str:
        """Return the full name of one of the study's modules."""
        return f"rethinking.studies.{self.name}.{part}"

    def part(self, kind: str, name: str) -> str:
        """Return the module, below the study's package, that makes the "table" or "figure" of this name."""
        if kind == "figure":
            return f"figures.{name.replace('-', '_')}"
        return CLAIMS if name == CLAIMS else "tables"

    def code_roots(self, part: str) -> tuple[str, ...]:
        """Return the modules whose imports are all the code that makes what `part` holds."""
        return (self.module_name(part), "rethinking.results.outputs")

    def cells(self, params: "Params") -> list[Cell]:
        """Return every cell this study needs at the scale of `params`."""
        return cast(list[Cell], self.module("design").cells(params))

    def experiments(self, params: "Params") -> list[Experiment]:
        """Return every experiment of this study at the scale of `params`, each after those that it goes on from."""
        return cast(list[Experiment], self.module("design").experiments(params))

    def histories(self, params: "Params") -> Mapping[Cell, int | None]:
        """Return the cells whose histories this study reads, each with how many of its last epochs; None for all.

        Results hold these alone: most runs are read by their last numbers.
        """
        design = self.module("design")
        return cast(Mapping[Cell, int | None], design.histories(params) if hasattr(design, "histories") else {})

    def table(self, name: str) -> "Callable[[Results], Table]":
        """Return the function that makes the table `name`."""
        return cast("Callable[[Results], Table]", self.module("tables").TABLES[name])

    def figure(self, name: str) -> "Drawing":
        """Return how the figure `name` is made."""
        return cast("Drawing", self.module(self.part("figure", name)).DRAWING)

    def plot(self, name: str) -> "Callable[[Results], pd.DataFrame]":
        """Return the function that makes the data of the plot `name`."""
        return cast("Callable[[Results], pd.DataFrame]", self.module("plots").PLOTS[name])

    def numbers(self, results: "Results") -> dict[str, Any]:
        """Return the headline numbers that prose and metrics read, as a nested mapping."""
        return cast(dict[str, Any], self.module("tables").numbers(results))

    def claims(self) -> "list[Claim]":
        """Return the claims that the study's section makes."""
        return cast("list[Claim]", self.module("claims").CLAIMS)
