"""One visual language for all figures: vector, legible on a phone, distinct with and without colour.

Blue, vermilion and orange are labels that were learned: true, random, and some of them wrong. In figures without such a
contrast, black and green are test and train. What has a colour also has a marker, a fill or a dash of its own: a test
holds every figure to it.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from rethinking.results.titles import CORRUPTION_TITLES

# Okabe & Ito 2008, told apart by colour-blind readers; orange and purple darker, so that lines of every colour have a
# contrast of 3 to 1 on white (WCAG 2.2, 1.4.11).
BLUE, ORANGE, GREEN, PURPLE, RED, BLACK = "#0072B2", "#BC8000", "#009E73", "#B5719A", "#D55E00", "#000000"
GREY = "#6b6b6b"

Look = dict[str, Any]
"""Keywords of matplotlib's lines."""

LABELS: dict[str, Look] = {
    "true": {"color": BLUE, "markerfacecolor": BLUE},
    "random-labels": {"color": RED, "markerfacecolor": "white"},
    "wrong": {"color": ORANGE, "markerfacecolor": ORANGE, "markerfacecoloralt": "white", "fillstyle": "left"},
}
"""Labels that a network has learned: colour, and full, open or half-open markers, whose shape is free to say more."""

TEST: Look = {"marker": "o", "linestyle": "-"}
TRAIN: Look = {"marker": "^", "linestyle": ":"}
"""Which examples, where colour says something else; alone, test is black and train green."""

_CORRUPTION_LOOKS: dict[str, Look] = {
    "true": {"color": BLUE, "linestyle": "-"},
    "random-labels": {"color": RED, "linestyle": "--"},
    "shuffled-pixels": {"color": GREEN, "linestyle": "-."},
    "random-pixels": {"color": PURPLE, "linestyle": (0, (1, 1))},
    "gaussian": {"color": BLACK, "linestyle": (0, (4, 1, 1, 1))},
}
CORRUPTION_STYLE = {name: look | {"label": CORRUPTION_TITLES[name]} for name, look in _CORRUPTION_LOOKS.items()}
"""Curves without markers, one for each corruption."""

STRENGTHS: tuple[Look, ...] = (
    {"color": PURPLE, "marker": "s", "linestyle": "--"},
    {"color": ORANGE, "marker": "D", "linestyle": "-."},
    {"color": GREEN, "marker": "v", "linestyle": (0, (4, 1, 1, 1))},
    {"color": GREY, "marker": "P", "linestyle": ":"},
)
"""Rising strengths of one thing, such as a penalty, beside a black curve without it."""

PUBLISHED: Look = {
    "color": GREY,
    "alpha": 0.45,
    "linewidth": 3.2,
    "solid_capstyle": "round",
    "zorder": 1,
}
"""The paper's own curve: a wide, pale line behind ours."""

REFERENCE: Look = {"color": GREY, "linestyle": (0, (1, 2)), "linewidth": 1.0, "zorder": 1}
"""A line that is no curve: chance, a threshold, a bound."""

TEXT = 10.0
"""Points, of all text alike: less is not legible on a phone, see `panels.WIDTH`."""

_SETTINGS: Any = {
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.titleweight": "bold",
    "axes.labelsize": TEXT,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "legend.fontsize": TEXT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.columnspacing": 1.2,
    "legend.handletextpad": 0.5,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.0,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "rethinking",  # the same figure is the same file
    "svg.fonttype": "path",
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the project's look to everything drawn inside the block."""
    with mpl.rc_context(_SETTINGS):
        yield


def contrast_on_white(color: str) -> float:
    """Return a colour's contrast on white, between 1 and 21 (WCAG 2.2)."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(color)]
    return float(1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05))


def ink(color: str) -> str:
    """Return the colour, darker as far as words in it need to be: a contrast of 4.5 to 1 on white (WCAG 2.2, 1.4.3)."""
    while contrast_on_white(color) < 4.5:
        red, green, blue = to_rgb(color)
        color = to_hex((0.95 * red, 0.95 * green, 0.95 * blue))
    return color


def svg(drawn: Figure) -> str:
    """Return the figure as SVG text, the same for equal figures."""
    text = io.StringIO()
    drawn.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
