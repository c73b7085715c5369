"""Where a figure's panels, its key and its remarks stand."""

import pytest
from matplotlib.lines import Line2D

from rethinking.results.panels import key, label_left, panels, remark
from rethinking.results.scales import per_cent, plain_numbers, powers_of_two
from rethinking.results.style import style


def handles(count: int) -> list[Line2D]:
    return [Line2D([], [], label=f"a rather long name {number}") for number in range(count)]


@pytest.mark.parametrize(("count", "spare"), [(1, 0), (2, 0), (3, 1), (4, 0), (5, 1)])
def test_panels_stand_two_by_two(count: int, spare: int) -> None:
    made = panels(count)
    assert (len(made.axes), len(made.spare)) == (count, spare)
    assert {axes.get_subplotspec().get_gridspec().ncols for axes in made.axes} == {min(count, 2)}  # type: ignore[union-attr]
    assert not any(axes.axison for axes in made.spare)


def test_the_key_takes_a_place_that_is_left_over() -> None:
    with style():
        made = panels(3)
        key(made, handles(2))
    assert made.spare[0].get_legend() is not None
    assert not made.figure.legends


def test_a_key_above_has_as_many_columns_as_fit_and_takes_no_height_from_the_panels() -> None:
    heights = []
    for count in (1, 9):
        with style():
            made = panels(2)
            key(made, handles(count))
            made.figure.draw_without_rendering()
        (legend,) = made.figure.legends
        assert legend.get_window_extent().width <= made.figure.bbox.width
        heights.append(made.axes[0].get_window_extent().height)
    assert heights[0] == pytest.approx(heights[1], rel=0.05)


def test_remarks_stand_one_below_the_other() -> None:
    made = panels()
    for words in ("", "Not run: a.", "One seed."):
        remark(made.figure, words)
    assert made.figure.get_supxlabel() == "Not run: a.\nOne seed."


def test_panels_of_one_measure_name_it_at_the_left() -> None:
    made = panels(4)
    for axes in made.axes:
        per_cent(axes.yaxis, "Error")
    label_left(made)
    assert [axes.get_ylabel() for axes in made.axes] == ["Error (%)", "", "Error (%)", ""]


def test_axes_of_fractions_are_in_per_cent_and_long_numbers_written_out() -> None:
    (axes,) = panels().axes
    per_cent(axes.yaxis, "Error")
    assert [axes.yaxis.get_major_formatter()(value) for value in (0.0, 0.3, 0.123, 1.0)] == ["0", "30", "12.3", "100"]
    axes.set(xscale="log", xlim=(500, 2e6))
    plain_numbers(axes.xaxis, 1e-3)
    assert [axes.xaxis.get_major_formatter()(value) for value in (1e3, 1e6)] == ["1", "1,000"]


def test_ticks_are_powers_of_two_within_the_values() -> None:
    assert powers_of_two([3, 70]) == [4, 8, 16, 32, 64]
    assert powers_of_two([1, 512], most=5) == [1, 4, 16, 64, 256]
    assert powers_of_two([5, 6]) == [5]
