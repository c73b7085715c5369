"""Every figure of every study, drawn from the results that are recorded: told apart without colour, and legible."""

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex, to_rgba
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from rethinking.params_file import load_params
from rethinking.results.drawing import how_sure
from rethinking.results.frame import Results, load_results
from rethinking.results.panels import WIDTH, remark
from rethinking.results.style import TEXT, style
from rethinking.studies.registry import STUDIES, experiments

ROOT = Path(__file__).parents[2]
RECORDED = [
    pytest.param(preset, study.name, name, id=f"{preset}/{study.name}-{name}")
    for preset in ("digits", "paper", "smoke")
    for study in STUDIES.values()
    for name in study.figures
    if (ROOT / "results" / preset / "figures" / f"{study.name}-{name}.svg").is_file()
]
PHONE = 320
"""Pixels of CSS, 96 an inch: a screen 360 wide, less what the page leaves at its sides."""


@lru_cache
def recorded(preset: str) -> Results:
    params = load_params(ROOT / "params.yaml", preset=preset)
    return load_results(params, ROOT / "results" / preset, experiments(params))


@lru_cache
def points_and_figure(preset: str, study: str, name: str) -> tuple[pd.DataFrame, Figure]:
    """As `Drawing.texts` makes them, and laid out."""
    drawing = STUDIES[study].figure(name)
    points = drawing.points(recorded(preset).fresh())
    with style():
        drawn = drawing.draw(points)
        remark(drawn, how_sure(points, drawing.over))
        drawn.draw_without_rendering()
    return points, drawn


def series(axes: Axes) -> list[Line2D]:
    """The lines that stand for data: no reference lines, no bars of intervals."""
    bars = {
        cap
        for container in axes.containers
        if isinstance(container, ErrorbarContainer)
        for cap in container.lines[1]  # the ends of its bars
    }
    return [line for line in axes.lines if line not in bars and line.get_transform() == axes.transData]


def colourless(line: Line2D) -> tuple[object, ...]:
    """What is left of a line's look on a black-and-white print."""
    marker = str(line.get_marker()) if line.get_marker() not in ("", "None", None) else ""
    filled = line.get_fillstyle()
    if filled == "full" and to_rgba(line.get_markerfacecolor())[:3] == (1, 1, 1):
        filled = "none"
    if to_rgba(line.get_markerfacecolor())[3] == 0:
        filled = "none"
    dash = str(line._unscaled_dash_pattern) if line.get_linestyle() != "None" else ""  # type: ignore[attr-defined]
    shape = (marker, filled if marker not in ("x", "|", "_", "+", "") else "")
    return (*shape, dash, line.get_linewidth() > 2.5 if dash else False)


@pytest.mark.parametrize(("preset", "study", "name"), RECORDED)
def test_no_two_series_of_a_panel_differ_by_colour_alone(preset: str, study: str, name: str) -> None:
    _, drawn = points_and_figure(preset, study, name)
    for axes in drawn.axes:
        colours = defaultdict(set)
        for line in series(axes):
            colours[colourless(line)].add(to_hex(line.get_color()))
        assert all(len(of_look) == 1 for of_look in colours.values()), dict(colours)


def texts(drawn: Figure) -> Iterator[Text]:
    """All words and numbers that are seen."""
    for axes in drawn.axes:
        yield from axes.texts
        yield from (legend.get_texts() if (legend := axes.get_legend()) is not None else [])
        if axes.axison:
            yield axes.title
            for axis in (axes.xaxis, axes.yaxis):
                yield axis.label
                yield from _tick_labels(axis)
    for legend in drawn.legends:
        yield from legend.get_texts()
    if drawn._supxlabel is not None:  # type: ignore[attr-defined]
        yield drawn._supxlabel  # type: ignore[attr-defined]


def _tick_labels(axis: Axis) -> Iterator[Text]:
    low, high = sorted(axis.get_view_interval())
    margin = 1e-9 * (high - low)
    for tick in axis.get_major_ticks():
        if tick.label1.get_visible() and low - margin <= tick.get_loc() <= high + margin:
            yield tick.label1


@pytest.mark.parametrize(("preset", "study", "name"), RECORDED)
def test_all_words_can_be_read_on_a_phone_and_in_a_column(preset: str, study: str, name: str) -> None:
    _, drawn = points_and_figure(preset, study, name)
    assert drawn.get_figwidth() == WIDTH
    smallest = min(text.get_fontsize() for text in texts(drawn) if text.get_text())
    assert smallest == TEXT
    in_pixels = smallest * 96 / 72
    assert in_pixels * PHONE / (WIDTH * 96) >= 8
    assert smallest * 3.4 / WIDTH >= 6  # points, in a printed column of 3.4 inches


@pytest.mark.parametrize(("preset", "study", "name"), RECORDED)
def test_words_stand_inside_the_figure_and_on_no_other_words(preset: str, study: str, name: str) -> None:
    _, drawn = points_and_figure(preset, study, name)
    places = [(text.get_text(), text.get_window_extent()) for text in texts(drawn) if text.get_text().strip()]
    edge = drawn.bbox
    outside = [
        words
        for words, box in places
        if box.x0 < edge.x0 - 1 or box.x1 > edge.x1 + 1 or box.y0 < edge.y0 - 1 or box.y1 > edge.y1 + 1
    ]
    assert not outside
    # The box of a line is higher than its letters: a third of it may overlap.
    assert not [
        (one, other)
        for (one, a), (other, b) in combinations(places, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.34 * min(a.height, b.height)
    ]


@pytest.mark.parametrize(("preset", "study", "name"), RECORDED)
def test_no_key_covers_data(preset: str, study: str, name: str) -> None:
    _, drawn = points_and_figure(preset, study, name)
    assert all(axes.get_legend() is None or not axes.axison for axes in drawn.axes)
    for legend in drawn.legends:
        box = legend.get_window_extent()
        assert not any(axes.axison and box.overlaps(axes.get_window_extent()) for axes in drawn.axes)


@pytest.mark.parametrize(("preset", "study", "name"), RECORDED)
def test_a_figure_says_how_many_seeds_it_shows_and_draws_their_intervals(preset: str, study: str, name: str) -> None:
    points, drawn = points_and_figure(preset, study, name)
    counts = set(points["seeds"].dropna())
    said = " ".join(drawn.get_supxlabel().split())
    assert ("no intervals" in said) == (counts == {1})
    assert ("95 % intervals" in said) == points["half_width"].notna().any()
    if points["half_width"].notna().any():
        intervals = [artist for axes in drawn.axes for artist in axes.collections if len(artist.get_paths())]
        assert intervals
