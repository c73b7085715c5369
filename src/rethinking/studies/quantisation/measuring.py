"""Measuring a network as its file gives it back."""

from torch import nn

from rethinking.cells import Cell
from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.measuring import Bench, six_digits
from rethinking.studies.quantisation.files import file_of, restore


class FileBench(Bench):
    """Writes networks of one cell to files, and evaluates what can be read from these."""

    def __init__(self, laboratory: Laboratory, cell: Cell) -> None:
        super().__init__(laboratory, cell)
        self._restored = laboratory.initial_network(cell)

    def measured(self, network: nn.Module, bits: int, granularity: str) -> dict[str, float | int | str]:
        """Return the size of the network's file in bytes, the fraction of zeros among its weights, and accuracies."""
        data = file_of(network, bits, granularity)
        zeros = restore(self._restored, data, bits, granularity)
        return {
            "bits": bits,
            "granularity": granularity,
            "bytes": len(data),
            "zeros": six_digits(zeros),
            **self.accuracies(self._restored),
        }


def identity(cell: Cell) -> dict[str, str | int]:
    """Return which network a row is about."""
    return {"model": cell.model, "corruption": cell.corruption, "seed": cell.seed}
