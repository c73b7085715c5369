"""What a table or figure was made by and from which runs, and what has changed since."""

from pathlib import Path

from rethinking.cells import Cell
from rethinking.errors import UserError
from rethinking.files import checksum
from rethinking.params_file import load_params
from rethinking.records import read_metrics
from rethinking.results.frame import load_results
from rethinking.results.lineage import Kind, Lineage, UsedExperiment, UsedRun, read_lineage
from rethinking.results.outputs import make
from rethinking.studies.registry import experiments, require_output
from rethinking.trace.words import commit_words, sources_words


def trace_output(place: Path, preset: str, root: Path) -> list[str]:
    """Return the trace of a file in a preset's tables or figures. Raises UserError if there is no record of it."""
    record = place.with_suffix(".json")
    study, _, name = place.stem.partition("-")
    if not (root / record).is_file():
        kind: Kind = "table" if place.parent.name == "tables" else "figure"
        require_output(kind, study, name)
        raise UserError(
            f"{record} is missing, which would say what {place} is made of; "
            f"`rethinking {kind} {study} {name} --preset {preset}` makes both"
        )
    lineage = read_lineage(root / record)
    return [
        f"{place}: the {lineage.kind} {lineage.name} of the study {lineage.study}, preset {lineage.preset}",
        f"made by {lineage.function} in {lineage.module}, code {lineage.code}, "
        f"{commit_words(lineage.commit, lineage.uncommitted_changes)}",
        f"made again by: {lineage.command}",
        "",
        *sources_words(lineage.experiments, lineage.runs),
        "",
        *(_changes(lineage, place.parent, root) or ["Nothing has changed since: files, runs, code and settings."]),
    ]


def _changes(lineage: Lineage, folder: Path, root: Path) -> list[str]:
    """Return where the record and what lies here now part."""
    changes = []
    for name, digest in lineage.files.items():
        path = root / folder / name
        if not path.is_file():
            changes.append(f"{folder / name} is missing.")
        elif checksum(path) != digest:
            changes.append(f"{folder / name} is not the file that was made then: it was edited or replaced.")
    try:
        today = _made_today(lineage, root)
    except UserError as error:
        return [*changes, f"What it would be made of now cannot be told: {error}."]
    runs = _differing_runs(lineage.runs, today.runs)
    if runs:
        changes += ["It was made from other runs than those collected now:", *runs]
    if lineage.experiments != today.experiments:
        changes += _differing_experiments(lineage.experiments, today.experiments)
    if lineage.code != today.code:
        changes.append(f"It was made by other code than the one here now, which is {today.code}.")
    if lineage.settings != today.settings:
        changes.append("It was made under other settings than those of params.yaml now.")
    if lineage.published != today.published:
        changes.append("It was made beside other values of the papers than those here now.")
    if changes:
        numbers = next(name for name in lineage.files if name.endswith(".csv"))
        same = lineage.files[numbers] == today.files.get(numbers)
        changes.append(f"Made again now, its numbers would be {'the same' if same else 'others'}.")
    return changes + _uncollected(today.runs, lineage.preset, root)


def _made_today(lineage: Lineage, root: Path) -> Lineage:
    """Return the record that making it now would leave; nothing is written."""
    params = load_params(root / "params.yaml", lineage.preset)
    results = load_results(params, root / "results" / lineage.preset, experiments(params))
    study = require_output(lineage.kind, lineage.study, lineage.name)
    return make(lineage.kind, study, lineage.name, results).lineage


def _differing_runs(then: list[UsedRun], now: list[UsedRun]) -> list[str]:
    """Name each run that is not the same in both, and in what it differs."""
    old, new = ({run.cell: run.model_dump(exclude={"command"}) for run in runs} for runs in (then, now))
    lines = []
    for cell in dict.fromkeys([*old, *new]):
        if cell not in new:
            lines.append(f"  {cell}: not collected any more")
        elif cell not in old:
            lines.append(f"  {cell}: collected since")
        elif differing := [key for key in old[cell] if old[cell][key] != new[cell][key]]:
            parts = (f"{key} {old[cell][key]} then, {new[cell][key]} now" for key in differing)
            lines.append(f"  {cell}: {'; '.join(parts)}")
    return lines


def _differing_experiments(then: list[UsedExperiment], now: list[UsedExperiment]) -> list[str]:
    """Name each experiment that is not the same in both."""
    old, new = ({each.name: each for each in found} for found in (then, now))
    lines = ["It was made from other experiments than those here now:"]
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            lines.append(f"  {name}: not here any more, or under other settings")
        elif name not in old:
            lines.append(f"  {name}: carried out since")
        elif old[name] != new[name]:
            lines.append(f"  {name}: carried out again since")
    return lines


def _uncollected(runs: list[UsedRun], preset: str, root: Path) -> list[str]:
    """Name the runs on disk that are not those collected: trained again since."""
    lines = []
    for run in runs:
        path = root / Cell.parse(run.cell).run_folder(preset) / "metrics.json"
        if path.is_file():
            metrics = read_metrics(path)
            here = (metrics.recipe_digest, *(metrics.provenance.get(key) for key in ("variant", "code", "commit")))
            if here != (run.recipe_digest, run.variant, run.code, run.commit):
                lines.append(f"  {run.cell}")
    if lines:
        lines.insert(0, f"Runs trained again and not collected since (`rethinking collect --preset {preset}` does):")
    return lines
