"""Under each figure and table of the rendered pages: what it is made of, and how it can be had again.

Cards are put into pages that are finished, whoever has rendered them. A PDF does without.
"""

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from rethinking.results.lineage import Lineage, read_lineage

_FIGURE = re.compile(r'<img[^>]*\bsrc="(?:\./)?_generated/figures/([\w-]+)\.svg"')
_TABLE_IN_SOURCE = re.compile(
    r"^::: \{#(tbl-[\w-]+)\}\s+\{\{< include _generated/tables/([\w-]+)\.md >\}\}", re.MULTILINE
)
# With whatever the renderer has put around it, such as what scrolls.
_END_OF_TABLE = re.compile(r"</table>(?:\s*</(?:div|figure)>)*")
_END_OF_FIGURE = re.compile(r"</figure>")


def add_cards(report: Path, source: Path, site: Path, repository: str = "") -> None:
    """Put a card under each figure and table of the pages in `site` that `source`, a preset's results, has a record of.

    `report` holds the pages' sources. What a figure or table shows is copied beside the pages, to `data/`. `repository`
    is the address under which the project's code can be read, if there is one.
    """
    tables = dict(_tables_of(report))
    for page in sorted(site.glob("*.html")):
        text = page.read_text(encoding="utf-8")
        found = [(name, match.end(), _END_OF_FIGURE) for match in _FIGURE.finditer(text) for name in match.groups()]
        for identifier, name in tables.items():
            if (match := re.search(rf'\bid="{identifier}"', text)) is not None:
                found.append((name, match.end(), _END_OF_TABLE))
        # From the end, so that places before it stay where they are.
        for name, place, pattern in sorted(found, key=lambda each: each[1], reverse=True):
            kind = "figures" if pattern is _END_OF_FIGURE else "tables"
            record, end = source / kind / f"{name}.json", pattern.search(text, place)
            if record.is_file() and end is not None:
                (site / "data" / kind).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(record.with_suffix(".csv"), site / "data" / kind / f"{name}.csv")
                text = text[: end.end()] + card(read_lineage(record), repository) + text[end.end() :]
        page.write_text(text, encoding="utf-8")


def card(lineage: Lineage, repository: str = "") -> str:
    """Return the card of a figure or table as HTML."""
    name = f"{lineage.study}-{lineage.name}"
    file = f"src/{lineage.module.replace('.', '/')}.py"
    code = f"<code>{html.escape(file)}</code>"
    if repository and lineage.commit:
        code = f'<a href="{html.escape(repository.rstrip("/"))}/blob/{lineage.commit}/{file}">{code}</a>'
    lines = {
        "Study, preset": f"{html.escape(lineage.study.replace('_', ' '))}, {html.escape(lineage.preset)}",
        "Made of": html.escape(_made_of(lineage)),
        "Devices": html.escape(", ".join(_devices(lineage)) or "none: nothing was computed for it"),
        "Settings": f"<code>{lineage.settings}</code>, the digest of what params.yaml has for it",
        "Made by": f"{code}, <code>{html.escape(lineage.function)}</code>, {html.escape(_commit(lineage))}",
        "Data": f'<a href="data/{lineage.kind}s/{name}.csv" download>{name}.csv</a>',
        "Again": f"<code>{html.escape(lineage.command)}</code>",
    }
    listed = "".join(f"<dt>{term}</dt><dd>{value}</dd>" for term, value in lines.items())
    summary = f"Source of this {lineage.kind}"
    return f'\n<details class="provenance"><summary>{summary}</summary><dl>{listed}</dl></details>\n'


def _made_of(lineage: Lineage) -> str:
    counts = ((len(lineage.runs), "run"), (len(lineage.experiments), "experiment"))
    parts = [f"{count} {what}{'s' if count > 1 else ''}" for count, what in counts if count]
    seeds = sorted({run.seed for run in lineage.runs})
    if seeds:
        shown = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {', '.join(map(str, seeds))}"
        parts.append(shown)
    return ", ".join(parts) or "the papers' values alone"


def _devices(lineage: Lineage) -> list[str]:
    made = [(run.device_name, run.precision) for run in lineage.runs]
    made += [(experiment.device_name, None) for experiment in lineage.experiments]
    known = dict.fromkeys((name, precision) for name, precision in made if name)
    named = {name for name, precision in known if precision}
    return [
        f"{name} ({precision})" if precision else str(name)
        for name, precision in known
        if precision or name not in named
    ]


def _commit(lineage: Lineage) -> str:
    if lineage.commit is None:
        return "outside a checkout"
    changed = ", with changes that were not committed" if lineage.uncommitted_changes else ""
    return f"commit {lineage.commit[:10]}{changed}"


def _tables_of(report: Path) -> Iterator[tuple[str, str]]:
    """Yield the identifier of each table in the sources that includes a generated one, and that one's name."""
    for file in sorted((*report.glob("[!_.]*.qmd"), *report.glob("sections/*.qmd"))):
        yield from _TABLE_IN_SOURCE.findall(file.read_text(encoding="utf-8"))
