"""Names at the ends of curves: each where its curve ends, none over another."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethinking.results.end_labels import LINE, apart, label_ends
from rethinking.results.panels import panels
from rethinking.results.style import TEXT, style

PLACES = st.lists(st.floats(-100, 100), max_size=8, unique=True)


@given(PLACES, st.lists(st.floats(0.1, 30), min_size=8, max_size=8))
def test_moved_places_keep_their_order_and_their_distance(places: list[float], sizes: list[float]) -> None:
    moved = apart(places, sizes)
    order = sorted(range(len(places)), key=places.__getitem__)
    assert all(moved[b] - moved[a] >= (sizes[a] + sizes[b]) / 2 - 1e-6 for a, b in itertools.pairwise(order))
    assert sum(moved) == pytest.approx(sum(places), abs=1e-6)  # as much down as up


def test_places_that_are_far_enough_apart_stay() -> None:
    assert apart([30.0, 0.0, 12.0], [10.0] * 3) == pytest.approx([30.0, 0.0, 12.0])


def test_two_that_meet_give_way_alike() -> None:
    assert apart([5.0, 5.5, 40.0], [10.0] * 3) == pytest.approx([0.25, 10.25, 40.0])
    assert apart([5.0, 5.0], [10.0, 20.0]) == pytest.approx([-2.5, 12.5])


def test_labels_stand_at_the_ends_of_their_curves_in_their_order() -> None:
    with style():
        drawn, (axes,), _ = panels()
        for name, end in {"low": 0.0, "near": 0.05, "high": 1.0}.items():
            axes.plot([0, 1], [0.5, end], label=name)
        axes.set_ylim(0, 1)
        label_ends(axes)
        drawn.draw_without_rendering()
    heights = {text.get_text(): text.get_window_extent() for text in axes.texts}
    middle = {name: (box.y0 + box.y1) / 2 for name, box in heights.items()}
    assert middle["high"] == pytest.approx(axes.transData.transform((1, 1.0))[1], abs=2)
    assert middle["near"] - middle["low"] == pytest.approx(LINE * TEXT * drawn.dpi / 72, abs=1)
    assert all(box.x0 > axes.get_window_extent().x1 for box in heights.values())
