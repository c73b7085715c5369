"""Under each figure and table of the rendered pages: what it is made of, and how it can be had again.

Cards are put into pages that are finished, whoever has rendered them. A PDF does without.
"""

import html
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rethinking.article import full_size
from rethinking.article.code_links import CodeLinks
from rethinking.experiments.records import ExperimentRecord
from rethinking.results.lineage import Lineage, read_lineage

_FIGURE = re.compile(r'<img[^>]*\bsrc="(?:\./)?_generated/figures/([\w-]+)\.svg"')
_TABLE_IN_SOURCE = re.compile(
    r"^::: \{#(tbl-[\w-]+)\}\s+\{\{< include _generated/tables/([\w-]+)\.md >\}\}", re.MULTILINE
)
# With whatever the renderer has put around it, such as what scrolls.
_END_OF_TABLE = re.compile(r"</table>(?:\s*</(?:div|figure)>)*")
_END_OF_FIGURE = re.compile(r"</figure>")


NO_CODE = CodeLinks()


def add_cards(
    report: Path,
    source: Path,
    site: Path,
    code: CodeLinks = NO_CODE,
    experiments: Iterable[ExperimentRecord] = (),
) -> None:
    """Put a card under each figure and table of the pages in `site` that `source`, a preset's results, has a record of.

    `report` holds the pages' sources. What a figure or table shows is copied beside the pages, to `data/`. `code` says
    where code is read, `experiments` which seeds those had whose results are shown.
    """
    seeds = {f"{each.study}/{each.kind}/{each.unit}": each.settings.get("seed") for each in experiments}
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
            record, end = _record(source, kind, name), pattern.search(text, place)
            if record.is_file() and end is not None:
                (site / "data" / kind).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(record.with_suffix(".csv"), site / "data" / kind / f"{name}.csv")
                text = text[: end.end()] + card(read_lineage(record), code, seeds, name) + text[end.end() :]
        page.write_text(text, encoding="utf-8")


def _record(source: Path, kind: str, name: str) -> Path:
    """Return the record of what the article calls `name`; the rows at full size are always those of one preset."""
    if name in full_size.TABLES:
        return source.parent / full_size.PRESET / kind / f"{full_size.TABLES[name]}.json"
    return source / kind / f"{name}.json"


def card(
    lineage: Lineage, code: CodeLinks = NO_CODE, seeds: Mapping[str, int | None] | None = None, name: str = ""
) -> str:
    """Return the card of a figure or table as HTML.

    `seeds` are those of experiments, by name; `name` is that of the data beside the pages, where it is another than the
    figure's or table's own.
    """
    name = name or f"{lineage.study}-{lineage.name}"
    file = f"src/{lineage.module.replace('.', '/')}.py"
    drawn_by = _linked(f"<code>{html.escape(file)}</code>", code.file(file, lineage.commit))
    lines = {
        "Study, preset": f"{html.escape(lineage.study.replace('_', ' '))}, {html.escape(lineage.preset)}",
        "Made of": html.escape(_made_of(lineage, seeds or {})),
        "Computed at": _computed_at(lineage, code),
        "Devices": html.escape(", ".join(_devices(lineage)) or "none: nothing was computed for it"),
        "Settings": f"<code>{lineage.settings}</code>, the digest of what params.yaml has for it",
        "Made by": f"{drawn_by}, <code>{html.escape(lineage.function)}</code>, "
        f"{_commit(lineage.commit, lineage.uncommitted_changes, code)}",
        "Data": f'<a href="data/{lineage.kind}s/{name}.csv" download>{name}.csv</a>',
        "Again": f"<code>{html.escape(lineage.command)}</code>",
    }
    listed = "".join(f"<dt>{term}</dt><dd>{value}</dd>" for term, value in lines.items())
    summary = f"Source of this {lineage.kind}"
    return f'\n<details class="provenance"><summary>{summary}</summary><dl>{listed}</dl></details>\n'


def _made_of(lineage: Lineage, seeds: Mapping[str, int | None]) -> str:
    made: dict[str, Sequence[int | None]] = {
        "run": [run.seed for run in lineage.runs],
        "experiment": [seeds.get(each.name) for each in lineage.experiments],
    }
    parts = []
    for what, found in made.items():
        if found:
            parts.append(f"{len(found)} {what}{'s' if len(found) > 1 else ''}{_seeds(found)}")
    return "; ".join(parts) or "the papers' values alone"


def _seeds(found: Iterable[int | None]) -> str:
    known = sorted({seed for seed in found if seed is not None})
    if not known:
        return ""
    return f", seed {known[0]}" if len(known) == 1 else f", seeds {', '.join(map(str, known))}"


def _computed_at(lineage: Lineage, code: CodeLinks) -> str:
    """Return the commits of the runs and experiments, each with how many were made there, the most first."""
    runs = Counter((run.commit, run.uncommitted_changes) for run in lineage.runs)
    experiments = Counter((each.commit, each.uncommitted_changes) for each in lineage.experiments)
    found = []
    for (commit, changed), _ in (runs + experiments).most_common():
        counts = ((runs[commit, changed], "run"), (experiments[commit, changed], "experiment"))
        what = ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count)
        found.append(f"{_commit(commit, changed, code)} ({what})")
    return "; ".join(found) or "nothing was computed for it"


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


def _commit(commit: str | None, uncommitted_changes: bool | None, code: CodeLinks) -> str:
    if commit is None:
        return "outside a checkout"
    changed = ", with changes that were not committed" if uncommitted_changes else ""
    return f"commit {_linked(commit[:10], code.commit(commit))}{changed}"


def _linked(text: str, address: str | None) -> str:
    return f'<a href="{html.escape(address)}">{text}</a>' if address else text


def _tables_of(report: Path) -> Iterator[tuple[str, str]]:
    """Yield the identifier of each table in the sources that includes a generated one, and that one's name."""
    for file in sorted((*report.glob("[!_.]*.qmd"), *report.glob("sections/*.qmd"))):
        yield from _TABLE_IN_SOURCE.findall(file.read_text(encoding="utf-8"))
