"""Put a preset's results where the article's sources read them: tables, figures and `_variables.yml`."""

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from rethinking.article.full_size import full_size_tables, full_size_verdicts
from rethinking.article.papers import papers_values
from rethinking.article.settings import (
    DATASET_DESCRIPTIONS,
    DATASET_TITLES,
    DEVICE_TITLES,
    execution_table,
    settings,
    settings_table,
)
from rethinking.article.verdict_counts import verdict_counts
from rethinking.article.verdicts import claims_markdown, verdict_markdown
from rethinking.errors import UserError
from rethinking.files import write_text
from rethinking.results.claims import MARKS
from rethinking.results.frame import Results


def assemble(results: Results, source: Path, report: Path) -> None:
    """Fill `report/_generated` and `report/_variables.yml` from the finished results in `source`.

    Raises UserError if there is no table or figure there.
    """
    # Everything that may be missing is read before anything is replaced.
    metrics, claims = _read_json(source / "metrics.json"), _read_json(source / "claims.json")
    at_full_size = full_size_tables(source.parent)
    content = variables(results, metrics, claims)
    run = {name.replace("-", "_"): {"run": str(table.run)} for name, table in at_full_size.items()}
    content |= {**run, "full_size_claims": full_size_verdicts(source.parent, claims), "beside": verdict_counts(source)}
    found = {
        kind: sorted((source / kind).glob(pattern)) for kind, pattern in (("tables", "*.md"), ("figures", "*.svg"))
    }
    for kind, paths in found.items():
        if not paths:
            raise UserError(f"{source / kind} is empty or missing; run the preset first")
    generated = report / "_generated"
    shutil.rmtree(generated, ignore_errors=True)
    for kind, paths in found.items():
        (generated / kind).mkdir(parents=True)
        for path in paths:
            shutil.copyfile(path, generated / kind / path.name)
    for name, records in claims.items():
        write_text(generated / "tables" / f"{name}-claims.md", claims_markdown(name, records))
    write_text(generated / "tables" / "settings.md", settings_table(results).markdown())
    write_text(generated / "tables" / "execution.md", execution_table(results).markdown())
    for name, table in at_full_size.items():
        write_text(generated / "tables" / f"{name}.md", table.markdown)
    text = yaml.safe_dump(content, allow_unicode=True, default_style="'", sort_keys=True)
    write_text(report / "_variables.yml", text)


def variables(results: Results, metrics: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
    """Return what prose may name: every value is text as it is to be shown."""
    params, cells, dataset = results.params, results.cells, results.params.studies.randomisation.dataset
    return {
        "preset": {
            "name": params.preset,
            "dataset": DATASET_TITLES[dataset],
            "images": DATASET_DESCRIPTIONS[dataset],
            "seeds": "1 seed" if len(params.seeds) == 1 else f"{len(params.seeds)} seeds",
            "cells": str(len(cells)),
            "experiments": str(len(results.experiments)),
            "minutes": f"{(cells['seconds'].sum() + sum(each.seconds for each in results.experiments)) / 60:.0f}",
            "devices": " and ".join(
                DEVICE_TITLES.get(name, name) for name in sorted(cells["device"].astype(str).unique())
            ),
            "diverged": str(int((cells["status"] == "diverged").sum())),
        },
        "settings": settings(params),
        "papers": papers_values(),
        "verdict": {
            name: {record["key"]: verdict_markdown(name, record) for record in records}
            for name, records in claims.items()
        },
        **{name: _shown(values) for name, values in metrics.items()},
        "claims": claim_counts(claims),
    }


def claim_counts(claims: dict[str, Any]) -> dict[str, str]:
    """Return how many claims there are, and how many have each judgement."""
    judgements = [record["judgement"] for records in claims.values() for record in records]
    counts = {name.replace(" ", "_"): str(judgements.count(name)) for name in MARKS}
    return {"total": str(len(judgements)), **counts}


def _shown(value: Any, key: str = "") -> Any:
    """Format a headline number by what its name says it is; nested mappings keep their shape."""
    if isinstance(value, dict):
        return {name: _shown(inner, name) for name, inner in value.items()}
    if value is None:
        return "not available"
    if "accuracy" in key or "error" in key:
        return f"{100 * value:.2f} %"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing; run the preset first") from None
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); delete it and run again") from None
    return content
