"""The papers' own tables and curves, as CSV files beside this module.

Curves are the coordinates stored in the papers' vector figures, save for files whose name says that they were read by
eye; accuracies and errors in them are fractions, in the tables percentages as printed.
"""

import csv
import hashlib
from functools import cache
from importlib.resources import files


@cache
def read_published(name: str, paper: str = "zhang2017") -> tuple[dict[str, str], ...]:
    """Return the rows of one published table or figure, for example "table1" or "figure1a"."""
    text = files(__package__).joinpath("published", f"{paper}_{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def published_digest() -> str:
    """Return 16 hexadecimal digits that change with any of the published values."""
    digest = hashlib.sha256()
    values = (file for file in files(__package__).joinpath("published").iterdir() if file.name.endswith(".csv"))
    for file in sorted(values, key=lambda file: file.name):
        digest.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def published_curve(name: str, x: str, y: str, **where: str) -> tuple[list[float], list[float]]:
    """Return the coordinates of one series, for example ("figure1a", "step", "train_loss", series="gaussian")."""
    rows = [row for row in read_published(name) if all(row[key] == value for key, value in where.items())]
    if not rows:
        raise KeyError(f"{name} has no series with {where}")
    return [float(row[x]) for row in rows], [float(row[y]) for row in rows]
