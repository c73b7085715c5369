"""How the published numbers that tables put beside ours compare, counted over all tables of a preset."""

import csv
from collections import Counter
from pathlib import Path

from rethinking.results.beside import AGREES, DIFFERS, NOT_RUN, OTHER_DATA

NAMES = {AGREES: "agree", DIFFERS: "differ", OTHER_DATA: "other_data", NOT_RUN: "not_run"}


def verdict_counts(source: Path) -> dict[str, str]:
    """Return how many rows of the tables in `source`, a preset's results, have each verdict, and how many have one.

    Claims are aside: they have verdicts of their own, and no number of a paper's need stand behind one.
    """
    counts: Counter[str] = Counter()
    for file in sorted((source / "tables").glob("*.csv")):
        if not file.stem.endswith("-claims"):
            with open(file, encoding="utf-8", newline="") as lines:
                for row in csv.DictReader(lines):
                    counts.update(row[name] for name in row if name.startswith("Verdict") and row[name] in NAMES)
    return {"total": f"{counts.total():,}", **{name: f"{counts[said]:,}" for said, name in NAMES.items()}}
