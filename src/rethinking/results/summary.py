"""What a preset's results come to: headline numbers and judged claims."""

from collections import Counter
from pathlib import Path
from typing import Any

from rethinking.files import write_json
from rethinking.results.claims import MARKS
from rethinking.results.frame import Results
from rethinking.results.table import Column, Table
from rethinking.studies.study import Study


def write_summary(results: Results, studies: list[Study], folder: Path) -> None:
    """Write metrics.json (numbers only), claims.json and the claims' tables, each whole or not at all.

    Studies that have no result yet are judged too: their claims are "not run".
    """
    from rethinking.files import write_text

    metrics: dict[str, Any] = {study.name: study.numbers(results) for study in studies}
    claims = {study.name: [claim.record(results) for claim in study.claims()] for study in studies}
    for name, records in claims.items():
        table = Table(
            [Column("Claim"), Column("Paper"), Column("Verdict"), Column("Measured")],
            [
                [
                    record["statement"],
                    record["source"],
                    MARKS[record["judgement"]],
                    record["evidence"] or None,
                ]
                for record in records
            ],
        )
        write_text(folder / "tables" / f"{name}-claims.csv", table.csv())
        write_text(folder / "tables" / f"{name}-claims.md", table.markdown())
    counts = Counter(record["judgement"] for records in claims.values() for record in records)
    metrics["claims"] = {key.replace(" ", "_"): counts.get(key, 0) for key in MARKS}
    write_json(folder / "metrics.json", metrics)
    write_json(folder / "claims.json", claims)
