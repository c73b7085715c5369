"""What an experiment is, and where its results lie. The mapping is a contract, as that of cells."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from rethinking.cells import Cell

if TYPE_CHECKING:
    from rethinking.recipe import Recipe


@dataclass(frozen=True)
class Experiment:
    """One job: the function `run` of the module `rethinking.studies.<study>.<kind>`, under these settings."""

    study: str
    kind: str
    """Lower case, with hyphens, which stand for the underscores of the module's name."""
    unit: str
    """Tells apart the experiments of one kind, as "mlp-1x512.true.seed-0"; "all" where there is one."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """All that the outcome depends on beside code, networks and data: what JSON can hold."""
    cells: tuple[Cell, ...] = ()
    """Whose trained networks it reads."""
    variants: tuple[tuple[str, str], ...] = ()
    """Data that it reads beside those of its cells: data set and corruption."""
    after: "tuple[Experiment, ...]" = ()
    """Experiments whose networks it reads."""
    leaves_networks: bool = False
    on_cpu: bool = False
    """Whether it asks for no GPU: because it trains nothing, or because it measures what a CPU does."""

    def __str__(self) -> str:
        return f"{self.study}/{self.kind}/{self.unit}"

    @property
    def module(self) -> str:
        """The full name of the module that carries it out."""
        return f"rethinking.studies.{self.study}.{self.kind.replace('-', '_')}"

    def table_path(self, preset: str) -> PurePosixPath:
        """Return the file of its results, relative to the project's root; its record lies beside it."""
        return PurePosixPath("results", preset, "experiments", self.study, self.kind, f"{self.unit}.csv")

    def record_path(self, preset: str) -> PurePosixPath:
        """Return the file that says how the results came about."""
        return self.table_path(preset).with_suffix(".json")

    def networks_path(self, preset: str) -> PurePosixPath:
        """Return the file of the networks that it leaves."""
        return PurePosixPath("weights", preset, "experiments", self.study, self.kind, f"{self.unit}.safetensors")

    def scratch_folder(self, preset: str) -> PurePosixPath:
        """Return the folder of what it has finished before an interruption."""
        return PurePosixPath("runs", preset, "experiments", self.study, self.kind, ".scratch", self.unit)

    def digest(self, recipes: "Mapping[Cell, Recipe]") -> str:
        """Return 16 hexadecimal digits that change with settings, data and recipes of the networks it starts from."""
        content = [
            str(self),
            self.settings,
            {str(cell): recipes[cell].digest() for cell in self.cells},
            self.variants,
            [other.digest(recipes) for other in self.after],
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def all_cells(self) -> tuple[Cell, ...]:
        """Return the cells that it starts from, those of the experiments before it included."""
        return tuple(dict.fromkeys([*self.cells, *(cell for other in self.after for cell in other.all_cells())]))

    def all_variants(self) -> tuple[tuple[str, str], ...]:
        """Return the data that it reads itself: of its cells, and beside them."""
        return tuple(dict.fromkeys([*(cell.variant for cell in self.cells), *self.variants]))


TABLE_PATTERN = "results/{preset}/experiments/{study}/{kind}/{unit}.csv"
RECORD_PATTERN = "results/{preset}/experiments/{study}/{kind}/{unit}.json"
NETWORKS_PATTERN = "weights/{preset}/experiments/{study}/{kind}/{unit}.safetensors"
"""The paths as Snakemake patterns; a test holds them together."""
