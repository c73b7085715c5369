"""How numbers are written in tables."""

import csv
import io

import pytest

from rethinking.results.frame import Estimate
from rethinking.results.table import Cell, Column, Points, Table


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("text", "Inception", "Inception"),
        ("percent", "not run", "not run"),
        ("percent", None, "–"),
        ("count", 1649402, "1,649,402"),
        ("percent", 0.8905, "89.05"),
        ("percent", 1.0, "100.00"),
        ("percent", Estimate(0.8905, None, 1), "89.05"),
        ("percent", Estimate(0.8905, 0.0123, 3), "89.05 ± 1.2"),
        ("points", 0.55, "+0.55"),
        ("points", -6.0, "−6.00"),
        ("number", 0.0005, "0.0005"),
        ("number", 3.58333, "3.58"),
        ("count", Estimate(36.5, 1.25, 3), "36.5 ± 1.2"),
        ("ratio", 3.6, "3.60"),
        ("level", 0.3, "30"),
        ("share", 0.0312, "+3.1 %"),
        ("share", -0.5, "−50 %"),
        ("points", -0.001, "+0.00"),
        ("percent", Points(-1.25), "−1.25"),
        ("verdict", "– not run", "–\u00a0not\u00a0run"),
    ],
    ids=str,
)
def test_a_value_is_written_as_its_column_says(form: str, value: Cell, text: str) -> None:
    assert Column("x", form).text(value) == text  # type: ignore[arg-type]


def test_an_interval_of_hundreds_of_steps_is_written_out() -> None:
    assert "e+" not in Column("Steps", "count").text(Estimate(3110.0, 123.0, 3))


TABLE = Table(
    [Column("Model"), Column("Test", "percent"), Column("Δ", "points")],
    [["Inception", Estimate(0.8905, 0.001, 3), -0.25], ["AlexNet", "not run", None], ["MLP", 0.5, 0.0]],
)


def test_markdown_is_a_pipe_table_with_numbers_to_the_right() -> None:
    assert TABLE.markdown() == (
        "| Model | Test | Δ |\n"
        "| :--- | ---: | ---: |\n"
        "| Inception | 89.05 ± 0.1 | −0.25 |\n"
        "| AlexNet | not run | – |\n"
        "| MLP | 50.00 | +0.00 |\n"
    )


def test_csv_has_the_same_values_unrounded_and_intervals_apart() -> None:
    rows = list(csv.reader(io.StringIO(TABLE.csv())))
    assert rows == [
        ["Model", "Test", "Test (95 % half width)", "Δ"],
        ["Inception", "0.8905", "0.001", "-0.25"],
        ["AlexNet", "not run", "", ""],
        ["MLP", "0.5", "", "0"],
    ]


def test_a_row_has_a_value_for_every_column() -> None:
    with pytest.raises(ValueError, match="a row has 1 values for 2 columns"):
        Table([Column("a"), Column("b")], [["only one"]])
