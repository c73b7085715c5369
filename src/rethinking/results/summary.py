"""What a preset's results come to: headline numbers, judged claims, and the curves that `dvc plots` shows."""

from collections import Counter
from pathlib import Path
from typing import Any

from rethinking.files import write_json, write_text
from rethinking.results.claims import MARKS
from rethinking.results.frame import Results, numbers_as_csv
from rethinking.results.outputs import write
from rethinking.studies.study import CLAIMS, Study


def write_summary(results: Results, studies: list[Study], folder: Path) -> None:
    """Write metrics.json (numbers only), claims.json, the claims' tables and the plots, each whole or not at all.

    Studies that have no result yet are judged too: their claims are "not run".
    """
    metrics: dict[str, Any] = {study.name: study.numbers(results) for study in studies}
    claims = {study.name: [claim.record(results) for claim in study.claims()] for study in studies}
    for study in studies:
        write("table", study, CLAIMS, results, folder)
        for name in study.plots:
            # DVC's own template takes an empty place for a zero, and leaves out what is no number.
            write_text(folder / "plots" / f"{name}.csv", numbers_as_csv(study.plot(name)(results), missing="NaN"))
    counts = Counter(record["judgement"] for records in claims.values() for record in records)
    metrics["claims"] = {key.replace(" ", "_"): counts.get(key, 0) for key in MARKS}
    write_json(folder / "metrics.json", metrics)
    write_json(folder / "claims.json", claims)
