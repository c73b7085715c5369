"""Collected results as a test lays them out, and what the paper prints as if we had measured it."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from rethinking.data.corruptions import label_corruption_name, label_corruption_probability
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.frame import Results
from rethinking.results.published import published_curve
from rethinking.results.table import Table
from rethinking.studies.randomisation.design import (
    table1_rows,
    table4_rows,
)

PARAMS = {
    name: load_params(Path(__file__).resolve().parents[1] / "params.yaml", name)
    for name in ("paper", "digits", "smoke")
}
PAPER = PARAMS["paper"]
SWEEP = [label_corruption_name(level / 10) for level in range(11)]
BASE_EPOCHS = {"inception": 10, "alexnet": 31, "mlp-1x512": 28}  # to overfit true labels: figure 1b implies them
FIGURE_1A = {
    "true": "true_labels",
    "random-labels": "random_labels",
    "shuffled-pixels": "shuffled_pixels",
    "random-pixels": "random_pixels",
    "gaussian": "gaussian",
}

Run = tuple[str, str, str, int]
"""Model, corruption, regularizer, seed."""
Runs = dict[Run, dict[str, Any]]
Curves = dict[Run, list[tuple[float, float]]]
"""(step, online loss) after each epoch."""


def results(runs: Runs, curves: Curves | None = None, params: Params = PAPER) -> Results:
    """Lay out runs as collected results; what a run does not name is that of a run that fitted everything."""
    identity = ["dataset", "model", "corruption", "regularizer", "seed"]
    usual = {
        "status": "finished",
        "epochs": 70,
        "parameters": 1000,
        "train_accuracy": 1.0,
        "test_accuracy": 0.5,
        "online_accuracy": 1.0,
        "best_test_epoch": 60,
        "time_to_overfit": 10.0,
        "seconds": 60.0,
        "device": "cpu",
        "device_name": "a processor",
        "precision": "float32",
    }
    dataset = params.studies.randomisation.dataset
    lines, epochs = [], []
    for run, values in runs.items():
        line = dict(zip(identity, (dataset, *run), strict=True)) | usual | values
        line["label_corruption"] = label_corruption_probability(run[1])
        line.setdefault("best_test_accuracy", line["test_accuracy"])
        lines.append(line)
        for i, (step, loss) in enumerate((curves or {}).get(run, [(391.0, 2.3), (782.0, 0.04)])):
            epochs.append(
                {
                    **{name: line[name] for name in identity},
                    "epoch": i + 1,
                    "step": step,
                    "online_loss": loss,
                    "train_accuracy": line["train_accuracy"],
                    "test_accuracy": line["test_accuracy"],
                }
            )
    columns = [*identity, *usual, "label_corruption", "best_test_accuracy"]
    measures = [*identity, "epoch", "step", "online_loss", "train_accuracy", "test_accuracy"]
    return Results(params, pd.DataFrame(lines, columns=columns), pd.DataFrame(epochs, columns=measures))


def the_papers_runs() -> tuple[Runs, Curves]:
    """What the paper prints, as if we had measured it: Tables 1 and 4, Figures 1 and 2b."""
    runs: Runs = {}
    for row in (*table1_rows(), *table4_rows()):
        run = runs.setdefault((row.model, row.corruption, row.regularizer, 0), {})
        if row.train_accuracy is not None:
            run |= {"train_accuracy": row.train_accuracy / 100, "online_accuracy": row.train_accuracy / 100}
        if row.parameters is not None and row.test_accuracy is not None:
            run |= {"parameters": row.parameters, "test_accuracy": row.test_accuracy / 100}
        if row.train_accuracy is None:
            run |= {"train_accuracy": 0.1, "online_accuracy": 0.1, "time_to_overfit": math.nan}
    for model, base in BASE_EPOCHS.items():
        series = model.replace("-", "_")
        _, ratios = published_curve("figure1b", "label_corruption", "relative_time_to_overfit", series=series)
        _, errors = published_curve("figure1c", "label_corruption", "test_error", series=series)
        for corruption, ratio, error in zip(SWEEP, ratios, errors, strict=True):
            run = runs.setdefault((model, corruption, "none", 0), {"test_accuracy": 1 - error})
            run["time_to_overfit"] = float(round(base * ratio))
    for corruption in FIGURE_1A:
        runs.setdefault(("inception", corruption, "none", 0), {})
    curves: Curves = {}
    for corruption, series in FIGURE_1A.items():
        steps, losses = published_curve("figure1a", "step", "train_loss", series=series)
        curves["inception", corruption, "none", 0] = list(zip(steps, losses, strict=True))
    for model, series in (("inception", "inception"), ("inception-nobn", "inception_wo_bn")):
        _, accuracies = published_curve("figure2b", "step", "accuracy", series=series, split="test")
        run = runs[model, "true", "none", 0]
        run["best_test_accuracy"] = run["test_accuracy"] + max(accuracies) - accuracies[-1]
    return runs, curves


THE_PAPERS = results(*the_papers_runs())
NOTHING = results({})


def changed(changes: dict[Run, dict[str, Any] | None], params: Params = PAPER) -> Results:
    """The paper's results with some runs changed, or removed where None."""
    runs, curves = the_papers_runs()
    for run, values in changes.items():
        if values is None:
            del runs[run]
        else:
            runs[run] = runs.get(run, {}) | values
    return results(runs, curves, params)


def redrawn(changes: Curves) -> Results:
    """The paper's results with other curves for some runs."""
    runs, curves = the_papers_runs()
    return results(runs, curves | changes)


def every(runs: Iterable[Run], **values: Any) -> Results:
    return changed({run: values for run in runs})


def column(table: Table, heading: str, first: str | None = None) -> list[Any]:
    """Return a column of the table, or of its rows that begin with `first`."""
    position = [c.heading for c in table.columns].index(heading)
    return [row[position] for row in table.rows if first in (None, row[0])]


def verdicts(table: Table) -> set[Any]:
    position = next(i for i, c in enumerate(table.columns) if c.heading.startswith("Verdict"))
    return {row[position] for row in table.rows}
