"""Dot plots: a row for each thing, in groups below a heading, so that names stand beside the dots and not in a key."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from rethinking.results.panels import Panels, panels

ROW = 0.2
"""Inches, a little more than a line of text."""


class Rows(NamedTuple):
    """A figure of one panel, and the height of each row in it, by the names of its group and its own."""

    made: Panels
    axes: Axes
    places: dict[tuple[str, str], float]


def rows(groups: Mapping[str, Sequence[str]]) -> Rows:
    """Return a new figure with a row for each name of each group, from the top down; the x axis is yet to be set."""
    lines = sum(len(names) + 1 for names in groups.values())
    made = panels(height=ROW * lines + 0.6)
    (axes,) = made.axes
    places: dict[tuple[str, str], float] = {}
    headings: list[int] = []
    texts: list[str] = []
    for group, names in groups.items():
        headings.append(len(texts))
        texts.append(group)
        for name in names:
            places[group, name] = -float(len(texts))
            texts.append(name)
    axes.set_yticks([-line for line in range(len(texts))], texts)
    for line in headings:
        axes.get_yticklabels()[line].set_fontweight("bold")
    axes.set_ylim(0.4 - len(texts), 0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    return Rows(made, axes, places)
