"""What a figure is laid out on: its width, panels two by two, a key outside them, and a remark below."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rethinking.results.style import GREY, TEXT

WIDTH = 5.2
"""Inches, of every figure: 37 times the height of its text.

So text of 10 points, which the figure has on a page or a wide screen, is 8.5 pixels high on a phone that is 360 wide,
and 6.5 points in a printed column of 3.4 inches. Panels stand two by two for the same reason: a phone's reader scrolls
down anyway, and nothing has to be scrolled sideways or drawn twice.
"""

CHARACTERS = 62
"""About as many fit into a line as wide as the figure."""


class Panels(NamedTuple):
    """A figure, its axes in reading order, and places on its grid that are left over."""

    figure: Figure
    axes: list[Axes]
    spare: list[Axes]


def panels(count: int = 1, *, height: float = 3.0, columns: int = 2, share: bool = False) -> Panels:
    """Return a new figure with `count` panels; needs no display and no global state.

    Each row is `height` inches high with its labels; a key above and remarks below come in addition.
    With `share`, the panels of a row have one y axis.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    made = Figure(figsize=(WIDTH, height * rows))
    places = list(made.subplots(rows, columns, squeeze=False, sharey="row" if share else False).flat)
    for spare in places[count:]:
        spare.set_axis_off()
    return Panels(made, places[:count], places[count:])


def not_run(what: str) -> Figure:
    """Return a figure of which nothing was run, which is no higher than the line that says so."""
    made = panels(height=0.7)
    say_not_run(made.axes[0], what)
    return made.figure


def leave_out(drawn: Figure, what: Sequence[str]) -> None:
    """Say below the panels which ones there would be, had it been run."""
    remark(drawn, f"Not run at this scale: {'; '.join(what)}." if what else "")


def say_not_run(axes: Axes, what: str) -> None:
    """Say on empty axes that nothing was run, rather than show an empty frame."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, f"{what}:\nnot run at this scale", ha="center", va="center", color=GREY)


def key(made: Panels, handles: Sequence[Artist]) -> None:
    """Put the key where no curve is: into a place that is left over, or above all, in as few rows as there is room."""
    if made.spare:
        made.spare[0].legend(handles=handles, loc="center")
        return
    for rows in range(1, len(handles) + 1):
        columns = -(-len(handles) // rows)
        legend = made.figure.legend(handles=handles, loc="outside upper center", ncols=columns)
        size = legend.get_window_extent()
        if size.width <= made.figure.bbox.width or columns == 1:
            _grow(made.figure, size.height / made.figure.dpi)
            return
        legend.remove()


def label_left(made: Panels) -> None:
    """Leave y labels to the panels at the left: for panels that all show the same measure."""
    for axes in made.axes:
        place = axes.get_subplotspec()
        if place is not None and not place.is_first_col():
            axes.set_ylabel("")


def remark(drawn: Figure, text: str) -> None:
    """Put a remark below all panels, after those that are there; none if it is empty."""
    if text:
        lines = textwrap.wrap(text, CHARACTERS)
        words = "\n".join([*drawn.get_supxlabel().splitlines(), *lines])
        _grow(drawn, len(lines) * 1.3 * TEXT / 72)
        drawn.supxlabel(words, x=0.99, ha="right", color=GREY, fontsize=TEXT, fontstyle="italic")


def _grow(drawn: Figure, height: float) -> None:
    """Make a figure higher, in inches, so that what comes above or below its panels takes nothing from them."""
    drawn.set_figheight(drawn.get_figheight() + height)
