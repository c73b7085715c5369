"""Curves with their intervals."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

_BARS: dict[str, Any] = {"capsize": 2, "elinewidth": 0.8}


def draw_curve(axes: Axes, points: pd.DataFrame, x: str, y: str, *, band: bool = False, **look: Any) -> bool:
    """Draw column `y` against column `x` as far as there are numbers; return whether there are any.

    95 % intervals are bars, or a band where the points are too dense for bars.
    """
    known = points[points[y].notna()].sort_values(x)
    if known.empty:
        return False
    width = known["half_width"]
    if width.isna().all():
        axes.plot(known[x], known[y], **look)
    elif band:
        axes.plot(known[x], known[y], **look)
        low, high = known[y] - width.fillna(0.0), known[y] + width.fillna(0.0)
        axes.fill_between(known[x], low, high, color=look["color"], alpha=0.13, linewidth=0)
    else:
        axes.errorbar(known[x], known[y], yerr=width.fillna(0.0), **_BARS, **look)
    return True
