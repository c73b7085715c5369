"""A published number beside ours: the difference, and whether it is small enough to call the two alike.

Every table that shows both says so in these words, and every comparison has its tolerance in its column's heading.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, NamedTuple

import numpy as np

from rethinking.results.frame import Estimate
from rethinking.results.table import Column

AGREES, DIFFERS, NOT_RUN = "✓ agrees", "✗ differs", "– not run"
OTHER_DATA = "other data"
"""Ours is of other data than the paper's, or of a part of them: a difference says nothing about either."""

Ours = Estimate | float | str | None
"""A number, the mean over seeds, or why there is none; None where there is nothing to say."""


def number(ours: Ours) -> float | None:
    """Return the number, or the mean over seeds; None where there is none."""
    if ours is None or isinstance(ours, str):
        return None
    return ours.mean if isinstance(ours, Estimate) else ours


@dataclass(frozen=True)
class Tolerance:
    """How far ours may be from a paper's number. Of several seeds the mean is judged: a wide interval excuses nothing.

    In `points` both are fractions, and `within` is in percentage points; as a `share` it is a fraction of the paper's.
    """

    within: float
    unit: Literal["points", "share"] = "points"

    @property
    def text(self) -> str:
        """The tolerance as a heading or a sentence has it."""
        return f"{self.within:g} points" if self.unit == "points" else f"{100 * self.within:g} %"

    @property
    def verdict_column(self) -> Column:
        """The column of verdicts under this tolerance."""
        return Column(f"Verdict, within {self.text}", "verdict")

    def column(self, heading: str = "Δ") -> Column:
        """Return the column of differences under this tolerance."""
        return Column(heading, self.unit)

    def difference(self, paper: float | None, ours: Ours) -> float | None:
        """Return ours less the paper's, in percentage points or as a share of the paper's; None without both."""
        mean = number(ours)
        if paper is None or mean is None:
            return None
        return 100 * (mean - paper) if self.unit == "points" else mean / paper - 1

    def verdict(self, *pairs: tuple[float | None, Ours], same_data: bool = True) -> str | None:
        """Return whether all of the paper's numbers agree with those of ours that were run; None where it has none.

        What was run and has no number, such as a run that diverged, differs.
        """
        papers = [(paper, ours) for paper, ours in pairs if paper is not None]
        known = [(paper, ours) for paper, ours in papers if not _not_run(ours)]
        if not known:
            return NOT_RUN if papers else None
        if not same_data:
            return OTHER_DATA
        differences = [self.difference(paper, ours) for paper, ours in known]
        # Rounding in the last place must not turn a difference of just the tolerance into more.
        allowed = self.within * (1 + 1e-9)
        return AGREES if all(each is not None and abs(each) <= allowed for each in differences) else DIFFERS


def _not_run(ours: Ours) -> bool:
    return ours is None or (isinstance(ours, str) and ours.endswith("not run"))


class Apart(NamedTuple):
    """How far two curves are apart, at the places of the paper's that ours reaches."""

    places: int
    mean: float
    """Of the differences' sizes."""
    largest: float
    at: float
    """The place of the largest."""


def apart(paper: Mapping[float, float], ours: Mapping[float, float], relative: bool = False) -> Apart | None:
    """Return how far ours, a straight line between its points, is from the paper's values; None where none overlap.

    A `relative` distance is a share of the paper's value.
    """
    places = sorted(ours)
    shared = [place for place in sorted(paper) if places and places[0] <= place <= places[-1]]
    if not shared:
        return None
    theirs = np.array([paper[place] for place in shared])
    distances = np.abs(np.interp(shared, places, [ours[place] for place in places]) - theirs)
    if relative:
        distances = distances / np.abs(theirs)
    farthest = int(distances.argmax())
    return Apart(len(shared), fmean(distances), float(distances[farthest]), float(shared[farthest]))
