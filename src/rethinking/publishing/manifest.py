"""codecheck.yml: the outputs that somebody who checks this project's computations is to make again.

Made from the registry of studies, as CODECHECK's configuration specification 1.0 has it. The codechecker adds who
checked, when, and where the certificate is.
"""

from pathlib import Path
from typing import Any

import yaml

from rethinking.studies.registry import STUDIES

MANIFEST = Path("codecheck.yml")


def manifest(preset: str, citation: Path = Path("CITATION.cff")) -> str:
    """Return the file's content: the tables, figures, claims and cells of a preset, each with what it is."""
    cited = yaml.safe_load(citation.read_text(encoding="utf-8"))
    content: dict[str, Any] = {
        "version": "https://codecheck.org.uk/spec/config/1.0/",
        "paper": {
            "title": cited["title"],
            "authors": [{"name": _name(author)} for author in cited["authors"]],
        },
        "manifest": [{"file": f"results/{preset}/{file}", "comment": comment} for file, comment in _outputs()],
    }
    head = "# Printed by `rethinking manifest`; a test holds it to the studies.\n"
    return "---\n" + head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def _outputs() -> list[tuple[str, str]]:
    outputs = [
        ("cells.csv", "every training run, one line each"),
        ("claims.json", "the article's claims, with verdicts and evidence"),
        ("metrics.json", "the headline numbers"),
    ]
    for study in STUDIES.values():
        title = study.name.replace("_", " ")
        outputs += [(f"tables/{study.name}-{name}.csv", f"{title}: table {name}") for name in study.tables]
        outputs += [(f"figures/{study.name}-{name}.svg", f"{title}: figure {name}") for name in study.figures]
    return outputs


def _name(author: dict[str, str]) -> str:
    return author.get("name") or f"{author['given-names']} {author['family-names']}"
