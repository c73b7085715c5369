"""Cholesky factors in panels: a lower triangle of float32 and a few tiles besides, whatever the device."""

import torch
from torch import Tensor

from rethinking.studies.kernels.gram import Gram


class NotPositiveDefinite(ArithmeticError):
    """A matrix has, up to the rounding of its arithmetic, an eigenvalue that is not above zero."""


class Factor:
    """The lower triangular L with L L^T = A, in panels: some columns of L, from their diagonal down."""

    def __init__(self, panels: list[Tensor], places: list[slice]) -> None:
        self.panels, self.places = panels, places

    def solve(self, targets: Tensor) -> Tensor:
        """Return A^-1 times `targets` (n, c); computed in float32, returned in the targets' own type."""
        found = targets.to(torch.float32, copy=True)
        for place, panel in zip(self.places, self.panels, strict=True):
            width = panel.shape[1]
            found[place] = torch.linalg.solve_triangular(panel[:width], found[place], upper=False)
            found[place.stop :] -= panel[width:] @ found[place]
        for place, panel in reversed(list(zip(self.places, self.panels, strict=True))):
            width = panel.shape[1]
            found[place] -= panel[width:].T @ found[place.stop :]
            found[place] = torch.linalg.solve_triangular(panel[:width].T, found[place], upper=True)
        return found.to(targets.dtype)


def factorise(gram: Gram, shift: float) -> Factor:
    """Return the factor of the Gram matrix with `shift` added to its diagonal.

    Panels one after the other, each from those to its left, so that a tile of the Gram matrix is asked for once, when
    its turn comes. A panel is one piece of memory that is written in place: tiles that each had their own were found to
    leave gaps between them that took as much again. Raises NotPositiveDefinite where rounding, or the matrix, leaves no
    positive pivot.
    """
    places = gram.places
    panels: list[Tensor] = []
    for column, place in enumerate(places):
        rows = [slice(each.start - place.start, each.stop - place.start) for each in places[column:]]
        first = gram.tile(column, column)
        panel = first.new_empty(rows[-1].stop, rows[0].stop)
        panel[rows[0]] = first
        panel[rows[0]].diagonal().add_(shift)
        for number, below in enumerate(rows[1:], start=column + 1):
            panel[below] = gram.tile(number, column)
        for left, done in zip(places, panels, strict=False):
            part = done[place.start - left.start :]
            panel.addmm_(part, part[: panel.shape[1]].T, alpha=-1)
        pivot, failed = torch.linalg.cholesky_ex(panel[rows[0]])
        if failed:
            raise NotPositiveDefinite(f"no positive pivot at example {place.start + int(failed) - 1}")
        panel[rows[0]] = pivot
        for below in rows[1:]:
            panel[below] = torch.linalg.solve_triangular(pivot.T, panel[below], upper=True, left=False)
        panels.append(panel)
    return Factor(panels, places)
