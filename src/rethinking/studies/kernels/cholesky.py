"""Cholesky factors in tiles: a lower triangle of float32 and a few tiles besides, whatever the device."""

import torch
from torch import Tensor

from rethinking.studies.kernels.gram import Gram


class NotPositiveDefinite(ArithmeticError):
    """A matrix has, up to the rounding of its arithmetic, an eigenvalue that is not above zero."""


class Factor:
    """The lower triangular L with L L^T = A, as tiles on and below the diagonal."""

    def __init__(self, tiles: list[list[Tensor]], places: list[slice]) -> None:
        self.tiles, self.places = tiles, places

    def solve(self, targets: Tensor) -> Tensor:
        """Return A^-1 times `targets` (n, c); computed in float32, returned in the targets' own type."""
        found = targets.to(torch.float32, copy=True)
        for row, rows in enumerate(self.places):
            for column, columns in enumerate(self.places[:row]):
                found[rows] -= self.tiles[row][column] @ found[columns]
            found[rows] = torch.linalg.solve_triangular(self.tiles[row][row], found[rows], upper=False)
        for row, rows in reversed(list(enumerate(self.places))):
            for below in range(row + 1, len(self.places)):
                found[rows] -= self.tiles[below][row].T @ found[self.places[below]]
            found[rows] = torch.linalg.solve_triangular(self.tiles[row][row].T, found[rows], upper=True)
        return found.to(targets.dtype)


def factorise(gram: Gram, shift: float) -> Factor:
    """Return the factor of the Gram matrix with `shift` added to its diagonal.

    Columns of tiles one after the other, each from the tiles to its left, so that a tile of the Gram matrix is asked
    for once, when its turn comes. Raises NotPositiveDefinite where rounding, or the matrix, leaves no positive pivot.
    """
    places = gram.places
    tiles: list[list[Tensor]] = [[] for _ in places]
    for column in range(len(places)):
        for row in range(column, len(places)):
            tile = gram.tile(row, column)
            for left in range(column):
                tile.addmm_(tiles[row][left], tiles[column][left].T, alpha=-1)
            if row == column:
                tile.diagonal().add_(shift)
                tile, failed = torch.linalg.cholesky_ex(tile)
                if failed:
                    raise NotPositiveDefinite(f"no positive pivot at example {places[row].start + int(failed) - 1}")
            else:
                tile = torch.linalg.solve_triangular(tiles[column][column].T, tile, upper=True, left=False)
            tiles[row].append(tile)
    return Factor(tiles, places)
