"""What a study consists of."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from rethinking.cells import Cell
from rethinking.params import Params

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rethinking.results.claims import Claim
    from rethinking.results.frame import Results
    from rethinking.results.table import Table


@dataclass(frozen=True)
class Study:
    """The names of what a study makes; the code behind them is imported when it is used.

    In the modules of the package `rethinking.studies.<package>`:
    - experiment.cells(params) -> list[Cell]
    - tables.TABLES[name](results) -> Table, and tables.numbers(results) -> the headline numbers, nested
    - figures.FIGURES[name](results) -> matplotlib Figure
    - claims.CLAIMS: the claims of its section
    """

    name: str
    package: str
    tables: tuple[str, ...]
    figures: tuple[str, ...]

    def module(self, part: str) -> Any:
        """Import one of the study's modules."""
        return importlib.import_module(self.module_name(part))

    def module_name(self, part: str) -> str:
        """Return the full name of one of the study's modules: what a result's fingerprint starts from."""
        return f"rethinking.studies.{self.package}.{part}"

    def cells(self, params: Params) -> list[Cell]:
        """Return every cell this study needs at the scale of `params`."""
        return cast(list[Cell], self.module("experiment").cells(params))

    def table(self, name: str) -> "Callable[[Results], Table]":
        """Return the function that makes the table `name`."""
        return cast("Callable[[Results], Table]", self.module("tables").TABLES[name])

    def figure(self, name: str) -> "Callable[[Results], Figure]":
        """Return the function that draws the figure `name`."""
        return cast("Callable[[Results], Figure]", self.module("figures").FIGURES[name])

    def numbers(self, results: "Results") -> dict[str, Any]:
        """Return the headline numbers that prose and metrics read, as a nested mapping."""
        return cast(dict[str, Any], self.module("tables").numbers(results))

    def claims(self) -> "list[Claim]":
        """Return the claims that the study's section makes."""
        return cast("list[Claim]", self.module("claims").CLAIMS)
