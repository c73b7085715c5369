"""Why one job would run: Snakemake's reasons, with what the records know of them. Pure functions."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from rethinking.cells import WEIGHTS_FILE, Cell
from rethinking.records import Metrics
from rethinking.why.changes import Changes, changed_modules, compare, differences, inputs, listing, setting
from rethinking.why.dry_run import Job

COLLECT, ARTICLE = "collect", "article"
RESULTS = (COLLECT, "table", "figure", "summary")
DATA = ("fetch", "corrupt_labels", "corrupt_images")
EXPERIMENTS = ("experiment", "experiment_with_networks", "streamed_experiment")

RUNS_CHANGE = "because the runs they show change"
EXPERIMENTS_CHANGE = "because the experiments they show change"
NETWORKS_CHANGE = "because networks they read change"


class Reason(NamedTuple):
    """Why a cell would be trained. Cells with the same `what` are told of together, all their `where`s in brackets."""

    what: str
    where: tuple[str, ...] = ()


NEW = Reason("never trained here")


@dataclass(frozen=True)
class Known:
    """What is known of a cell, beside what Snakemake knows."""

    recipe: Mapping[str, Any]
    """As it would be trained now."""
    modules: Mapping[str, str]
    """The code that would train it now, module by module."""
    run: Metrics | None = None
    """What its run left; None where there is none that can be read."""
    begun: bool = False
    """Whether its folder holds anything."""
    weights_from: str = ""
    """The command that would bring the weights from a remote, where they are versioned."""


def why_trained(job: Job, known: Known) -> Reason:
    """Return why a cell would be trained."""
    if job.interrupted:
        return Reason("interrupted while its files were written")
    if job.missing:
        return _why_missing(job, known)
    changes = compare(job.record.params, job.params) if job.record else Changes()
    parts = [
        *(_recipe_change(known) if "recipe" in changes.unnamed else ()),
        *(_code_change(known) if "code" in changes.unnamed else ()),
    ]
    where: tuple[str, ...] = ()
    if job.updated:
        parts.append("data changed" if job.record else "data newer than their runs, of which there is no record")
        where = tuple(sorted({variant_of(path) for path in job.updated}))
    if job.remade and not parts:
        parts.append("because their data would be made anew")
        where = tuple(sorted({variant_of(path) for path in job.remade}))
    if not parts:
        parts += _inputs_change(job)
    return Reason("; ".join(parts) or job.words, where)


def _why_missing(job: Job, known: Known) -> Reason:
    if all(PurePosixPath(path).name == WEIGHTS_FILE for path in job.missing):
        others = [rule for rule in job.wanted_by if rule not in EXPERIMENTS]
        readers = listing([*(["experiments"] if len(others) < len(job.wanted_by) else []), *others])
        wanted = f", which {readers} {'reads' if job.wanted_by == tuple(others[:1]) else 'read'}" if readers else ""
        remedy = f"; `{known.weights_from}` would bring them instead" if known.weights_from else ""
        return Reason(f"weights not here{wanted}{remedy}")
    if job.record is None and not known.begun:
        here = len(job.absent) < len(job.outputs)
        return Reason("run missing, only its weights are here") if here else NEW
    if job.record is None:
        return Reason("begun, but not finished")
    names = listing(PurePosixPath(path).name for path in job.absent)
    return Reason(f"trained before, but {names} missing")


def _recipe_change(known: Known) -> list[str]:
    """Name the settings by their words in params.yaml, which are those of the recipe without "model."."""
    if known.run is None:
        return ["settings changed"]
    found = differences(known.run.recipe, known.recipe)
    shown = (setting(each._replace(key=each.key.removeprefix("model."))) for each in found)
    return [listing(shown) or "settings changed"]


def _code_change(known: Known) -> list[str]:
    recorded = known.run.provenance.get("modules") if known.run else None
    changed = listing(changed_modules(recorded, known.modules)) if isinstance(recorded, Mapping) else ""
    return [f"training code changed: {changed}" if changed else "training code changed"]


_AXES: tuple[Callable[[Cell], str], ...] = (
    lambda cell: f"seed {cell.seed}",
    lambda cell: cell.corruption,
    lambda cell: cell.regularizer,
    lambda cell: cell.dataset,
)


def novelty(new: Set[Cell], planned: Sequence[Cell]) -> str:
    """Return what sets the new cells of a model apart from its others: "seed 1", "labels-p15", "" if there are none."""
    others = [cell for cell in planned if cell not in new]
    if not others:
        return ""
    named = [dict.fromkeys(name(cell) for cell in planned if cell in new) for name in _AXES]
    # One axis alone may say it all: a new seed comes with every corruption and regularizer.
    for name, values in zip(_AXES, named, strict=True):
        if values.keys().isdisjoint(map(name, others)):
            return listing(values)
    narrowed = (v for name, v in zip(_AXES, named, strict=True) if not v.keys() >= set(map(name, others)))
    return "; ".join(map(listing, narrowed))


def why_made(job: Job, jobs: Sequence[Job]) -> str:
    """Return why anything but a cell would be made; `jobs` are all that would run."""
    if job.interrupted:
        return "interrupted while it was made"
    if job.missing:
        return f"missing: {listing(_short(job))}" if len(job.absent) < len(job.outputs) else "missing"
    changes = compare(job.record.params, job.params) if job.record else Changes()
    files = [*dict.fromkeys([*changes.files, *job.updated])]
    parts = []
    if changes.code:
        parts.append(f"code changed: {listing(changes.code)}")
    if files:
        # Without a record Snakemake has but the times to go by.
        parts.append(f"{inputs(files)} {'changed' if job.record else 'newer, and no record says of what it was made'}")
    # Where inputs are made anew, settings that changed are told of where they take effect: at the cells.
    if not job.remade:
        parts += [listing(changes.settings)] if changes.settings else []
        parts += filter(None, (_UNNAMED.get(name, f"{name} changed") for name in changes.unnamed))
        parts += _inputs_change(job)
    return "; ".join(parts) or (_follows(job, jobs) if job.remade else job.words)


# What is expected of an experiment sums up settings and code, which are told of by name.
_UNNAMED = {
    "expected": "",
    "recipes": "settings of its cells changed",
    "histories": "other epochs are read",
    "study": "settings changed",
    "content": "sources changed",
}


def _short(job: Job) -> list[str]:
    """Name the absent outputs, by their endings where these are all that tells a job's outputs apart."""
    absent, outputs = ([PurePosixPath(path) for path in paths] for paths in (job.absent, job.outputs))
    return [path.suffix if len({each.stem for each in outputs}) == 1 else path.name for path in absent]


def _inputs_change(job: Job) -> list[str]:
    if job.record is None:
        return []
    now, before = dict.fromkeys(job.inputs), dict.fromkeys(job.record.inputs)
    added = [path for path in now if path not in before]
    removed = [path for path in before if path not in now]
    return [
        *([f"{inputs(added)} added to what it reads"] if added else []),
        *([f"{inputs(removed)} no longer read"] if removed else []),
    ]


def _follows(job: Job, jobs: Sequence[Job]) -> str:
    if job.rule in DATA:
        return "because the originals would be fetched again"
    if job.rule == ARTICLE:
        return "because the results it shows change"
    if job.rule in EXPERIMENTS and any(path.startswith("weights/") for path in job.remade):
        return NETWORKS_CHANGE
    if job.rule not in RESULTS:
        return f"because {inputs(job.remade)} would be made anew"
    if any("/experiments/" in path for path in job.remade):
        return EXPERIMENTS_CHANGE
    if all(other.remade for other in jobs if other.rule == COLLECT):
        return RUNS_CHANGE
    return "because cells.csv changes"


def variant_of(path: str) -> str:
    """Return the variant that a data file belongs to: "digits/labels-p20"."""
    return str(PurePosixPath(*PurePosixPath(path).parts[1:3]))
