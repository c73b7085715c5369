"""Tables as data (CSV) and as the article's Markdown, from one definition."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rethinking.results.frame import Estimate

Cell = str | int | float | Estimate | None

MINUS = "−"  # the typographic minus sign: as wide as the plus
NBSP = "\u00a0"


class Points(float):
    """A difference in percentage points, written as such in a column of whatever else."""


@dataclass(frozen=True)
class Column:
    """A column: its heading, and how its values are written.

    `form` is "text", "verdict" (a few words that stay on one line), "count" (whole number), "percent" (a fraction as a
    percentage with two decimals), "level" (a fraction as a whole percentage), "points" (a difference of percentages,
    with its sign), "share" (a fraction as a percentage with its sign), "ratio" (two decimals) or "number" (three
    significant digits).
    """

    heading: str
    form: Literal["text", "verdict", "count", "percent", "level", "points", "share", "ratio", "number"] = "text"

    def text(self, value: Cell) -> str:
        """Return a value as the article shows it; an en dash where there is none."""
        if value is None:
            return "–"
        if isinstance(value, str):
            return value.replace(" ", NBSP) if self.form == "verdict" else value
        if isinstance(value, Points):
            return _signed(value, 2)
        mean, half_width = (value.mean, value.half_width) if isinstance(value, Estimate) else (value, None)
        match self.form:
            case "count":
                shown = f"{mean:,.0f}" if half_width is None else f"{mean:,.1f}"
                interval = half_width
            case "percent":
                shown, interval = f"{100 * mean:.2f}", None if half_width is None else 100 * half_width
            case "points":
                shown, interval = _signed(mean, 2), None
            case "share":
                shown, interval = f"{_signed(100 * mean, 1 if abs(mean) < 0.1 else 0)} %", None
            case "level":
                shown, interval = f"{100 * mean:.0f}", None
            case "ratio":
                shown, interval = f"{mean:.2f}", half_width
            case _:
                shown, interval = f"{mean:,.0f}" if abs(mean) >= 1000 else f"{mean:.3g}", half_width
        if interval is None:
            return shown
        return f"{shown} ± {interval:,.0f}" if interval >= 10 else f"{shown} ± {interval:.2g}"

    @property
    def alignment(self) -> str:
        """Return the pipe table's rule below the heading: text to the left, numbers to the right."""
        return ":---" if self.form in ("text", "verdict") else "---:"


@dataclass(frozen=True)
class Table:
    """Columns and rows; every row has a value for every column."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row has {len(row)} values for {len(self.columns)} columns: {row}")

    def markdown(self) -> str:
        """Return a pipe table. Headings of equal text are kept apart by the article's readers, so none may repeat."""
        lines = [
            [column.heading for column in self.columns],
            [column.alignment for column in self.columns],
            *([column.text(value) for column, value in zip(self.columns, row, strict=True)] for row in self.rows),
        ]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def texts(self) -> dict[str, str]:
        """Return the content of the table's files by ending."""
        return {".csv": self.csv(), ".md": self.markdown()}

    def csv(self) -> str:
        """Return the same values unrounded; an estimate's half width stands in a column of its own."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        wide = [any(isinstance(row[position], Estimate) for row in self.rows) for position in range(len(self.columns))]
        headings: list[str] = []
        for column, has_interval in zip(self.columns, wide, strict=True):
            headings += [column.heading, f"{column.heading} (95 % half width)"] if has_interval else [column.heading]
        writer.writerow(headings)
        for row in self.rows:
            values: list[object] = []
            for value, has_interval in zip(row, wide, strict=True):
                if isinstance(value, Estimate):
                    values += [value.mean, value.half_width]
                else:
                    values += [value, None] if has_interval else [value]
            writer.writerow(format(v, ".6g") if isinstance(v, float) else v for v in values)
        return text.getvalue()


def _signed(number: float, digits: int) -> str:
    """Return a difference with its sign; one that rounds to nought is no negative one."""
    return f"{round(number, digits) + 0.0:+,.{digits}f}".replace("-", MINUS)
