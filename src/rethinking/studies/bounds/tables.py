"""The study's tables and headline numbers."""

import math
from collections.abc import Callable
from typing import Any

from rethinking.results.frame import Estimate, Results
from rethinking.results.table import Cell, Column, Table
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.bounds.design import CORRUPTIONS, RANDOM, TRUE, perceptrons
from rethinking.studies.bounds.measures import MISSING, NO_MARGIN, LabelBlind, by_norms, gap, label_blind, risk, twins
from rethinking.studies.bounds.theory import one_draw_deviation


def table_label_blind(results: Results) -> Table:
    """Measured gaps beside bounds that know the networks, and not the labels."""
    columns = [
        Column("Model"),
        Column("Gap, true labels", "ratio"),
        Column("Gap, random labels", "ratio"),
        Column("Rademacher bound", "ratio"),
        Column("VC bound", "ratio"),
        Column("SGD stability", "number"),
    ]
    rows: list[list[Cell]] = []
    for model in results.params.studies.bounds.models:
        row: list[Cell] = [model_title(model), *(gap(results, model, corruption) for corruption in CORRUPTIONS)]
        found = label_blind(results, model)
        if isinstance(found, LabelBlind):
            rows.append([*row, found.rademacher, found.vc, found.stability])
        else:
            rows.append([*row, found, None, None])
    return Table(columns, rows)


def table_complexity(results: Results) -> Table:
    """What these bounds are made of."""
    columns = [
        Column("Model"),
        Column("n", "count"),
        Column("Weights", "count"),
        Column("Rademacher complexity", "ratio"),
        Column("VC dimension, at least", "count"),
        Column("VC dimension, at most", "count"),
    ]
    rows: list[list[Cell]] = []
    for model in results.params.studies.bounds.models:
        found = label_blind(results, model)
        if isinstance(found, LabelBlind):
            sizes: list[Cell] = [found.examples, found.parameters, found.complexity]
            rows.append([model_title(model), *sizes, found.vc_at_least, found.vc_at_most])
        else:
            rows.append([model_title(model), found, *[None] * 4])
    return Table(columns, rows)


def table_norms(results: Results) -> Table:
    """Bounds by norms and margins of trained perceptrons."""
    columns = [
        Column("Model"),
        Column("Labels"),
        Column("Gap", "ratio"),
        Column("Margin", "number"),
        Column("Frobenius norms", "number"),
        Column("Frobenius bound", "number"),
        Column("Spectral norms", "number"),
        Column("Spectral bound", "number"),
    ]
    rows: list[list[Cell]] = []
    for model in perceptrons(results.params):
        for corruption in CORRUPTIONS:
            row: list[Cell] = [model_title(model), CORRUPTION_TITLES[corruption], gap(results, model, corruption)]
            found = by_norms(results, model, corruption)
            if found is None:
                rows.append([*row, MISSING, *[None] * 4])
            else:
                row += [found.margin, found.frobenius_product, _finite(found.frobenius)]
                rows.append([*row, found.spectral_product, _finite(found.spectral)])
    return Table(columns, rows)


def _finite(bound: float) -> Cell:
    return bound if math.isfinite(bound) else NO_MARGIN


def table_stability(results: Results) -> Table:
    """How a network differs from twins that were trained on one other example."""
    columns = [
        Column("Labels"),
        Column("Twins", "count"),
        Column("Gap", "ratio"),
        Column("Error where unseen", "ratio"),
        Column("Loss where unseen", "ratio"),
        Column("largest", "ratio"),
        Column("Loss elsewhere", "number"),
        Column("largest elsewhere", "ratio"),
    ]
    model = results.params.studies.bounds.twins.model
    rows: list[list[Cell]] = []
    for corruption in CORRUPTIONS:
        found, title = twins(results, corruption), CORRUPTION_TITLES[corruption]
        measured = gap(results, model, corruption)
        if found is None:
            rows.append([title, MISSING, measured, *[None] * 5])
        else:
            rest = (found.error, found.loss, found.largest, found.elsewhere, found.elsewhere_largest)
            rows.append([title, found.pairs, measured, *rest])
    return Table(columns, rows)


TABLES: dict[str, Callable[[Results], Table]] = {
    "label-blind": table_label_blind,
    "complexity": table_complexity,
    "norms": table_norms,
    "stability": table_stability,
}


def numbers(results: Results) -> dict[str, Any]:
    """Return the headline numbers; gaps, complexities, bounds and differences of losses are fractions."""
    study = results.params.studies.bounds
    found = {model: label_blind(results, model) for model in study.models}
    known = {model: value for model, value in found.items() if isinstance(value, LabelBlind)}
    gaps = {
        corruption: [value.mean for model in known if isinstance(value := gap(results, model, corruption), Estimate)]
        for corruption in CORRUPTIONS
    }
    examples = next((value.examples for value in known.values()), None)
    differing = {corruption: twins(results, corruption) for corruption in CORRUPTIONS}
    return {
        "confidence": 100 * study.confidence,
        "quantile": 100 * study.margin_quantile,
        "one_draw": None if examples is None else _rounded(one_draw_deviation(examples, risk(results))),
        "least_complexity": _rounded(min((value.complexity for value in known.values()), default=None)),
        "largest_gap_true": _rounded(max(gaps[TRUE], default=None)),
        "least_gap_random": _rounded(min(gaps[RANDOM], default=None)),
        "least_bound": _rounded(
            min((bound for each in known.values() for bound in each.bounds.values()), default=None)
        ),
        **{
            f"unseen_{key}": None if (each := differing[corruption]) is None else _rounded(each.loss.mean)
            for corruption, key in ((TRUE, "true"), (RANDOM, "random"))
        },
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
