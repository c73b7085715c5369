"""Collected results: one tidy line a cell and one a cell and epoch, as every table and figure reads them."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rethinking.cells import Cell
from rethinking.data.corruptions import label_corruption_probability
from rethinking.errors import UserError
from rethinking.experiments.experiment import Experiment
from rethinking.experiments.identity import recipes_of
from rethinking.experiments.records import ExperimentRecord, read_record
from rethinking.files import write_text
from rethinking.params import Params
from rethinking.records import Epoch, Metrics, read_history, read_metrics

RUN = "recipe_digest"
"""By which a line of histories.csv names its run, whose identity is said in cells.csv alone: both have this column."""

IDENTITY = ["dataset", "model", "corruption", "regularizer", "seed"]

PROVENANCE = [
    "device",
    "device_name",
    "precision",
    "threads",
    "processes",
    "variant",
    "code",
    "commit",
    "uncommitted_changes",
]
"""What cells.csv holds of a run's provenance; empty where the run was recorded before there was such a column."""

# A column of nothing but "true" would be read as truth values, a digest that is 1234567890e12345 as a number.
_TEXT = [*IDENTITY[:-1], RUN, "device", "device_name", "precision", "variant", "code", "commit"]


class Results:
    """Everything that tables, figures and claims may read, and a record of what they did read."""

    def __init__(
        self,
        params: Params,
        cells: pd.DataFrame,
        histories: pd.DataFrame,
        experiments: Sequence[ExperimentRecord] = (),
        folder: Path = Path(),
    ) -> None:
        """`experiments` are those whose tables lie in `folder` and count."""
        self.params = params
        self._cells, self._histories = cells, histories
        self._experiments, self._folder = experiments, folder
        self._read: set[Cell] = set()
        self._experiments_read: list[ExperimentRecord] = []
        self._tables: dict[tuple[str, str], pd.DataFrame] = {}

    @property
    def cells(self) -> pd.DataFrame:
        """One line a run: identity, `label_corruption` (a probability), the numbers of its metrics, its provenance.

        Also `time_to_overfit`, in epochs; empty if the run never fitted. Whoever takes all lines has read all runs.
        """
        return self.of()

    @property
    def histories(self) -> pd.DataFrame:
        """One line a run and epoch, of what studies name in `histories`. Whoever takes all has read all these runs."""
        return self.history()

    def of(self, **where: object) -> pd.DataFrame:
        """Return the lines of `cells` that agree with every given column."""
        return self._reading(matching(self._cells, **where))

    def history(self, last: int | None = None, **where: object) -> pd.DataFrame:
        """Return the lines of `histories` that agree with every given column: those of each run's last epochs, or all.

        There are such lines for what the study's `design.histories` names.
        """
        found = self._reading(matching(self._histories, **where))
        return found if last is None or found.empty else found.groupby(IDENTITY, sort=False).tail(last)

    def fresh(self) -> "Results":
        """Return the same results, of which nothing has been read yet."""
        return Results(self.params, self._cells, self._histories, self._experiments, self._folder)

    def experiment(self, study: str, kind: str) -> pd.DataFrame:
        """Return the results of all experiments of a kind, one below the other; nothing at all if none was run."""
        found = [record for record in self._experiments if (record.study, record.kind) == (study, kind)]
        self._experiments_read += [record for record in found if record not in self._experiments_read]
        self._read.update(Cell.parse(name) for record in found for name in record.cells if name.count("/") == 4)
        if (study, kind) not in self._tables:  # claims ask for the same ones hundreds of times
            tables = [_read_table(self._folder, record) for record in found]
            self._tables[study, kind] = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
        return self._tables[study, kind].copy(deep=False)

    @property
    def experiments(self) -> Sequence[ExperimentRecord]:
        """The records of all experiments that count."""
        return self._experiments

    def experiments_read(self) -> list[ExperimentRecord]:
        """Return the records of the experiments whose results have been read so far."""
        return self._experiments_read

    def read(self) -> pd.DataFrame:
        """Return the lines of `cells` whose run has been read so far, from here or from `histories`."""
        return self._cells[[cell in self._read for cell in _cells_of(self._cells)]]

    def _reading(self, found: pd.DataFrame) -> pd.DataFrame:
        self._read.update(_cells_of(found))
        return found


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds; `half_width` is that of its 95 % confidence interval (Student's t), None for one seed."""

    mean: float
    half_width: float | None
    seeds: int


def estimate(values: Iterable[float]) -> Estimate | None:
    """Return the mean of the values that are numbers, with its interval, or None if there are none."""
    numbers = [value for value in values if not math.isnan(value)]
    if not numbers:
        return None
    mean = sum(numbers) / len(numbers)
    if len(numbers) == 1:
        return Estimate(mean, None, 1)
    # Student's t by its quantiles alone: scipy.stats takes seconds to import.
    from scipy.special import stdtrit

    variance = sum((value - mean) ** 2 for value in numbers) / (len(numbers) - 1)
    factor = float(stdtrit(len(numbers) - 1, 0.975))
    return Estimate(mean, factor * math.sqrt(variance / len(numbers)), len(numbers))


def collect(
    params: Params, cells: list[Cell], root: Path, histories: Mapping[Cell, int | None] | None = None
) -> tuple[str, str, list[str]]:
    """Read the runs of `cells` below `root`; return cells.csv and histories.csv as text, and what is not in them.

    `histories` are the cells whose epochs are collected, each with how many of the last; None for all.

    A run that was never trained, and one trained under other settings than those of `params`, is left out and named:
    a narrowed run keeps what earlier runs left and never mixes settings.
    """
    wanted = dict.fromkeys(cells) if histories is None else histories
    # Two names may stand for one recipe, as wd and wd0.0005 do: its epochs are collected once.
    lines, epochs, missing = [], dict[str, list[dict[str, Any]]](), []
    for cell in cells:
        folder = root / cell.run_folder(params.preset)
        if not (folder / "metrics.json").exists():
            missing.append(f"{cell}: not trained")
            continue
        metrics = read_metrics(folder / "metrics.json")
        recipe = params.recipe(cell)
        if metrics.recipe_digest != recipe.digest():
            missing.append(f"{cell}: trained under other settings ({'; '.join(recipe.differences(metrics.recipe))})")
            continue
        history = read_history(folder / "history.csv")
        lines.append(_line(cell, metrics, history, params.results.overfit_loss))
        if cell in wanted:
            last = wanted[cell]
            chosen = [{RUN: metrics.recipe_digest} | epoch._asdict() for epoch in history[-last if last else 0 :]]
            epochs[metrics.recipe_digest] = max(chosen, epochs.get(metrics.recipe_digest, []), key=len)
    collected = [line for found in epochs.values() for line in found]
    return _as_csv(lines), _as_csv(collected, [RUN, *Epoch._fields]) if lines else "", missing


def write_results(folder: Path, cells: str, histories: str) -> None:
    """Write the collected text into `folder`, each file whole or not at all."""
    write_text(folder / "histories.csv", histories)
    write_text(folder / "cells.csv", cells)


def load_results(params: Params, folder: Path, experiments: Iterable[Experiment] = ()) -> Results:
    """Read collected results, and those of `experiments`. Raises UserError if no run was collected.

    The results of an experiment that was not run are left out, and so are those of one that was run under other
    settings than those of `params`.
    """
    frames = []
    for name in ("cells.csv", "histories.csv"):
        try:
            frames.append(pd.read_csv(folder / name, dtype=dict.fromkeys(_TEXT, "str")))
        except FileNotFoundError:
            raise UserError(f"{folder / name} is missing; run the preset, or `rethinking collect`, first") from None
        except ValueError as error:
            raise UserError(f"{folder / name} is damaged ({error}); delete it and run again") from None
        # Histories that were collected before they named their run by its recipe say its identity on every line.
        if not (name == "histories.csv" and RUN in frames[-1]):
            _require_columns(frames[-1], IDENTITY, folder / name)
    cells, histories = frames
    if RUN in histories:  # a cell for each line, in the order of cells.csv
        _require_columns(cells, [RUN], folder / "cells.csv")
        histories = cells[[*IDENTITY, RUN]].merge(histories, on=RUN).drop(columns=RUN)
    columns = [*cells, *(name for name in PROVENANCE if name not in cells)]
    return Results(params, cells.reindex(columns=columns), histories, _current(params, folder, experiments), folder)


def _require_columns(found: pd.DataFrame, needed: Sequence[str], path: Path) -> None:
    if absent := [column for column in needed if column not in found]:
        raise UserError(f"{path} is damaged (it has no column {absent[0]}); delete it and run again")


def _current(params: Params, folder: Path, experiments: Iterable[Experiment]) -> list[ExperimentRecord]:
    found = []
    for experiment in experiments:
        path = folder.joinpath(*experiment.record_path(params.preset).parts[2:])
        if path.is_file():
            record = read_record(path)
            if record.digest == experiment.digest(recipes_of(params, experiment)):
                found.append(record)
    return found


def _read_table(folder: Path, record: ExperimentRecord) -> pd.DataFrame:
    path = folder / "experiments" / record.study / record.kind / f"{record.unit}.csv"
    try:
        return pd.read_csv(path, dtype=dict.fromkeys(_TEXT, "str"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing; delete {path.with_suffix('.json').name} beside it and run again") from None
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); delete it and run again") from None


def numbers_as_csv(found: pd.DataFrame, missing: str = "") -> str:
    """Return a table of numbers as CSV; they keep ten significant digits."""
    return str(found.to_csv(index=False, lineterminator="\n", float_format="%.10g", na_rep=missing))


def time_to_overfit(history: list[Epoch], loss: float) -> int | None:
    """Return the first epoch, counted from 1, whose online loss is below `loss` nats; None if there is none."""
    return next((epoch.epoch for epoch in history if epoch.online_loss < loss), None)


def matching(frame: pd.DataFrame, **where: object) -> pd.DataFrame:
    """Return the lines that agree with every given column."""
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return frame


def _identity(cell: Cell) -> dict[str, Any]:
    return {name: getattr(cell, name) for name in IDENTITY}


def _line(cell: Cell, metrics: Metrics, history: list[Epoch], overfit_loss: float) -> dict[str, Any]:
    numbers = metrics.model_dump(exclude={"cell", "preset", "recipe", "provenance"})
    numbers = {key: round(value, 6) if isinstance(value, float) else value for key, value in numbers.items()}
    return {
        **_identity(cell),
        "label_corruption": label_corruption_probability(cell.corruption),
        **numbers,
        "time_to_overfit": time_to_overfit(history, overfit_loss),
        **{key: metrics.provenance.get(key) for key in PROVENANCE},
    }


def _as_csv(lines: list[dict[str, Any]], columns: Sequence[str] = ()) -> str:
    if not (lines or columns):
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or list(lines[0]), lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({key: f"{v:.6g}" if isinstance(v, float) else v for key, v in line.items()})
    return text.getvalue()


def _cells_of(frame: pd.DataFrame) -> list[Cell]:
    """Return the cell of each line; none for a frame that was never filled."""
    if frame.empty:
        return []
    identities = zip(*(frame[name] for name in IDENTITY), strict=True)
    return [Cell(d, m, c, r, int(seed)) for d, m, c, r, seed in identities]
