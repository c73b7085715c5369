"""Making a table or figure: its files, and beside them the record of what they are made of."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from rethinking import provenance
from rethinking.files import write_text
from rethinking.fingerprint import fingerprint
from rethinking.results.claims import claims_table
from rethinking.results.frame import Results
from rethinking.results.lineage import Kind, Lineage, settings_digest, used_experiments, used_runs, write_lineage
from rethinking.results.published import published_digest
from rethinking.studies.study import CLAIMS, Study


class Made(NamedTuple):
    """A table or figure, not yet written."""

    texts: dict[str, str]
    """Content by ending, such as ".csv"."""
    lineage: Lineage


def base_path(folder: Path, kind: Kind, study: str, name: str) -> Path:
    """Return the path, without its ending, of a table's or figure's files in a preset's results."""
    return folder / f"{kind}s" / f"{study}-{name}"


def make(kind: Kind, study: Study, name: str, results: Results) -> Made:
    """Make a table or figure from whatever results there are."""
    results, module = results.fresh(), study.module_name(study.part(kind, name))
    if kind == "figure":
        drawing = study.figure(name)
        texts, function = drawing.texts(results), drawing.draw.__name__
    elif name == CLAIMS:
        texts, function = claims_table(study.claims(), results).texts(), "CLAIMS"
    else:
        table = study.table(name)
        texts, function, module = table(results).texts(), table.__name__, table.__module__
    return Made(texts, _lineage(kind, study, name, (module, function), texts, results))


def write(kind: Kind, study: Study, name: str, results: Results, folder: Path) -> None:
    """Make a table or figure and write it into a preset's results, each file whole or not at all, the record last."""
    made = make(kind, study, name, results)
    base = base_path(folder, kind, study.name, name)
    for ending, text in made.texts.items():
        write_text(base.with_name(base.name + ending), text)
    write_lineage(base.with_name(f"{base.name}.json"), made.lineage)


def _lineage(
    kind: Kind, study: Study, name: str, made_by: tuple[str, str], texts: dict[str, str], results: Results
) -> Lineage:
    """Return the record of what was `made_by` a function of a module."""
    params, (module, function) = results.params, made_by
    # A claim may be judged by what a model or data set is; tables and figures read their study's settings alone.
    if name == CLAIMS:
        settings = params.model_dump(mode="json", exclude={"execution", "data"})
    else:
        settings = params.model_dump(mode="json", include={"studies": {study.name}})
    return Lineage(
        kind=kind,
        study=study.name,
        name=name,
        preset=params.preset,
        module=module,
        function=function,
        code=fingerprint(*study.code_roots(study.part(kind, name))),
        **provenance.checkout()._asdict(),
        command=f"rethinking {kind} {study.name} {name} --preset {params.preset}",
        settings=settings_digest(settings),
        published=published_digest(),
        files={
            f"{study.name}-{name}{ending}": hashlib.sha256(text.encode()).hexdigest()
            for ending, text in sorted(texts.items())
        },
        experiments=used_experiments(results.experiments_read()),
        runs=used_runs(results.read(), params.preset),
    )
