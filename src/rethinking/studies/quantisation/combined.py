"""Experiment: networks that were pruned and trained on in rounds, and are quantised after that (Han et al. 2016)."""

from collections.abc import Sequence

from rethinking.experiments.laboratory import Laboratory
from rethinking.experiments.records import Row
from rethinking.studies.quantisation.measuring import FileBench, identity
from rethinking.studies.quantisation.vocabulary import FLOAT_BITS, PER_CHANNEL


def run(laboratory: Laboratory) -> Sequence[Row]:
    """Return a row for each network, round of pruning and number of bits; round 0 is the network as it was trained.

    Rounds end early where pruning did: no network was left from there on.
    """
    rows: list[Row] = []
    pruned = {experiment.cells[0]: experiment for experiment in laboratory.experiment.after}
    for cell in laboratory.experiment.cells:
        network, bench = laboratory.network(cell), FileBench(laboratory, cell)
        for round_ in range(pruned[cell].settings["rounds"] + 1):
            if round_:
                left = laboratory.left(pruned[cell], f"round-{round_}")
                if not left:
                    break
                network.load_state_dict(left)
            for bits in (FLOAT_BITS, *laboratory.settings["bits"]):
                rows.append({**identity(cell), "round": round_, **bench.measured(network, bits, PER_CHANNEL)})
    return rows
