"""What would run and why, in lines: jobs with the same reason are told of together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from rethinking.cells import Cell
from rethinking.errors import UserError
from rethinking.params import Params
from rethinking.plan import Plan
from rethinking.records import Metrics, read_metrics
from rethinking.runs import training_modules
from rethinking.versions.repository import RUNS, WEIGHTS, record_file
from rethinking.why.changes import counted, listing
from rethinking.why.dry_run import DryRun, Job, dry_run
from rethinking.why.reasons import (
    ARTICLE,
    COLLECT,
    DATA,
    EXPERIMENTS,
    EXPERIMENTS_CHANGE,
    NETWORKS_CHANGE,
    NEW,
    RESULTS,
    RUNS_CHANGE,
    Known,
    Reason,
    novelty,
    variant_of,
    why_made,
    why_trained,
)

TRAIN = "train"
MOST_LINES = 20
"""Lines on cells. More reasons than these are not read one by one."""


def why(plan: Plan, config: Mapping[str, str]) -> list[str]:
    """Return what a run of `plan`, which `config` asked for, would do now and why, line by line.

    Raises UserError where Snakemake cannot plan the run.
    """
    seen = dry_run(config)
    modules: dict[str, dict[str, str]] = {}  # by architecture: a walk through the imports for each, not for each cell
    reasons: dict[Cell, Reason] = {}
    for job in seen.jobs:
        if job.rule == TRAIN:
            cell = _cell(job)
            recipe = plan.params.recipe(cell)
            architecture = str(recipe.model["architecture"])
            if architecture not in modules:
                modules[architecture] = training_modules(recipe)
            reasons[cell] = why_trained(job, _known(plan.params, cell, modules[architecture]))
    return [*report(plan.params.preset, plan.cells, reasons, seen), *_elsewhere(plan.params.preset, reasons.values())]


def _known(params: Params, cell: Cell, modules: Mapping[str, str]) -> Known:
    folder = Path(cell.run_folder(params.preset))
    recorded = record_file(WEIGHTS / params.preset).is_file()
    return Known(
        recipe=params.recipe(cell).model_dump(),
        modules=modules,
        run=_metrics(folder / "metrics.json"),
        begun=folder.is_dir() and any(folder.iterdir()),
        weights_from=f"make pull PRESET={params.preset}" if recorded else "",
    )


def _metrics(path: Path) -> Metrics | None:
    try:
        return read_metrics(path)
    except UserError:  # missing or damaged: less can be said then
        return None


def _elsewhere(preset: str, reasons: Iterable[Reason]) -> list[str]:
    recorded = record_file(RUNS / preset)
    if NEW not in reasons or not recorded.is_file():
        return []
    return [f"{recorded} names runs made elsewhere: `make pull PRESET={preset}` brings them instead of training them."]


def report(preset: str, planned: Sequence[Cell], reasons: Mapping[Cell, Reason], seen: DryRun) -> list[str]:
    """Return the lines on a dry run. `planned` are all cells of the run, `reasons` of those that would be trained."""
    notes = [*_not_compared(seen.not_compared), *_locked(seen.locked)]
    if not seen.jobs:
        what = f"{counted(len(planned), 'cell')} of preset {preset}"
        return [f"Nothing to do: {what} and the article are as settings, code, data and prose would make them.", *notes]
    trained = f"{len(reasons) or 'none'} of {counted(len(planned), 'cell')} would be trained"
    others = [job for job in seen.jobs if job.rule != TRAIN]
    lines = [*cell_lines(planned, reasons), *job_lines(others)]
    return [f"preset {preset}: {trained}", *(f"  {line}" for line in lines), *notes]


def cell_lines(planned: Sequence[Cell], reasons: Mapping[Cell, Reason]) -> list[str]:
    """Return one line for each reason, with the models whose cells it holds for."""
    planned_of, new_of = defaultdict(list), defaultdict(list)
    for cell in planned:
        planned_of[cell.model].append(cell)
    for cell, reason in reasons.items():
        if reason == NEW:
            new_of[cell.model].append(cell)
    told = dict(reasons)
    for model, new in new_of.items():
        if apart := novelty(set(new), planned_of[model]):
            told |= dict.fromkeys(new, Reason(f"new ({apart})"))

    groups: dict[str, list[Cell]] = defaultdict(list)
    for cell in sorted(told, key={cell: place for place, cell in enumerate(planned)}.__getitem__):
        groups[told[cell].what].append(cell)
    lines = []
    for what, cells in groups.items():
        models = dict.fromkeys(cell.model for cell in cells)
        who = "all models" if 1 < len(models) == len(planned_of) else listing(models)
        where = dict.fromkeys(place for cell in cells for place in told[cell].where)
        lines.append(f"{who}, {counted(len(cells), 'cell')}: {what}{f' ({listing(where)})' if where else ''}")
    if len(lines) > MOST_LINES + 1:
        rest = sum(len(cells) for cells in list(groups.values())[MOST_LINES:])
        lines[MOST_LINES:] = [f"and {counted(rest, 'cell')} for {len(groups) - MOST_LINES} more reasons"]
    return lines


def job_lines(jobs: Sequence[Job]) -> list[str]:
    """Return one line for each kind of job (data, experiments, results, article, others) and reason."""
    groups: dict[tuple[str, str], list[Job]] = defaultdict(list)
    for job in sorted(jobs, key=lambda job: (_order(job.rule), job.outputs)):
        groups[_kind(job.rule), why_made(job, jobs)].append(job)
    return [f"{_named(kind, together)}: {_fitted(what, together)}" for (kind, what), together in groups.items()]


def _order(rule: str) -> int:
    known = [*DATA, *EXPERIMENTS, *RESULTS, ARTICLE]
    return known.index(rule) if rule in known else len(known)


def _kind(rule: str) -> str:
    kinds = {"data": DATA, "experiments": EXPERIMENTS, "results": RESULTS}
    return next((kind for kind, rules in kinds.items() if rule in rules), rule)


def _named(kind: str, jobs: Sequence[Job]) -> str:
    """Name jobs of one kind: "data digits/true and digits/labels-p50", "experiment sparsity/one-shot/all",
    "figure …-figure1a", "results: 7 tables".
    """
    match kind:
        case "data":
            return f"data {listing(dict.fromkeys(variant_of(job.outputs[0]) for job in jobs))}"
        case "experiments":
            names = ["{study}/{kind}/{unit}".format_map(job.wildcards) for job in jobs]
            return f"experiment{'s' * (len(names) > 1)} {listing(names)}"
        case "results":
            names = [*_result_names(jobs)]
            return names[0] if len(names) == 1 else f"results: {', '.join(names)}"
        case "article":
            return "article"
    return listing(f"{job.rule.replace('_', ' ')} {'/'.join(job.wildcards.values())}".strip() for job in jobs)


def _result_names(jobs: Iterable[Job]) -> Iterable[str]:
    of = defaultdict(list)
    for job in jobs:
        of[job.rule].append(job)
    for rule, together in of.items():
        if rule == COLLECT:
            yield "cells.csv"
        elif rule == "summary":
            yield "claims"
        elif len(together) == 1:
            yield f"{rule} {PurePosixPath(together[0].outputs[0]).stem}"
        else:
            yield counted(len(together), rule)


def _fitted(what: str, jobs: Sequence[Job]) -> str:
    if len(jobs) > 1 or what not in (RUNS_CHANGE, EXPERIMENTS_CHANGE, NETWORKS_CHANGE):
        return what
    return what.replace("they show", "it shows").replace("they read", "it reads")


def _not_compared(jobs: Sequence[Job]) -> list[str]:
    if not jobs:
        return []
    kinds: dict[str, list[Job]] = defaultdict(list)
    for job in sorted(jobs, key=lambda job: (_order(job.rule), job.outputs)):
        kinds[_kind(job.rule)].append(job)
    cells = kinds.pop(TRAIN, [])
    names = [
        *([counted(len(cells), "cell")] if cells else []),
        *(_named(kind, together).removeprefix("results: ") for kind, together in kinds.items()),
    ]
    return [
        "Taken as they are, because no record says how they were made, so that no change of settings or code is "
        f"noticed: {', '.join(names)}."
    ]


def _locked(locked: bool) -> list[str]:
    if not locked:
        return []
    return ["Another run is under way in this folder: its jobs may be among these."]


def _cell(job: Job) -> Cell:
    names = job.wildcards
    return Cell(names["dataset"], names["model"], names["corruption"], names["regularizer"], int(names["seed"]))
