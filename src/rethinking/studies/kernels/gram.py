"""Gram matrices in square tiles of float32, of which only those on and below the diagonal are ever made.

60,000 examples have a Gram matrix of 28.8 GB in double precision; its lower tiles in single precision take 7.4 GB. A
tile is made on demand, so that what is not kept need not fit into memory at all.
"""

from typing import Protocol

import torch
from torch import Tensor

TILE = 2000
"""Examples along the side of a tile, which takes 16 MB: large enough for matrix products to be fast."""


def parts(examples: int, size: int = TILE) -> list[slice]:
    """Return the consecutive parts of `size` examples, the last of what is left."""
    return [slice(start, min(start + size, examples)) for start in range(0, examples, size)]


class Gram(Protocol):
    """A symmetric positive semidefinite matrix whose diagonal has mean 1."""

    places: list[slice]
    """The examples of each row of tiles, and of each column of tiles."""

    def tile(self, row: int, column: int) -> Tensor:
        """Return a tile on or below the diagonal, float32, as a tensor that the caller may overwrite."""


class GaussianGram:
    """k(x, y) = exp(-gamma |x - y|^2): every example has length 1 in feature space."""

    def __init__(self, features: Tensor, gamma: float, size: int = TILE) -> None:
        """`features` is (n, d) float32."""
        self.gamma, self.places = gamma, parts(len(features), size)
        # Distances stay as they are, and the numbers of which they are differences get smaller.
        self.mean = features.mean(dim=0)
        self.features = features - self.mean
        self.lengths = self.features.square().sum(dim=1)

    def tile(self, row: int, column: int) -> Tensor:
        """Return k between two parts of the examples."""
        first, second = self.places[row], self.places[column]
        found = _gaussian(
            self.features[first], self.lengths[first], self.features[second], self.lengths[second], self.gamma
        )
        if row == column:
            found.fill_diagonal_(1.0)  # as it is without rounding
        return found

    def outputs(self, examples: Tensor, coefficients: Tensor) -> Tensor:
        """Return the outputs (m, c) float64 on other examples (m, d) of coefficients (n, c) float64."""
        found = torch.zeros(len(examples), coefficients.shape[1], dtype=torch.float64, device=examples.device)
        for place in parts(len(examples)):
            centred = examples[place] - self.mean
            lengths = centred.square().sum(dim=1)
            for known in self.places:
                kernel = _gaussian(centred, lengths, self.features[known], self.lengths[known], self.gamma)
                found[place] += kernel.double() @ coefficients[known]
        return found


def _gaussian(first: Tensor, first_lengths: Tensor, second: Tensor, second_lengths: Tensor, gamma: float) -> Tensor:
    squares = torch.addmm(second_lengths, first, second.T, alpha=-2).add_(first_lengths[:, None])
    return squares.clamp_(min=0).mul_(-gamma).exp_()


class KeptGram:
    """Inner products of features that come block by block, none of which is kept."""

    def __init__(self, examples: int, device: torch.device, size: int = TILE) -> None:
        self.places = parts(examples, size)
        lengths = [place.stop - place.start for place in self.places]
        self.tiles = [
            [torch.zeros(height, width, device=device) for width in lengths[: row + 1]]
            for row, height in enumerate(lengths)
        ]

    def add(self, features: Tensor) -> None:
        """Add the inner products of further features (n, block) float32 of all examples."""
        for row, tiles in enumerate(self.tiles):
            for column, tile in enumerate(tiles):
                tile.addmm_(features[self.places[row]], features[self.places[column]].T)

    def normalise(self) -> float:
        """Divide by the mean of the diagonal and return it: the mean squared length of an example."""
        lengths = torch.cat([tiles[-1].diagonal() for tiles in self.tiles])
        mean = float(lengths.double().mean())
        for tiles in self.tiles:
            for tile in tiles:
                tile.div_(mean)
        return mean

    def tile(self, row: int, column: int) -> Tensor:
        """Return a copy of a tile."""
        return self.tiles[row][column].clone()


def product(gram: Gram, vectors: Tensor) -> Tensor:
    """Return the Gram matrix times vectors (n, c) float64, summed in double precision."""
    found = torch.zeros_like(vectors)
    for row, rows in enumerate(gram.places):
        for column, columns in enumerate(gram.places[: row + 1]):
            tile = gram.tile(row, column).double()
            found[rows] += tile @ vectors[columns]
            if row != column:
                found[columns] += tile.T @ vectors[rows]
    return found
