"""What is collected of histories is what studies read, and no more."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rethinking.cells import Cell
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.records import Epoch
from rethinking.results.frame import IDENTITY, PROVENANCE, RUN, Results, load_results
from rethinking.studies.registry import STUDIES, grid, histories

ROOT = Path(__file__).resolve().parents[2]
PRESETS = {name: load_params(ROOT / "params.yaml", name) for name in ("paper", "digits", "smoke")}
EPOCHS = 8


class Watched(Results):
    """Results of which every cell was run, that note which epochs of which cells were asked for."""

    def __init__(self, params: Params) -> None:
        runs: list[dict[str, Any]] = []
        epochs: list[dict[str, Any]] = []
        for number, cell in enumerate(grid(params)):
            identity = {name: getattr(cell, name) for name in IDENTITY}
            accuracy = 0.5 + 0.4 * (number % 7) / 7
            measures: dict[str, Any] = dict.fromkeys(PROVENANCE, "unknown")
            measures |= {name: accuracy for name in ("train_accuracy", "test_accuracy", "best_test_accuracy")}
            measures |= {"online_accuracy": accuracy, "label_corruption": 0.0, "time_to_overfit": 3.0, "seconds": 1.0}
            measures |= {"parameters": 100 + number, "train_examples": 100, "epochs": EPOCHS, "best_test_epoch": 3}
            runs.append(identity | measures | {"status": "finished", RUN: "feed"})
            epochs += [
                identity
                | Epoch(n, 4 * n, 0.1, 2.0 / 2**n, accuracy, 1.0, accuracy, 1.0, accuracy - n / 100, 1.0)._asdict()
                for n in range(1, EPOCHS + 1)
            ]
        super().__init__(params, pd.DataFrame(runs), pd.DataFrame(epochs))
        self.asked: dict[Cell, int | None] = {}

    def history(self, last: int | None = None, **where: object) -> pd.DataFrame:
        found = super().history(last, **where)
        for line in found.drop_duplicates(IDENTITY).to_dict("records"):
            cell = Cell(*(line[name] for name in IDENTITY))
            before = self.asked.get(cell, 0)
            self.asked[cell] = None if last is None or before is None else max(before, last)
        return found


@pytest.mark.parametrize("name", ["digits", "smoke"])
def test_studies_name_the_histories_that_they_read_and_no_others(name: str) -> None:
    params = PRESETS[name]
    watched = Watched(params)
    for study in STUDIES.values():
        for table in study.tables:
            study.table(table)(watched)
        for figure in study.figures:
            study.figure(figure).points(watched)
        for plot in study.plots:
            study.plot(plot)(watched)
        for claim in study.claims():
            claim.judge(watched)
        study.numbers(watched)
    assert watched.asked == histories(params)


@pytest.mark.parametrize("name", PRESETS)
def test_only_cells_of_the_preset_have_histories(name: str) -> None:
    assert set(histories(PRESETS[name])) <= set(grid(PRESETS[name]))


def test_what_two_studies_read_of_a_history_is_what_the_more_demanding_one_reads() -> None:
    """The epoch-wise network is one of the sweep, of which else the last epochs are read."""
    params = PRESETS["digits"]
    found = histories(params)
    study = params.studies.double_descent
    assert found[Cell("digits-part1of2", f"cnn-k{study.epoch_wise.width}", "wrong-labels-p20", "none", 0)] is None
    assert found[Cell("digits-part1of2", "cnn-k1", "wrong-labels-p20", "none", 0)] == study.last_epochs
    assert Cell("digits-part1of5", "perceptron-k8", "true", "none", 10) not in found


@pytest.mark.parametrize("name", ["paper", "digits", "smoke"])
def test_histories_in_git_are_small_and_whole(name: str) -> None:
    folder = ROOT / "results" / name
    assert (folder / "histories.csv").stat().st_size < 1_000_000
    results = load_results(PRESETS[name], folder)
    assert len(results.histories) > 0
    # A run of which all is shown has as many epochs here as it has in cells.csv.
    whole = [cell for cell, last in histories(PRESETS[name]).items() if last is None]
    for cell in whole:
        where = {key: getattr(cell, key) for key in IDENTITY}
        for line in results.of(**where).to_dict("records"):
            assert list(results.history(**where)["epoch"]) == list(range(1, int(line["epochs"]) + 1))
