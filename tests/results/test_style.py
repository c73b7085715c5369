"""Colours have the contrast that they need."""

import pytest

from rethinking.results import style


@pytest.mark.parametrize("name", ["BLUE", "ORANGE", "GREEN", "PURPLE", "RED", "BLACK", "GREY"])
def test_lines_have_the_contrast_of_graphics_and_words_that_of_text(name: str) -> None:
    color = getattr(style, name)
    assert style.contrast_on_white(color) >= 3
    assert style.contrast_on_white(style.ink(color)) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert style.contrast_on_white("white") == pytest.approx(1)
    assert style.contrast_on_white("black") == pytest.approx(21)
    assert style.contrast_on_white("#767676") == pytest.approx(4.54, abs=0.005)  # the lightest grey for text


def test_words_in_a_dark_enough_colour_keep_it() -> None:
    assert style.ink(style.BLUE) == style.BLUE
