"""No number of a result is typed: prose takes it from a variable, so that it is that of the runs behind this copy.

What a result is cannot be read off a number. So every number of two digits or more, with a decimal point or in per cent
counts as one, unless it stands where numbers mean something else, or its author marked it: `[46 %]{.given}` is a number
that our runs do not change, because a paper states it, a claim sets it as its threshold, or it is a size or a setting.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "report"

_NUMBER = re.compile(r"(?<![\w.,/-])(?:\d[\d,]*\d|\d)(?:\.\d+)?(?:\s?%)?(?![\w-])")
_ELSEWHERE = [
    r"```.*?```|`[^`\n]*`",  # code
    r"\$\$.*?\$\$|\$[^$]+\$",  # formulas
    r"\{\{<.*?>\}\}",  # variables and includes
    r"\[[^\]]*\]\{\.given\}",
    r"\[[^\]]*@[^\]]*\]",  # a citation, with its page or theorem
    r"\]\([^)]*\)|\bwidth=\d+%",  # where a link leads, how wide a figure is
    r"\b(?:Sections?|Tables?|Figures?|Theorem|Corollary|Equation|[Aa]ppendix) [A-Z]?[\d.]+\w?(?:,? and [\d.]+\w?)?",
    r"\b95 % (?:confidence )?intervals?\b",
    r"\b(?:19|20)\d\d\b(?! ?%|\.\d)",  # a year
]


def bare_numbers(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and number for each that is neither from a variable, nor marked, nor of another kind."""
    for pattern in _ELSEWHERE:
        text = re.sub(pattern, lambda found: re.sub(r"[^\n]", "#", found[0]), text, flags=re.DOTALL)
    for found in _NUMBER.finditer(text):
        if re.search(r"\d\D*\d|%", found[0]):
            yield text.count("\n", 0, found.start()) + 1, found[0]


@pytest.mark.parametrize("source", sorted(SOURCES.rglob("[!.]*.qmd")), ids=lambda path: path.name)
def test_no_number_of_a_result_is_typed(source: Path) -> None:
    found = [f"{source.name}:{line}: {number}" for line, number in bare_numbers(source.read_text(encoding="utf-8"))]
    assert not found, "take it from a variable, or mark what results cannot change: [46 %]{.given}"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Inception reaches 99.8 % after 377 steps.", [(1, "99.8 %"), (1, "377")]),
        ("first\n\n4.2 times, 12\nof 1,797", [(3, "4.2"), (3, "12"), (4, "1,797")]),
        ("at 7 %, once in 5 epochs", [(1, "7 %")]),
        ('![Loss.](a.svg){#fig-a fig-alt="It falls to 0.31."}', [(1, "0.31")]),
        ("| a | 87.50 |\n", [(1, "87.50")]),
        ("{{< var inception.accuracy >}}, of `0.95`, $n = 1000$, [46 %]{.given}, CIFAR-10, ResNet18", []),
        ("Section 2.2 and Figure 1a in 2017, with 95 % intervals [@zhang2017, Theorem 3.5]", []),
    ],
)
def test_a_bare_number_is_found_with_its_line(text: str, numbers: list[tuple[int, str]]) -> None:
    assert list(bare_numbers(text)) == numbers
