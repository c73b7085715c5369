"""Learning curves of the randomisation study, and how far its figures' curves are from the paper's."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

import pandas as pd

from rethinking.data.corruptions import label_corruption_probability
from rethinking.results.beside import AGREES, DIFFERS, NOT_RUN, OTHER_DATA, Apart, Ours, apart, number
from rethinking.results.frame import Estimate, Results, estimate
from rethinking.results.published import published_curve
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.randomisation.design import FIGURE_1A, SWEEP_MODELS, sweep_corruptions
from rethinking.studies.randomisation.measures import (
    MISSING,
    error,
    error_on_corrupted_labels,
    figure1a_series,
    on_papers_data,
    published_run,
    published_sweep,
    relative_overfit,
)


def mean_history(results: Results, model: str, corruption: str) -> pd.DataFrame | None:
    """Return the history averaged over seeds, one line an epoch, or None if the cell was not run."""
    found = results.history(dataset=dataset_of(results), model=model, corruption=corruption, regularizer="none")
    if found.empty:
        return None
    measures = ["step", "online_loss", "train_accuracy", "test_accuracy"]
    return found.groupby("epoch", as_index=False)[measures].mean()


def history_by_step(
    results: Results, model: str, corruption: str, measure: str
) -> list[tuple[float, Estimate | float]] | None:
    """Return a measure after each epoch in which it was taken, with its gradient step; None if the cell was not run.

    Estimates are over seeds; NaN where the networks diverged.
    """
    found = results.history(dataset=dataset_of(results), model=model, corruption=corruption, regularizer="none")
    if found.empty:
        return None
    groups = (group for _, group in found.groupby("epoch"))
    return [(float(group["step"].mean()), estimate(group[measure]) or math.nan) for group in groups]


def dataset_of(results: Results) -> str:
    """Return the data set that this study's figures show."""
    return results.params.studies.randomisation.dataset


class Unit(NamedTuple):
    """In what curves are compared, and how far apart they may be on average to be called alike."""

    name: str
    allowed: float
    factor: float = 1
    """From what is measured to the unit."""
    relative: bool = False


NATS, POINTS = Unit("nats", 0.1), Unit("points", 1.5, factor=100)
PER_CENT = Unit("% of the paper's", 25, factor=100, relative=True)


class CurvePair(NamedTuple):
    """A curve of the paper's and ours: by step or by label corruption."""

    figure: str
    curve: str
    unit: Unit
    apart: Apart | None
    """None where nothing was run."""
    verdict: str


def curve_pairs(results: Results) -> Iterator[CurvePair]:
    """Yield the curves of Figures 1a, 1b, 1c and 2b beside ours; those by step on the paper's data alone.

    On other data an epoch has another number of steps.
    """
    same = on_papers_data(results)
    for corruption in FIGURE_1A if same else ():
        paper = published_curve("figure1a", "step", "train_loss", series=figure1a_series(corruption))
        ours = _along_the_run(results, "inception", corruption, "online_loss")
        yield _pair("1a", CORRUPTION_TITLES[corruption], NATS, dict(zip(*paper, strict=True)), ours)
    for model in SWEEP_MODELS:
        yield sweep_pair(results, "1b", model, relative_overfit)
    for measure, condition in ((error, ""), (error_on_corrupted_labels, ", test labels corrupted")):
        for model in SWEEP_MODELS:
            yield sweep_pair(results, "1c", model, measure, condition)
    for model in ("inception", "inception-nobn") if same else ():
        for split in ("train", "test"):
            theirs = dict(zip(*published_run(model, split), strict=True))
            ours = _along_the_run(results, model, "true", f"{split}_accuracy")
            yield _pair("2b", f"{model_title(model)}, {split}", POINTS, theirs, ours)


def sweep_pair(
    results: Results,
    figure: Literal["1b", "1c"],
    model: str,
    measure: Callable[[Results, str, str], Estimate | str],
    condition: str = "",
) -> CurvePair:
    """Return a model's curve of Figure 1b or 1c beside what `measure` says of ours; `condition` goes to its name.

    At the levels that both have: between them, ours would be a straight line.
    """
    published, unit = {"1b": ("relative_time_to_overfit", PER_CENT), "1c": ("test_error", POINTS)}[figure]
    sweep = published_sweep(f"figure{figure}", published)
    found = {c: measure(results, model, c) for c in sweep_corruptions(results.params)}
    theirs = {
        label_corruption_probability(c): y
        for (name, c), y in sweep.items()
        if name == model and number(found.get(c)) is not None
    }
    ours = {label_corruption_probability(c): value for c, value in found.items()}
    return _pair(figure, f"{model_title(model)}{condition}", unit, theirs, ours, on_papers_data(results))


def _pair(
    figure: str, curve: str, unit: Unit, paper: Mapping[float, float], ours: Mapping[float, Ours], same: bool = True
) -> CurvePair:
    known = {place: mean for place, value in ours.items() if (mean := number(value)) is not None}
    without = [value for value in ours.values() if isinstance(value, str) and not value.endswith(MISSING)]
    found = apart(paper, known, unit.relative)
    if found is None and not without:
        return CurvePair(figure, curve, unit, None, NOT_RUN)
    if not same:
        return CurvePair(figure, curve, unit, found, OTHER_DATA)
    # A place that was run and has no number, as where a network never fits, is not near the paper's.
    near = found is not None and not without and unit.factor * found.mean <= unit.allowed
    return CurvePair(figure, curve, unit, found, AGREES if near else DIFFERS)


def _along_the_run(results: Results, model: str, corruption: str, measure: str) -> dict[float, Ours]:
    steps = history_by_step(results, model, corruption, measure) or []
    return {step: value for step, value in steps if isinstance(value, Estimate)}
