"""The study's tables and headline numbers."""

from collections.abc import Callable
from itertools import product
from typing import Any

from rethinking.results.frame import Estimate, Results, estimate, matching
from rethinking.results.published import read_published
from rethinking.results.table import Cell, Column, Table
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.sparsity.curves import METHODS, Kept, curve, kept, kept_by, pruned, ticket_curve, ways
from rethinking.studies.sparsity.design import models_of
from rethinking.studies.sparsity.vocabulary import (
    CORRUPTIONS,
    GLOBAL,
    ITERATIVE,
    ONE_SHOT,
    RANDOM_MASK,
    REINITIALISED,
    RETRAINING,
    TICKET,
)

MISSING = "not run"

METHOD_TITLES = {ONE_SHOT: "at once", RETRAINING: "at once, trained on", ITERATIVE: "in rounds, trained on"}
"""What the ways to prune are called where people read them."""

TICKET_TITLES = {TICKET: "ticket", REINITIALISED: "new first weights", RANDOM_MASK: "random mask"}

MEASURES = {"true": "test_accuracy", "random-labels": "train_accuracy"}
"""What is asked of tickets: to generalise, and to memorise."""


def _percent(found: Kept | None) -> str:
    return MISSING if found is None else found.text.removesuffix(" %")


def prunability(results: Results) -> Table:
    """The smallest fraction of its weights with which each network keeps its train accuracy, by way of pruning."""
    columns = [
        Column("Model"),
        Column("Pruned"),
        Column("Weights", "count"),
        Column("Left, true labels (%)"),
        Column("Left, random labels (%)"),
        Column("Random / true", "ratio"),
    ]
    rows: list[list[Cell]] = []
    for model, method in ways(results.params):
        true, random = (kept_by(results, method, model, corruption) for corruption in CORRUPTIONS)
        ratio = random.fraction / true.fraction if true and random else None
        weights = _weights(results, method, model)
        rows.append([model_title(model), METHOD_TITLES[method], weights, _percent(true), _percent(random), ratio])
    return Table(columns, rows)


def _weights(results: Results, method: str, model: str) -> int | None:
    found = pruned(results, method)
    of_model = found if found.empty else found[found["model"] == model]
    return None if of_model.empty else int(of_model["weights"].iloc[0])


def one_shot(results: Results) -> Table:
    """Train accuracy of networks that were pruned at once, globally, by the fraction of weights left."""
    nets = [(model, corruption) for model in models_of(results.params, ONE_SHOT) for corruption in CORRUPTIONS]
    columns = [
        Column("Weights left (%)", "ratio"),
        *(Column(f"{model_title(model)}, {CORRUPTION_TITLES[name].split()[0]}", "percent") for model, name in nets),
    ]
    curves = [curve(results, ONE_SHOT, *net) for net in nets]
    # Sizes differ, and with them what a fraction is rounded to: rows are the fractions that were asked for.
    rows: list[list[Cell]] = []
    for asked in (1.0, *results.params.studies.sparsity.fractions_left):
        values = [_nearest(found, asked) for found in curves]
        rows.append([100 * asked, *values])
    return Table(columns, rows)


def _nearest(found: dict[float, Estimate | str], asked: float) -> Cell:
    """Return the accuracy at the fraction that was asked for, but for rounding."""
    if not found:
        return MISSING
    fraction = min(found, key=lambda fraction: abs(fraction - asked))
    return found[fraction]


def generalisation(results: Results) -> Table:
    """Test accuracy of networks that learned true labels: whole, at its best on the way down, and how far it keeps."""
    columns = [
        Column("Model"),
        Column("Pruned"),
        Column("Test, whole", "percent"),
        Column("Test, best pruned", "percent"),
        Column("with (% left)", "ratio"),
        Column("Kept down to (%)"),
    ]
    rows: list[list[Cell]] = []
    for model, method in ways(results.params):
        name: list[Cell] = [model_title(model), METHOD_TITLES[method]]
        found = curve(results, method, model, "true", measure="test_accuracy")
        reached = {fraction: value.mean for fraction, value in found.items() if isinstance(value, Estimate)}
        below = {fraction: accuracy for fraction, accuracy in reached.items() if fraction < 1}
        if 1.0 not in found or not below:
            rows.append([*name, MISSING, None, None, None])
            continue
        best = max(below, key=lambda fraction: below[fraction])
        left = _percent(kept(found, results.params.studies.sparsity.accuracy_lost))
        rows.append([*name, found[1.0], found[best], 100 * best, left])
    return Table(columns, rows)


def recalibration(results: Results) -> Table:
    """Train accuracy after pruning at once, with batch normalisation's statistics as they were and measured anew."""
    found = results.experiment("sparsity", ONE_SHOT)
    columns = [Column("Model"), Column("Weights left (%)", "ratio")]
    for corruption in CORRUPTIONS:
        labels = CORRUPTION_TITLES[corruption]
        columns += [Column(f"{labels}, as trained", "percent"), Column(f"{labels}, measured anew", "percent")]
    if found.empty or not found["recalibrated"].any():
        return Table(columns, [[MISSING, *[None] * 5]])
    rows: list[list[Cell]] = []
    for model in found["model"][found["recalibrated"]].unique():
        there = matching(found, model=model, scope=GLOBAL)
        for fraction in sorted(there["fraction_left"].unique(), reverse=True):
            values = [
                estimate(
                    matching(there, fraction_left=fraction, corruption=corruption, recalibrated=anew)["train_accuracy"]
                )
                for corruption in CORRUPTIONS
                for anew in (False, True)
            ]
            rows.append([model_title(model), 100 * fraction, *values])
    return Table(columns, rows)


def tickets(results: Results) -> Table:
    """Tickets beside their controls after one epoch and after the last, by the fraction of weights left."""
    headings = [f"{title}, {when}" for when in ("epoch 1", "last") for title in TICKET_TITLES.values()]
    columns = [
        Column("Model"),
        Column("Accuracy"),
        Column("Weights left (%)", "ratio"),
        *(Column(heading, "percent") for heading in headings),
    ]
    rows: list[list[Cell]] = []
    for part in results.params.studies.sparsity.tickets:
        for model in part.models:
            for corruption in part.corruptions:
                measure = MEASURES[corruption]
                name = f"{measure.split('_')[0]}, {CORRUPTION_TITLES[corruption]}"
                curves = [
                    ticket_curve(results, model, corruption, method, measure, epoch)
                    for epoch in (1, None)
                    for method in TICKET_TITLES
                ]
                fractions = sorted({fraction for found in curves for fraction in found}, reverse=True)
                rows += [
                    [model_title(model), name, 100 * fraction, *(found.get(fraction) for found in curves)]
                    for fraction in fractions
                ]
                if not fractions:
                    rows.append([model_title(model), name, None, MISSING, *[None] * 5])
    return Table(columns, rows or [[MISSING, *[None] * 8]])


def published(results: Results) -> Table:
    """How far the papers prune without loss, beside how far networks are pruned here."""
    columns = [
        Column("Source"),
        Column("Network"),
        Column("Data set"),
        Column("Weights", "count"),
        Column("Left (%)"),
    ]
    rows: list[list[Cell]] = []
    for row in read_published("table1", paper="han2015"):
        before, after = int(row["parameters"]), int(row["parameters_left"])
        rows.append(["Han et al. 2015", row["network"], row["dataset"], before, f"{100 * after / before:.1f}"])
    for row in read_published("lenet", paper="frankle2019"):
        source = f"Frankle & Carbin 2019, {row['first_weights']} first weights"
        left = f"{100 * float(row['fraction_left']):.1f}"
        rows.append([source, row["network"], row["dataset"], int(row["parameters"]), left])
    dataset = results.params.studies.randomisation.dataset
    lost = results.params.studies.sparsity.accuracy_lost
    for model in models_of(results.params, ITERATIVE):
        found = kept(curve(results, ITERATIVE, model, "true", measure="test_accuracy"), lost)
        weights = _weights(results, ITERATIVE, model)
        rows.append(["ours, in rounds, trained on", model_title(model), dataset, weights, _percent(found)])
    for part in results.params.studies.sparsity.tickets:
        for model in part.models if "true" in part.corruptions else []:
            for method, title in ((TICKET, "own"), (REINITIALISED, "new")):
                found = kept(ticket_curve(results, model, "true", method, "test_accuracy"), lost)
                source = f"ours, in rounds, {title} first weights"
                rows.append([source, model_title(model), dataset, _weights(results, ITERATIVE, model), _percent(found)])
    return Table(columns, rows)


TABLES: dict[str, Callable[[Results], Table]] = {
    "prunability": prunability,
    "one-shot": one_shot,
    "recalibration": recalibration,
    "generalisation": generalisation,
    "tickets": tickets,
    "published": published,
}


def numbers(results: Results) -> dict[str, Any]:
    """Return, for each model and way to prune, how many per cent of its weights keep its train accuracy."""
    found: dict[str, Any] = {"points_lost": 100 * results.params.studies.sparsity.accuracy_lost}
    for model, method in product(dict.fromkeys(model for model, _ in ways(results.params)), METHODS):
        true, random = (kept_by(results, method, model, corruption) for corruption in CORRUPTIONS)
        found.setdefault(model.replace("-", "_"), {})[method.replace("-", "_")] = {
            "percent_left_true": None if true is None else round(100 * true.fraction, 1),
            "percent_left_random": None if random is None else round(100 * random.fraction, 1),
        }
    return found
