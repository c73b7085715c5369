"""Learning curves of all runs, thinned to what a page can show: more epochs at the beginning, where most happens."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from rethinking.cells import Cell
from rethinking.errors import UserError
from rethinking.params import Params
from rethinking.records import Epoch, read_history, read_metrics
from rethinking.results.frame import RUN

CURVES = "curves.csv"

MEASURES = ("online_loss", "online_accuracy", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
"""What a curve may be of, as histories have it."""

LINES = 8_000
"""Of all runs together, about, which are some 400 kB: results are kept in Git."""
MOST, FEWEST = 20, 8
"""Epochs of a run, however few or many runs there are."""


def epochs_shown(runs: int) -> int:
    """Return how many epochs of each curve are left where there are so many runs."""
    return max(FEWEST, min(MOST, LINES // max(runs, 1)))


def thinned(history: Sequence[Epoch], most: int) -> list[Epoch]:
    """Return `most` epochs, or all, the first and the last among them; their distances grow along the run.

    Where the training set was not evaluated in each, a third as many of those in which it was are left beside.
    """
    evaluated = [place for place, epoch in enumerate(history) if epoch.train_accuracy is not None]
    left = set(_places(len(history), most))
    if len(evaluated) < len(history):
        left |= {evaluated[place] for place in _places(len(evaluated), most // 3)}
    return [history[place] for place in sorted(left)]


def _places(count: int, most: int) -> Iterable[int]:
    """Return `most` of the places below `count`, or all: next to each other at first, then ever farther apart."""
    if count <= most:
        return range(count)
    found = [0]
    for number in range(1, most):
        found.append(max(found[-1] + 1, round((count - 1) * (number / (most - 1)) ** 2)))
    return found


def collect_curves(params: Params, cells: Iterable[Cell], root: Path) -> str:
    """Return the thinned histories of the runs of `cells` below `root` as CSV, a line an epoch.

    Runs that were not made, or under other settings than those of `params`, have none, as in cells.csv.
    """
    histories = {}
    for cell in cells:
        folder = root / cell.run_folder(params.preset)
        if (folder / "metrics.json").exists():
            digest = read_metrics(folder / "metrics.json").recipe_digest
            # Two names may stand for one recipe.
            if digest not in histories and digest == params.recipe(cell).digest():
                histories[digest] = read_history(folder / "history.csv")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([RUN, "epoch", *MEASURES])
    for digest, history in histories.items():
        for epoch in thinned(history, epochs_shown(len(histories))):
            values = (getattr(epoch, name) for name in MEASURES)
            # What a picture shows: three digits and one to spare.
            shown = [None if value is None else f"{value:.4g}" for value in values]
            writer.writerow([digest, epoch.epoch, *shown])
    return text.getvalue()


def read_curves(folder: Path) -> pd.DataFrame | None:
    """Return the collected curves; None where there are none, as in results of before they were collected.

    Raises UserError if they are damaged.
    """
    path = folder / CURVES
    if not path.is_file():
        return None
    try:
        found = pd.read_csv(path, dtype={RUN: "str"})
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); delete it and run again") from None
    if absent := [name for name in (RUN, "epoch", *MEASURES) if name not in found]:
        raise UserError(f"{path} is damaged (it has no column {absent[0]}); delete it and run again")
    return found
