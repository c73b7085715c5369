"""What the study's tables, figures and claims read of its runs and of the paper's curves."""

import pandas as pd

from rethinking.data.corruptions import label_corruption_name, label_corruption_probability
from rethinking.results.beside import Tolerance
from rethinking.results.frame import Estimate, Results, estimate
from rethinking.results.published import published_curve
from rethinking.studies.randomisation.design import PAPERS_DATASET, Row, published_model

MISSING = "not run"
DIVERGED = "diverged"

FITTED = 0.99
"""A train accuracy that counts as fitting: the paper's own lowest on random labels is 99.21 %."""

CHANCE_ERROR = 0.9
"""That of guessing: all data sets of this study have ten classes."""

ACCURACY = Tolerance(1.5)
"""A test set of 10,000 images has a standard error of up to half a point, and so have two runs' seeds."""


def runs(results: Results, model: str, corruption: str, regularizer: str = "none") -> pd.DataFrame:
    """Return the runs, one a seed, of one cell on the study's data set."""
    dataset = results.params.studies.randomisation.dataset
    return results.of(dataset=dataset, model=model, corruption=corruption, regularizer=regularizer)


def measured(found: pd.DataFrame, column: str) -> Estimate | str:
    """Return the mean over seeds of a column, or why there is none; one diverged seed makes the cell diverged."""
    if found.empty:
        return MISSING
    if (found["status"] == "diverged").any():
        return DIVERGED
    value = estimate(found[column])
    return MISSING if value is None else value


def on_papers_data(results: Results) -> bool:
    """Whether the study's runs are on the paper's data, all of them: only then need numbers agree."""
    dataset = results.params.studies.randomisation.dataset
    return dataset == PAPERS_DATASET and results.params.datasets[dataset].train_examples is None


def table4_measure(row: Row) -> str:
    """Return which accuracy Table 4 reports: under augmentation the average over augmented examples as seen."""
    return "train_accuracy" if row.regularizer == "wd" else "online_accuracy"


CONVERGENCE_LOSS = 0.1  # nats


def crossing(steps: list[float], losses: list[float], level: float) -> float | None:
    """Return the step at which `losses` first fall below `level`, interpolating linearly between epochs."""
    for i, loss in enumerate(losses):
        if loss < level:
            if i == 0:
                return steps[0]
            share = (losses[i - 1] - level) / (losses[i - 1] - loss)
            return steps[i - 1] + share * (steps[i] - steps[i - 1])
    return None


def steps_to_fit(results: Results, corruption: str) -> Estimate | str:
    """Return when Inception's online loss falls below CONVERGENCE_LOSS nats, in gradient steps."""
    found = runs(results, "inception", corruption)
    if found.empty:
        return MISSING
    dataset = results.params.studies.randomisation.dataset
    crossings = []
    for seed in found["seed"]:
        history = results.history(
            dataset=dataset, model="inception", corruption=corruption, regularizer="none", seed=seed
        )
        reached = crossing(list(history["step"]), list(history["online_loss"]), CONVERGENCE_LOSS)
        if reached is None:
            return "not reached"
        crossings.append(reached)
    return estimate(crossings) or MISSING


def overfit_epochs(results: Results, model: str, corruption: str) -> Estimate | str:
    """Return the mean time to overfit in epochs, or why there is none."""
    found = runs(results, model, corruption)
    if found.empty:
        return MISSING
    if (found["status"] == "diverged").any():
        return DIVERGED
    if found["time_to_overfit"].isna().any():
        return "not reached"
    return estimate(found["time_to_overfit"]) or MISSING


def multiple(value: Estimate | str, base: Estimate | str) -> Estimate | str:
    """Return a duration as a multiple of that with true labels, or why there is none."""
    if isinstance(value, Estimate) and isinstance(base, Estimate):
        spread = None if value.half_width is None else value.half_width / base.mean
        return Estimate(value.mean / base.mean, spread, value.seeds)
    return value if isinstance(value, str) else f"true labels: {base}"


def relative_overfit(results: Results, model: str, corruption: str) -> Estimate | str:
    """Return the time to overfit as a multiple of that with true labels, or why there is none."""
    return multiple(overfit_epochs(results, model, corruption), overfit_epochs(results, model, "true"))


def error(results: Results, model: str, corruption: str) -> Estimate | str:
    """Return the mean test error, a fraction, or why there is none."""
    accuracy = measured(runs(results, model, corruption), "test_accuracy")
    if isinstance(accuracy, str):
        return accuracy
    return Estimate(1 - accuracy.mean, accuracy.half_width, accuracy.seeds)


def error_on_corrupted_labels(results: Results, model: str, corruption: str) -> Estimate | str:
    """Return the test error, a fraction, to be expected if test labels were corrupted as the training labels are.

    A corrupted label is any class, whatever the network says of the image: it is right with the chance of guessing.
    """
    on_true = error(results, model, corruption)
    if isinstance(on_true, str):
        return on_true
    p = label_corruption_probability(corruption)
    spread = None if on_true.half_width is None else (1 - p) * on_true.half_width
    return Estimate((1 - p) * on_true.mean + p * CHANCE_ERROR, spread, on_true.seeds)


def figure1a_series(corruption: str) -> str:
    """Return the published Figure 1a's name of a corruption."""
    return {"true": "true_labels"}.get(corruption, corruption.replace("-", "_"))


def published_sweep(figure: str, value: str) -> dict[tuple[str, str], float]:
    """Return Figure 1b's or 1c's values by our (model, corruption)."""
    found = {}
    for model in ("inception", "alexnet", "mlp_1x512"):
        for probability, y in zip(*published_curve(figure, "label_corruption", value, series=model), strict=True):
            found[published_model(model), label_corruption_name(probability)] = y
    return found


def published_run(model: str, split: str) -> tuple[list[float], list[float]]:
    """Return Figure 2b's accuracies along the run of Inception with or without batch normalisation, by step."""
    series = {"inception": "inception", "inception-nobn": "inception_wo_bn"}[model]
    return published_curve("figure2b", "step", "accuracy", series=series, split=split)
