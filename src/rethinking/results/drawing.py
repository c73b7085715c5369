"""A figure in two steps: the points are computed from results, and the drawing sees nothing but the points.

So what is drawn, and the CSV file beside it, cannot disagree.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.frame import Estimate, Results, numbers_as_csv
from rethinking.results.panels import remark
from rethinking.results.style import style, svg

PAPER, OURS = "paper", "ours"

Point = dict[str, Any]
"""A line of a figure's points: what is drawn at one place, or why nothing is."""


@dataclass(frozen=True)
class Drawing:
    """How a figure is made.

    `points` returns one line a point, as `frame` makes it: `source` ("paper" or "ours"), `dataset`, `series`, the
    columns that this figure measures, `half_width` (of the 95 % interval, empty for none), `seeds` (how many the number
    is a mean of, empty where it is none) and `note` (why there is no number: "not run", "diverged"). `draw` turns
    exactly that into a figure.
    """

    points: Callable[[Results], pd.DataFrame]
    draw: Callable[[pd.DataFrame], Figure]
    over: str = "seed"
    """One of what means and intervals are over, where that is not seeds."""

    def texts(self, results: Results) -> dict[str, str]:
        """Return the content of the figure's files by ending: what is drawn, and its points."""
        points = self.points(results)
        with style():
            drawn = self.draw(points)
            remark(drawn, how_sure(points, self.over))
            return {".svg": svg(drawn), ".csv": numbers_as_csv(points)}


def how_sure(points: pd.DataFrame, over: str = "seed") -> str:
    """Return in words what our numbers are means of, and whether intervals stand beside them; "" for no means."""
    counts = points["seeds"].dropna().astype(int)
    if counts.empty:
        return ""
    fewest, most = counts.min(), counts.max()
    if most == 1:
        return f"One {over} a point, no intervals."
    number = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    if points["half_width"].isna().all():
        return f"Means of {number} {over}s."
    return f"Means of {number} {over}s, 95 % intervals{f' (none of one {over})' if fewest == 1 else ''}."


def point(source: str, dataset: str, series: str, at: Point, **measure: Estimate | str | float) -> Point:
    """Return the point of a series at `at`; the one `measure` is a number, an estimate, or why there is none."""
    ((name, value),) = measure.items()
    number, half_width, seeds, note = math.nan, math.nan, math.nan, ""
    if isinstance(value, Estimate):
        number, half_width = value.mean, math.nan if value.half_width is None else value.half_width
        seeds = value.seeds
    elif isinstance(value, str):
        note = value
    else:
        number = value
    where = {"source": source, "dataset": dataset, "series": series, **at}
    return where | {name: number, "half_width": half_width, "seeds": seeds, "note": note}


def frame(points: Iterable[Point]) -> pd.DataFrame:
    """Return points as a table; a column that some points lack is empty there. There must be at least one."""
    found = pd.DataFrame(list(points))
    last = ["half_width", "seeds", "note"]
    return found[[*found.columns.drop(last), *last]]
