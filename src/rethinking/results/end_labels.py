"""Names of curves, written where they end: nobody has to look them up in a legend."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D

from rethinking.results.style import TEXT, ink

LINE = 1.15
"""From one label to the next, in heights of their text."""


def label_ends(axes: Axes) -> None:
    """Write the name of each curve to the right of the axes, as high as it ends, in its colour; none over another.

    Call it last, when limits and scales are set.
    """
    drawn = axes.get_figure(root=True)
    assert drawn is not None
    handles, names = axes.get_legend_handles_labels()
    labels, heights = [], []
    for handle, name in zip(handles, names, strict=True):
        line = handle.lines[0] if isinstance(handle, ErrorbarContainer) else handle
        assert isinstance(line, Line2D)
        low, high = sorted(axes.get_ylim())
        end = min(max(float(np.asarray(line.get_ydata())[-1]), low), high)
        labels.append(
            axes.annotate(
                name,
                (1.0, end),
                xycoords=("axes fraction", "data"),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                color=ink(to_hex(line.get_color())),
                annotation_clip=False,
            )
        )
        heights.append(end)
    drawn.draw_without_rendering()  # now the layout says how far apart ends are
    points = 72 / drawn.dpi
    places = [points * float(axes.transData.transform((1.0, height))[1]) for height in heights]
    sizes = [LINE * TEXT * len(name.splitlines()) for name in names]
    for label, place, moved in zip(labels, places, apart(places, sizes), strict=True):
        label.set_position((7, moved - place))


def apart(places: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Return the middles of things of these sizes, moved as little as possible (least squares) so that none overlap.

    They keep their order.
    """
    from scipy.optimize import isotonic_regression  # takes a moment to import

    order = sorted(range(len(places)), key=places.__getitem__)
    if not order:
        return []
    # Middles that keep their distances are a rising sequence added to that of things stacked without a gap.
    halves = [sizes[index] / 2 for index in order]
    stacked = [0.0, *accumulate(one + other for one, other in pairwise(halves))]
    rising = isotonic_regression([places[index] - height for index, height in zip(order, stacked, strict=True)]).x
    moved = dict(zip(order, (float(low) + height for low, height in zip(rising, stacked, strict=True)), strict=True))
    return [moved[index] for index in range(len(places))]
