"""The study's tables and headline numbers."""

from collections.abc import Callable
from typing import Any

from rethinking.results.beside import AGREES, DIFFERS, NOT_RUN, Ours
from rethinking.results.frame import Results
from rethinking.results.table import Cell, Column, Table
from rethinking.studies.kernels.measures import (
    DATASETS,
    EXAMPLES,
    LARGER,
    MISSING,
    TOLERANCES,
    Outcome,
    System,
    best_ridge,
    descents,
    over_gammas,
    papers_systems,
    published,
    smallest_norm,
    smallest_norms,
    systems,
)


def errors(results: Results) -> Table:
    """Test errors of the paper's Table 3 and ours, without and with a ridge penalty."""
    columns = [
        Column("Data set"),
        Column("Features"),
        Column("Paper", "percent"),
        Column("Ours", "percent"),
        Column("Δ", "points"),
        Column("Paper, ℓ2", "percent"),
        Column("Ours, best ℓ2", "percent"),
        Column("Δ, ℓ2", "points"),
        Column("its penalty", "number"),
        Column("Verdict", "verdict"),
        Column("Train error", "percent"),
        Column("Farthest from target", "number"),
    ]
    rows: list[list[Cell]] = []
    for system in _papers_and_ours(results):
        theirs, found, ridge = published(system), smallest_norm(results, system), best_ridge(results, system)
        papers, papers_ridge = (theirs.test_error, theirs.ridge_error) if theirs else (None, None)
        ours: Ours = float(found["test_error"]) if found else MISSING
        ours_ridge: Ours = float(ridge["test_error"]) if ridge else None
        tolerance, same = TOLERANCES.get((system.dataset, system.features)), _all_examples(found, system)
        rows.append(
            [
                DATASETS[system.dataset],
                system.title,
                *(papers, ours, tolerance.difference(papers, ours) if tolerance else None),
                *(papers_ridge, ours_ridge, tolerance.difference(papers_ridge, ours_ridge) if tolerance else None),
                ridge["penalty"] if ridge else None,
                tolerance.verdict((papers, ours), (papers_ridge, ours_ridge), same_data=same) if tolerance else None,
                found["train_error"] if found else None,
                found["largest_deviation"] if found else None,
            ]
        )
    return Table(columns, rows)


def _all_examples(found: Outcome | None, system: System) -> bool:
    return found is not None and found["examples"] == EXAMPLES.get(system.dataset)


def _papers_and_ours(results: Results) -> list[System]:
    """Return the systems of the paper, ours of these in their place, and then all others of ours."""
    ours = {(each.dataset, each.features, each.filters): each for each in systems(results.params)}
    first = [ours.pop((each.dataset, each.features, each.filters), each) for each in papers_systems()]
    return first + list(ours.values())


def norms(results: Results) -> Table:
    """Norms of the solution of smallest norm under three definitions, by gamma; and the paper's.

    The paper's definition and gamma are not stated: sizes cannot be compared, multiples of the norm on pixels can.
    """
    columns = [
        Column("Data set"),
        Column("Features"),
        Column("γ", "number"),
        Column("Norm, all outputs", "number"),
        Column("one output, mean", "number"),
        Column("largest", "number"),
        Column("Paper", "number"),
        Column("Times that on pixels, paper", "ratio"),
        Column("ours", "ratio"),
        Column("Verdict, larger than on pixels", "verdict"),
        Column("Test error", "percent"),
    ]
    rows: list[list[Cell]] = []
    for system in systems(results.params):
        theirs = published(system)
        for gamma, found in smallest_norms(results, system):
            own = gamma == system.gamma
            rows.append(
                [
                    DATASETS[system.dataset],
                    system.title,
                    gamma,
                    found["norm"] if found else MISSING,
                    found["norm_mean"] if found else None,
                    found["norm_largest"] if found else None,
                    theirs.norm if own and theirs else None,
                    *(_times_that_on_pixels(results, system) if own else (None, None, None)),
                    found["test_error"] if found else None,
                ]
            )
    return Table(columns, rows)


def _times_that_on_pixels(results: Results, system: System) -> tuple[float | None, float | None, str | None]:
    """Return the paper's norm and ours as multiples of those on pixels, and whether ours, too, is larger."""
    pixels = next((s for s in systems(results.params) if (s.dataset, s.features) == (system.dataset, "pixels")), None)
    if system.features != "gabor" or pixels is None:
        return None, None, None
    norms_of_paper = [each.norm for each in map(published, (system, pixels)) if each and each.norm]
    papers = norms_of_paper[0] / norms_of_paper[1] if len(norms_of_paper) == 2 else None
    found, base = smallest_norm(results, system), smallest_norm(results, pixels)
    if found is None or base is None:
        return papers, None, NOT_RUN
    times = float(found["norm"]) / float(base["norm"])
    return papers, times, AGREES if times >= LARGER else DIFFERS


def cost(results: Results) -> Table:
    """What the solutions of smallest norm took: seconds by step, and the most memory."""
    columns = [
        Column("Data set"),
        Column("Features"),
        Column("Examples", "count"),
        Column("Device"),
        Column("Features, s", "number"),
        Column("Gram, s", "number"),
        Column("Factor, s", "number"),
        Column("Solution, s", "number"),
        Column("Test, s", "number"),
        Column("Memory, GB", "ratio"),
        Column("Steps", "count"),
        Column("Shift", "number"),
        Column("Residual", "number"),
    ]
    rows: list[list[Cell]] = []
    for system in systems(results.params):
        found = smallest_norm(results, system)
        values: list[Cell] = [MISSING, *[None] * 10] if found is None else _cost(found)
        rows.append([DATASETS[system.dataset], system.title, *values])
    return Table(columns, rows)


def _cost(found: Outcome) -> list[Cell]:
    seconds = [float(found[f"seconds_{name}"]) for name in ("features", "gram", "factorisation", "solution", "test")]
    memory = float(found["peak_memory_bytes"]) / 1e9
    solved = [int(found["steps"]), float(found["shift"]), float(found["residual"])]
    return [int(found["examples"]), str(found["device"]), *seconds, memory, *solved]


def descent(results: Results) -> Table:
    """Where stochastic gradient descent ends: distances in units of the smallest solution's norm."""
    columns = [
        Column("Start"),
        Column("Steps", "count"),
        Column("Largest residual", "number"),
        Column("Norm", "number"),
        Column("To the smallest", "number"),
        Column("To the nearest", "number"),
        Column("Outside the span, first", "number"),
        Column("last", "number"),
    ]
    rows: list[list[Cell]] = []
    for start, curve in descents(results):
        first, last = curve.iloc[0], curve.iloc[-1]
        measured = [float(last[name]) for name in ("residual", "norm", "to_smallest", "to_nearest")]
        rows.append([start, int(last["step"]), *measured, float(first["outside_span"]), float(last["outside_span"])])
    return Table(columns, rows or [[start, MISSING, *[None] * 6] for start in ("zero", "elsewhere")])


TABLES: dict[str, Callable[[Results], Table]] = {
    "errors": errors,
    "norms": norms,
    "cost": cost,
    "descent": descent,
}


def numbers(results: Results) -> dict[str, Any]:
    """Return the headline numbers of the first data set's systems: errors are fractions, norms over all outputs."""
    ours = systems(results.params)
    first = [system for system in ours if system.dataset == ours[0].dataset]
    by_features = {system.features: system for system in first}  # of several numbers of filters, the largest
    return {
        **{name: _system_numbers(results, by_features.get(name)) for name in ("pixels", "gabor")},
        "convolutional": _system_numbers(results, next((s for s in reversed(ours) if s.filters), None)),
        "descent": _descent_numbers(results),
    }


def _system_numbers(results: Results, system: System | None) -> dict[str, float | None]:
    found = smallest_norm(results, system) if system else None
    ridge = best_ridge(results, system) if system else None
    swept = over_gammas(results, system) if system else []
    seconds = [name for name in found or {} if name.startswith("seconds_")]
    return {
        "examples": None if found is None else int(found["examples"]),
        "error": _rounded(found, "test_error"),
        "error_ridge": _rounded(ridge, "test_error"),
        "norm": _rounded(found, "norm", 1),
        "norm_mean": _rounded(found, "norm_mean", 1),
        "norm_least_of_sweep": round(min(float(each["norm"]) for each in swept), 1) if swept else None,
        "norm_most_of_sweep": round(max(float(each["norm"]) for each in swept), 1) if swept else None,
        "minutes": None if found is None else round(sum(float(found[name]) for name in seconds) / 60, 2),
        "gigabytes": None if found is None else round(float(found["peak_memory_bytes"]) / 1e9, 2),
    }


def _descent_numbers(results: Results) -> dict[str, float | None]:
    found = {each.start: each.curve.iloc[-1] for each in descents(results)}
    zero, elsewhere = found.get("zero"), found.get("elsewhere")
    return {
        "examples": None if zero is None else int(zero["examples"]),
        "unknowns": None if zero is None else int(zero["unknowns"]),
        "steps": None if zero is None else int(zero["step"]),
        "norm_elsewhere": None if elsewhere is None else round(float(elsewhere["norm"]), 3),
    }


def _rounded(found: Outcome | None, name: str, digits: int = 6) -> float | None:
    return None if found is None else round(float(found[name]), digits)
