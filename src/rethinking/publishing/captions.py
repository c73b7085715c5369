"""What the article's captions say, as plain text: for the record of the workflow, which is made without the article."""

import re
from collections.abc import Mapping
from pathlib import Path

from rethinking.results.lineage import Kind

_CAPTIONS: dict[Kind, re.Pattern[str]] = {
    "figure": re.compile(r"!\[(?P<caption>.+)\]\(_generated/figures/(?P<name>[\w-]+)\.svg\)"),
    "table": re.compile(
        r"^\{\{< include _generated/tables/(?P<name>[\w-]+)\.md >\}\}\n\n(?P<caption>.+)\n\n:::", flags=re.MULTILINE
    ),
}

_ELSEWHERE = {"eq": "equation", "fig": "figure", "tbl": "table", "sec": "section"}


def captions(report: Path, settings: Mapping[str, object]) -> dict[tuple[Kind, str], str]:
    """Return the caption of each generated figure and table in the article's sources, by its kind and name.

    Without markup. `settings` are the settings that prose names; asides that name results, which only the rendered
    article can fill in, are left out.
    """
    found: dict[tuple[Kind, str], str] = {}
    for file in sorted((*report.glob("[!_.]*.qmd"), *report.glob("sections/*.qmd"))):
        text = file.read_text(encoding="utf-8")
        for kind, pattern in _CAPTIONS.items():
            found |= {(kind, match["name"]): _plain(match["caption"], settings) for match in pattern.finditer(text)}
    return found


def _plain(markdown: str, settings: Mapping[str, object]) -> str:
    text = re.sub(r"\{\{< var settings\.(\w+) >\}\}", lambda name: str(settings[name[1]]), markdown)
    text = re.sub(r"\s*\([^()]*(?:\{\{<|@)[^()]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\{[^}]*\}", r"\1", text)  # a number that is marked as given
    text = re.sub(r"@(eq|fig|tbl|sec)-[\w-]+", lambda place: f"an {_ELSEWHERE[place[1]]} of the article", text)
    text = re.sub(r"@([a-z]+)(\d{4})\w*", lambda cited: f"{cited[1].capitalize()} {cited[2]}", text)
    return re.sub(r"\\(?=[a-z])|[*$]", "", text)
