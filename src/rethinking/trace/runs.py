"""What a run is, what trained it and on what, and whether what lies here now is what its record says."""

from pathlib import Path
from typing import Any

from rethinking import provenance
from rethinking.cells import Cell
from rethinking.data.variants import load_variant
from rethinking.errors import UserError
from rethinking.files import checksum
from rethinking.fingerprint import fingerprint, modules
from rethinking.params_file import load_params
from rethinking.plan import require_cell
from rethinking.recipe import Recipe
from rethinking.records import Metrics, read_history, read_metrics
from rethinking.results.frame import load_results
from rethinking.results.lineage import UsedRun, used_runs
from rethinking.trace.words import commit_words, device_words, runs_words


def trace_run(cell: Cell, preset: str, root: Path) -> list[str]:
    """Return the trace of a run, from its own record or, where that is not here, from the collected results.

    Raises UserError if neither knows it.
    """
    collected, problem = _collected(cell, preset, root)
    folder = cell.run_folder(preset)
    head = f"{folder}: the run of {cell}, preset {preset}"
    if not (root / folder / "metrics.json").is_file():
        if collected is None:
            load_params(root / "params.yaml", preset)  # names the presets there are if this is none
            raise UserError(
                f"{folder}/metrics.json is missing and {problem}; "
                f"`{provenance.run_command(cell, preset)}` trains the cell"
            )
        return [
            head,
            f"Its own record is not here: this is what results/{preset}/cells.csv holds of it.",
            "",
            *runs_words([collected])[1:],
            f"      where its data are missing: {provenance.run_command(cell, preset)}",
            *_trained_otherwise_now(collected, cell, preset, root),
        ]
    metrics = read_metrics(root / folder / "metrics.json")
    changes = [
        *_files_changed(cell, metrics, preset, root),
        *_sources_changed(cell, metrics, preset, root),
        *_collected_otherwise(metrics, collected, problem),
    ]
    return [
        head,
        *_recorded(metrics, cell),
        "",
        *(changes or ["Nothing has changed since: files, data, code and settings."]),
    ]


def _recorded(metrics: Metrics, cell: Cell) -> list[str]:
    """Return what the run's own record says."""
    known: dict[str, Any] = metrics.provenance
    packages = ", ".join(f"{name} {version}" for name, version in (known.get("packages") or {}).items() if version)
    lines = [
        f"{metrics.status} after {metrics.epochs} epochs: train accuracy {metrics.train_accuracy:.2%}, "
        f"test accuracy {metrics.test_accuracy:.2%}",
        f"trained by code {known.get('code')}, {commit_words(known.get('commit'), known.get('uncommitted_changes'))}",
        f"on {device_words(known)}, {metrics.seconds:g} s, "
        f"from {known.get('started', 'a time not recorded')} to {known.get('finished', 'a time not recorded')}"
        + (f", going on after epoch {known['resumed_after_epoch']}" if known.get("resumed_after_epoch") else ""),
        f"with Python {known.get('python')}, {packages}; requirements.lock {known.get('lock')}",
    ]
    if gpu := known.get("gpu"):
        lines.append("GPU: " + ", ".join(f"{name} {version}" for name, version in gpu.items()))
    lines += [
        f"data: {'/'.join(cell.variant)}, checksum {known.get('variant')}",
        f"recipe {metrics.recipe_digest}:",
        *(f"  {name}: {_flat(value)}" for name, value in metrics.recipe.items()),
    ]
    if seeds := known.get("seeds"):
        lines += ["seeds:", *(f"  {name}: {seed}" for name, seed in seeds.items())]
    return [
        *lines,
        f"trained again by: {known.get('command')}",
        f"where its data are missing: {known.get('command_with_data') or provenance.run_command(cell, metrics.preset)}",
    ]


def _files_changed(cell: Cell, metrics: Metrics, preset: str, root: Path) -> list[str]:
    """Return where the run's files are not those that the record speaks of."""
    changes = []
    history, weights = cell.run_folder(preset) / "history.csv", cell.weights_path(preset)
    recorded = metrics.provenance.get("weights")
    if not (root / history).is_file():
        changes.append(f"{history} is missing.")
    elif (epochs := len(read_history(root / history))) != metrics.epochs:
        changes.append(f"{history} has {epochs} epochs, the record speaks of {metrics.epochs}.")
    if not (root / weights).is_file():
        changes.append(f"Its weights are not here ({weights}).")
    elif recorded and checksum(root / weights) != recorded:
        changes.append(f"{weights} are not the weights that this run left.")
    try:
        variant = load_variant(root / "data", *cell.variant, verify=False).digest
    except UserError:
        return changes  # the data are not here, or not whole: training would say so
    if variant != metrics.provenance.get("variant"):
        changes.append(f"data/{'/'.join(cell.variant)} are other data now, checksum {variant}.")
    return changes


def _sources_changed(cell: Cell, metrics: Metrics, preset: str, root: Path) -> list[str]:
    """Return where settings and code are not those that the run was trained with."""
    changes = []
    try:
        recipe = _recipe_now(cell, preset, root)
    except UserError as error:
        return [str(error)]
    if differences := recipe.differences(metrics.recipe):
        changes.append(f"params.yaml would train it otherwise now: {'; '.join(differences)}.")
    now = modules(*provenance.training_roots(str(recipe.model["architecture"])))
    then = metrics.provenance.get("modules")
    if then is not None and then != now:
        names = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
        changes.append(f"The code that trains it has changed since: {', '.join(names)}.")
    return changes


def _recipe_now(cell: Cell, preset: str, root: Path) -> Recipe:
    """Return the recipe by which params.yaml would train the cell now. Raises UserError if it would not."""
    try:
        params = load_params(root / "params.yaml", preset)
        require_cell(params, cell)
    except UserError as error:
        raise UserError(f"It cannot be trained again with params.yaml as it is now: {error}.") from error
    return params.recipe(cell)


def _trained_otherwise_now(collected: UsedRun, cell: Cell, preset: str, root: Path) -> list[str]:
    """Return how a run of which only the digests are known would be trained otherwise now."""
    changes = []
    try:
        recipe = _recipe_now(cell, preset, root)
    except UserError as error:
        return ["", str(error)]
    if recipe.digest() != collected.recipe_digest:
        changes.append(f"params.yaml would train it otherwise now: its recipe is {recipe.digest()}.")
    code = fingerprint(*provenance.training_roots(str(recipe.model["architecture"])))
    if code != collected.code:
        changes.append(f"The code that trains it is another one now: {code}.")
    return ["", *(changes or ["Nothing has changed since: code and settings."])]


def _collected_otherwise(metrics: Metrics, collected: UsedRun | None, problem: str) -> list[str]:
    """Return where the collected results hold another run of this cell, or none."""
    if collected is None:
        return [f"It is not among the collected results: {problem}."]
    here = {"recipe_digest": metrics.recipe_digest} | {
        key: metrics.provenance.get(key) for key in ("variant", "code", "commit")
    }
    there = collected.model_dump()
    if differing := [f"{key} {there[key]}" for key, value in here.items() if value != there[key]]:
        return [f"The collected results hold another run of this cell: {', '.join(differing)}."]
    return []


def _collected(cell: Cell, preset: str, root: Path) -> tuple[UsedRun | None, str]:
    """Return the run as cells.csv holds it, or None and why there is none."""
    folder = root / "results" / preset
    try:
        results = load_results(load_params(root / "params.yaml", preset), folder)
    except UserError as error:
        return None, str(error)
    for run in used_runs(results.cells, preset):
        if run.cell == str(cell):
            return run, ""
    return None, f"results/{preset}/cells.csv has no line for it"


def _flat(value: Any) -> str:
    return ", ".join(f"{key} {inner}" for key, inner in value.items()) if isinstance(value, dict) else str(value)
