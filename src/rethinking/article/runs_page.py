"""The page of all runs: a table to sort and filter, and learning curves, for a browser that opens it from a file."""

import html
import json
import math
import shutil
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from rethinking.results.curves import CURVES, MEASURES, read_curves
from rethinking.results.frame import RUN, Results

COLUMNS = {
    "dataset": ("Data set", "text"),
    "model": ("Model", "text"),
    "corruption": ("Corruption", "text"),
    "regularizer": ("Regularizer", "text"),
    "seed": ("Seed", "count"),
    "train_accuracy": ("Train", "percent"),
    "test_accuracy": ("Test", "percent"),
    "gap": ("Gap, points", "points"),
    "online_loss": ("Loss, online", "number"),
    "time_to_overfit": ("Epochs to overfit", "count"),
    "epochs": ("Epochs", "count"),
    "status": ("Status", "text"),
    "parameters": ("Parameters", "count"),
    "train_examples": ("Examples", "count"),
    "seconds": ("Seconds", "number"),
    "device": ("Device", "text"),
    "precision": ("Precision", "text"),
    "commit": ("Commit", "digest"),
    RUN: ("Recipe", "digest"),
}
"""What the table shows of a run, in order: heading, and how the values are written."""


def write_runs_page(
    results: Results, source: Path, site: Path, title: str, navigation: Iterable[Mapping[str, str]]
) -> None:
    """Write `runs.html` into `site`, with what it loads and the collected results of `source` as files in `runs/`.

    `navigation` are the entries of the site's bar: `href` and `text`.
    """
    found = content(results, read_curves(source))
    digest = list(COLUMNS).index(RUN)
    values = {
        "title": html.escape(title),
        "navigation": " ".join(_link(entry) for entry in navigation),
        "preset": html.escape(results.params.preset),
        "count": f"{len(found['rows']):,}",
        "curves": f"{sum(row[digest] in found['histories'] for row in found['rows']):,}",
        # A script's end within it would end it.
        "data": json.dumps(found, separators=(",", ":"), allow_nan=False).replace("</", "<\\/"),
    }
    (site / "runs").mkdir()
    with resources.as_file(resources.files("rethinking.article") / "explorer") as assets:
        page = (assets / "runs.html").read_text(encoding="utf-8")
        for name in ("runs.css", "runs.js"):
            shutil.copyfile(assets / name, site / "runs" / name)
    for name, value in values.items():
        page = page.replace("{{" + name + "}}", value)
    (site / "runs.html").write_text(page, encoding="utf-8")
    for name in ("cells.csv", "histories.csv", CURVES):
        if (source / name).is_file():
            shutil.copyfile(source / name, site / "runs" / name)


def content(results: Results, curves: pd.DataFrame | None = None) -> dict[str, Any]:
    """Return what the page is made of: columns, one row a run, and curves by the digests of recipes.

    Without `curves` of all runs they are the histories that figures and tables show.
    """
    cells = results.cells.assign(gap=results.cells["train_accuracy"] - results.cells["test_accuracy"])
    if curves is None:
        identity = ["dataset", "model", "corruption", "regularizer", "seed"]
        curves = results.history().merge(cells[[*identity, RUN]], on=identity).drop_duplicates([RUN, "epoch"])
    return {
        "preset": results.params.preset,
        "columns": [{"name": name, "title": title, "form": form} for name, (title, form) in COLUMNS.items()],
        "rows": [list(map(_plain, row)) for row in cells[list(COLUMNS)].itertuples(index=False)],
        "histories": {
            str(digest): {name: list(map(_plain, found[name])) for name in ("epoch", *MEASURES)}
            for digest, found in curves[curves[RUN].isin(cells[RUN])].groupby(RUN, sort=False)
        },
    }


def _plain(value: Any) -> str | int | float | None:
    """Return a value as JSON has it: whole numbers without a point, None for what is not known or not finite."""
    if pd.isna(value):
        return None
    if isinstance(value, str):
        return value
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else round(number, 6)


def _link(entry: Mapping[str, str]) -> str:
    current = ' aria-current="page"' if entry["href"] == "runs.html" else ""
    return f'<a href="{html.escape(entry["href"])}"{current}>{html.escape(entry["text"])}</a>'
