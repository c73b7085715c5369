"""One visual language for all figures: vector, readable at column width, distinct with and without colour."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rethinking.results.titles import CORRUPTION_TITLES, MODEL_TITLES

# Okabe & Ito 2008: told apart by colour-blind readers.
BLUE, ORANGE, GREEN, PURPLE, RED, SKY, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
    "#000000",
)
GREY = "#6b6b6b"

COLUMN_WIDTH = 6.4  # inches; the article's text is about as wide

_MODEL_LOOKS: dict[str, dict[str, Any]] = {
    "inception": {"color": BLUE, "marker": "o"},
    "inception-nobn": {"color": SKY, "marker": "v"},
    "alexnet": {"color": RED, "marker": "s"},
    "mlp-3x512": {"color": PURPLE, "marker": "D"},
    "mlp-1x512": {"color": GREEN, "marker": "^"},
}
MODEL_STYLE = {name: look | {"label": MODEL_TITLES[name]} for name, look in _MODEL_LOOKS.items()}

_CORRUPTION_LOOKS: dict[str, dict[str, Any]] = {
    "true": {"color": BLUE, "linestyle": "-"},
    "random-labels": {"color": RED, "linestyle": "--"},
    "shuffled-pixels": {"color": GREEN, "linestyle": "-."},
    "random-pixels": {"color": PURPLE, "linestyle": (0, (1, 1))},
    "gaussian": {"color": BLACK, "linestyle": (0, (4, 1, 1, 1))},
}
CORRUPTION_STYLE = {name: look | {"label": CORRUPTION_TITLES[name]} for name, look in _CORRUPTION_LOOKS.items()}

PUBLISHED: dict[str, Any] = {
    "color": GREY,
    "alpha": 0.45,
    "linewidth": 3.2,
    "solid_capstyle": "round",
    "zorder": 1,
}
"""The paper's own curve: a wide, pale line behind ours."""

_SETTINGS: Any = {
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "rethinking",  # the same figure is the same file
    "svg.fonttype": "path",
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the project's look to everything drawn inside the block."""
    with mpl.rc_context(_SETTINGS):
        yield


def figure(width: float = COLUMN_WIDTH, height: float = 3.4, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a new figure, in inches, and its axes side by side; needs no display and no global state."""
    made = Figure(figsize=(width, height))
    axes = made.subplots(1, columns, squeeze=False)[0]
    return made, list(axes)


def say_not_run(axes: Axes, what: str) -> None:
    """Say on empty axes that nothing was run, rather than show an empty frame."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, f"{what}:\nnot run at this scale", ha="center", va="center", color=GREY)


def svg(drawn: Figure) -> str:
    """Return the figure as SVG text, the same for equal figures."""
    text = io.StringIO()
    drawn.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
