"""How far training a grid is from what the device's arithmetic allows."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rethinking.cells import Cell
from rethinking.cost.estimate import examples
from rethinking.cost.measurements import Workload
from rethinking.cost.speed import ALONE, Speed
from rethinking.recipe import Recipe


class Floor(NamedTuple):
    """Training steps of some cells on one device: of all of a GPU, or of one core."""

    cells: int
    operations: float
    """Floating-point operations, in matrix products and convolutions."""
    floor_seconds: float
    """What these take at the rate of large matrix products: no step of such networks can be faster."""
    seconds: float
    """What the steps take at the speeds that were measured; on a GPU with as many cells at once as is fastest."""
    unit: str
    """What the seconds are of: "GPU" or "core"."""

    def __str__(self) -> str:
        return (
            f"The training steps of {self.cells} cells, {self.operations / 1e15:,.3g} PFLOP, take "
            f"{self.seconds / 3600:,.3g} {self.unit} hours; at the rate of large matrix products they would take "
            f"{self.floor_seconds / 3600:,.3g}: {self.floor_seconds / self.seconds:.0%} of the arithmetic is used."
        )


def floor_of(recipes: Mapping[Cell, Recipe], speeds: Iterable[Speed]) -> Floor | None:
    """Return the floor of those cells whose network was measured, on the one device of `speeds`; None without any."""
    lines: dict[tuple[str, int, str], list[Speed]] = {}
    for speed in speeds:
        lines.setdefault(speed.workload.network, []).append(speed)
    cells, operations, at_least, taken, unit = 0, 0.0, 0.0, 0.0, ""
    for recipe in recipes.values():
        measured = lines.get(Workload.of(recipe).network, [])
        alone = next((line for line in measured if line.cells_at_once == ALONE), None)
        if alone is None or alone.flops_per_image is None or alone.arithmetic_share is None:
            continue
        on_cpu = alone.device == "cpu"
        best = alone if on_cpu else max(measured, key=lambda line: line.images_per_second)
        images = recipe.epochs * examples(recipe)[0]
        cells, unit = cells + 1, "core" if on_cpu else "GPU"
        operations += images * alone.flops_per_image
        at_least += images / alone.images_per_second * alone.arithmetic_share
        taken += images / best.images_per_second
    return Floor(cells, operations, at_least, taken, unit) if cells else None
