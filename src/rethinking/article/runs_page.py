"""The page of all runs: a table to sort and filter, and learning curves, for a browser that opens it from a file."""

import html
import json
import math
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rethinking.article.assets import assets, copy_frame
from rethinking.results.frame import RUN, Results
from rethinking.results.learning_curves import CURVES, MEASURES, epochs_shown, read_curves

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
"""What the table may show of a run, in order: heading, and how the values are written."""

ASIDE = {"parameters", "train_examples", "seconds", "device", "precision", "commit", RUN}
"""Columns that are not shown until someone asks for them."""

FILES = {"cells.csv": "runs", CURVES: "learning curves", "histories.csv": "those that figures show, whole"}


def write_runs_page(
    results: Results, source: Path, site: Path, title: str, navigation: Iterable[Mapping[str, str]]
) -> None:
    """Write `runs.html` into `site`, with what it loads and the collected results of `source` as files in `runs/`.

    `navigation` are the entries of the site's bar: `href` and `text`.
    """
    curves = read_curves(source)
    found = content(results, curves)
    files = {name: title for name, title in FILES.items() if (source / name).is_file()}
    values = {
        "title": html.escape(title),
        "navigation": " ".join(_link(entry) for entry in navigation),
        "preset": html.escape(results.params.preset),
        "count": f"{len(found['rows']):,}",
        "about_curves": _about_curves(found, thinned=curves is not None),
        "files": ", ".join(f'<a href="runs/{name}" download>{title}</a>' for name, title in files.items()),
        # A script's end within it would end it.
        "data": json.dumps(found, separators=(",", ":"), allow_nan=False).replace("</", "<\\/"),
    }
    (site / "runs").mkdir()
    copy_frame(site)
    with assets("explorer") as folder:
        page = (folder / "runs.html").read_text(encoding="utf-8")
        for name in ("runs.css", "runs.js"):
            shutil.copyfile(folder / name, site / "runs" / name)
    for name, value in values.items():
        page = page.replace("{{" + name + "}}", value)
    (site / "runs.html").write_text(page, encoding="utf-8")
    for name in files:
        shutil.copyfile(source / name, site / "runs" / name)


def _about_curves(found: Mapping[str, Any], *, thinned: bool) -> str:
    digest = list(COLUMNS).index(RUN)
    count = sum(row[digest] in found["histories"] for row in found["rows"])
    if thinned:
        return (
            f"Learning curves, which {count:,} of these runs have here, are thinned to about "
            f"{epochs_shown(len(found['histories']))} epochs each, with the first and the last, dense at the "
            "beginning."
        )
    return (
        f"Results keep the learning curves that a figure or table shows, whole or their last epochs: {count:,} of "
        "these runs have one here."
    )


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
        "columns": [
            {"name": name, "title": title, "form": form, "usual": name not in ASIDE}
            for name, (title, form) in COLUMNS.items()
        ],
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
