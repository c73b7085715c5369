"""What an experiment's results come from, and what has changed since."""

from pathlib import Path

from rethinking.errors import UserError
from rethinking.experiments.identity import experiment_roots, recipes_of
from rethinking.experiments.records import ExperimentRecord, read_record
from rethinking.files import checksum
from rethinking.fingerprint import modules
from rethinking.params_file import load_params
from rethinking.studies.registry import require_experiment
from rethinking.trace.words import commit_words, device_words
from rethinking.why.changes import changed_modules, listing

NETWORKS_SUFFIX = ".safetensors"


def trace_experiment(place: Path, preset: str, root: Path) -> list[str]:
    """Return the trace of an experiment's table, record or networks. Raises UserError if there is no record of it."""
    table = Path("results", *place.parts[1:]).with_suffix(".csv")
    record = read_record(root / table.with_suffix(".json"))
    read = [f"  {name}, weights {digest[:12]}" for name, digest in record.cells.items()]
    read += [f"  data/{name}, checksum {digest[:12]}" for name, digest in record.variants.items()]
    return [
        f"{place}: the experiment {record.study}/{record.kind}/{record.unit}, preset {record.preset}",
        f"made by code {record.code}, {commit_words(record.commit, record.uncommitted_changes)}, "
        f"{device_words(record.provenance)}, in {record.seconds:.1f} s",
        f"made again by: {record.command}",
        "",
        *(["from:", *read] if read else ["from its settings alone"]),
        "",
        *(_changes(table, record, preset, root) or ["Nothing has changed since: files, networks, code and settings."]),
    ]


def _changes(table: Path, record: ExperimentRecord, preset: str, root: Path) -> list[str]:
    changes = []
    if not (root / table).is_file():
        changes.append(f"{table} is missing.")
    elif checksum(root / table) != record.table:
        changes.append(f"{table} is not the file that was made then: it was edited or replaced.")
    networks = Path("weights", *table.parts[1:]).with_suffix(NETWORKS_SUFFIX)
    if record.networks and not (root / networks).is_file():
        changes.append(f"The networks that it left are not here ({networks}).")
    elif record.networks and checksum(root / networks) != record.networks:
        changes.append(f"{networks} holds other networks than it left.")
    params = load_params(root / "params.yaml", preset)
    try:
        experiment = require_experiment(params, record.study, record.kind, record.unit)
    except UserError as error:
        return [*changes, f"What it would be made of now cannot be told: {error}."]
    recipes = recipes_of(params, experiment)
    if experiment.digest(recipes) != record.digest:
        changes.append("It was made under other settings, or from networks of others, than those of params.yaml now.")
    today = modules(*experiment_roots(experiment, recipes))
    if today != record.modules:
        changed = listing(changed_modules(record.modules, today))
        changes.append(f"It was made by other code than the one here now: {changed}.")
    for cell in experiment.cells:
        weights = root / cell.weights_path(preset)
        if weights.is_file() and checksum(weights) != record.cells.get(str(cell)):
            changes.append(f"{weights.relative_to(root)} holds other weights now.")
    return changes
