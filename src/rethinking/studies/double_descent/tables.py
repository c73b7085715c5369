"""The study's tables and headline numbers."""

from collections.abc import Callable
from typing import Any

from rethinking.params import Params
from rethinking.params_studies.double_descent import WidthSweepParams
from rethinking.results.beside import Ours, Tolerance, apart
from rethinking.results.frame import Estimate, Results
from rethinking.results.published import read_published
from rethinking.results.table import Cell, Column, Table
from rethinking.results.titles import model_title
from rethinking.studies.double_descent.curves import clean_error, peak, rise, threshold
from rethinking.studies.double_descent.measures import (
    MISSING,
    Curve,
    best_decay,
    best_ridge,
    epoch_curve,
    feature_curve,
    numbers_of,
    sample_curve,
    width_curve,
)

PAPERS_NOISE = 0.15
"""Of Nakkiran et al. 2019, Figure 1, whose test labels have it too."""

PAPERS_MODEL, PAPERS_DATASET = "resnet18", "cifar10"

ERROR = Tolerance(3)
"""Of test errors: the paper's are read off a plot and turned into errors on true labels, with one network a width."""


def on_papers_data(params: Params) -> bool:
    """Whether the study's networks are trained on all of the paper's data."""
    dataset = params.studies.double_descent.dataset
    return dataset == PAPERS_DATASET and params.datasets[dataset].train_examples is None


def papers_curve(split: str) -> tuple[list[int], list[float]]:
    """Return widths and errors of ResNet18 in Nakkiran et al. 2019, Figure 1 left, as plotted."""
    rows = [row for row in read_published("figure1_left", "nakkiran2019") if row["split"] == split]
    return [int(row["width"]) for row in rows], [float(row["error"]) for row in rows]


def papers_numbers() -> Curve:
    """Return the paper's curve with test errors on true labels; it tells nothing of early stopping."""
    widths, noisy = papers_curve("test")
    clean = [clean_error(error, PAPERS_NOISE) for error in noisy]
    return Curve(widths, papers_curve("train")[1], clean, clean)


def random_features(results: Results) -> Table:
    """Test error and norm of the solution of smallest norm, and the test error with the best ridge penalty."""
    study = results.params.studies.double_descent.random_features
    columns = [Column("Features", "count")]
    curves: list[dict[int, Cell]] = []
    for noise in study.label_noise:
        label = f"{100 * noise:.0f} % noise"
        columns += [
            Column(f"Test error, {label}", "percent"),
            Column(f"Norm, {label}", "number"),
            Column(f"Best ridge, {label}", "percent"),
        ]
        curves += [
            {**feature_curve(results, noise, 0.0)},
            {n: value.mean for n, value in feature_curve(results, noise, 0.0, "norm").items()},
            {n: best.error for n, best in best_ridge(results, noise).items()},
        ]
    rows = [[n, *(curve.get(n, MISSING) for curve in curves)] for n in study.features]
    return Table(columns, rows)


def peaks(results: Results) -> Table:
    """Where the test error has its peak over widths, for each model and label noise, beside the paper's ResNet18."""
    columns = [
        Column("Model"),
        Column("Noise", "level"),
        Column("Fitted from", "count"),
        Column("Before", "percent"),
        Column("at width", "count"),
        Column("Peak", "percent"),
        Column("at", "count"),
        Column("Widest", "percent"),
        Column("Height", "points"),
        ERROR.column("Δ peak"),
        ERROR.column("Δ widest"),
        ERROR.verdict_column,
        Column("Mean distance", "number"),
    ]
    papers = papers_numbers()
    rows: list[list[Cell]] = [["ResNet18 (paper)", PAPERS_NOISE, *_peak_cells(papers), *[None] * 4]]
    for sweep in results.params.studies.double_descent.width_sweeps:
        for noise in sweep.label_noise:
            curve = numbers_of(width_curve(results, sweep, noise))
            values: list[Cell] = [MISSING, *[None] * 6] if curve is None else _peak_cells(curve)
            beside: list[Cell] = [None] * 4
            if (sweep.model, noise) == (PAPERS_MODEL, PAPERS_NOISE):
                beside = _beside_the_papers(papers, curve, same_data=on_papers_data(results.params))
            rows.append([model_title(sweep.model), noise, *values, *beside])
    return Table(columns, rows)


def _beside_the_papers(papers: Curve, ours: Curve | None, same_data: bool) -> list[Cell]:
    """Return how far our highest and our widest network's error are from the paper's, and whether both are near.

    Also how far all of the curve is, on average over the paper's widths, in points.
    """
    pairs: list[tuple[float, Ours]] = [
        (papers.test[peak(papers.test).top], ours.test[peak(ours.test).top] if ours else MISSING),
        (papers.test[-1], ours.test[-1] if ours else MISSING),
    ]
    distance = apart(_by_width(papers), _by_width(ours)) if ours else None
    return [
        *(ERROR.difference(*pair) for pair in pairs),
        ERROR.verdict(*pairs, same_data=same_data),
        100 * distance.mean if distance else None,
    ]


def _peak_cells(curve: Curve) -> list[Cell]:
    found = peak(curve.test)
    fitted = threshold(curve.sizes, curve.train)
    if not found.height:
        return [fitted, None, None, "none", None, curve.test[-1], 0.0]
    return [
        fitted,
        curve.test[found.before],
        curve.sizes[found.before],
        curve.test[found.top],
        curve.sizes[found.top],
        curve.test[-1],
        100 * found.height,
    ]


def _by_width(curve: Curve) -> dict[float, float]:
    return {float(width): error for width, error in zip(curve.sizes, curve.test, strict=True)}


def samples(results: Results) -> Table:
    """Errors against the number of training examples, at fixed widths."""
    columns = [
        Column("Width", "count"),
        Column("Training examples", "count"),
        Column("Train error, noisy labels", "percent"),
        Column("Test error", "percent"),
    ]
    rows: list[list[Cell]] = []
    for width in results.params.studies.double_descent.sample_wise.widths:
        found = sample_curve(results, width)
        rows += [[width, each.size, each.train, each.test] for each in found] or [[width, MISSING, None, None]]
    return Table(columns, rows)


def regularised(results: Results) -> Table:
    """Test error at the highest label noise without a regulariser, with the best weight decay, and stopped early."""
    columns = [
        Column("Model"),
        Column("Width", "count"),
        Column("Unregularised", "percent"),
        Column("Best weight decay", "percent"),
        Column("its coefficient", "number"),
        Column("Stopped early", "percent"),
    ]
    rows: list[list[Cell]] = []
    for sweep in results.params.studies.double_descent.width_sweeps:
        decayed = {each.width: each for each in best_decay(results, sweep)}
        for found in width_curve(results, sweep, sweep.label_noise[-1], widths=_shown_widths(sweep)):
            best = decayed.get(found.size)
            rows.append(
                [
                    model_title(sweep.model),
                    found.size,
                    found.test,
                    None if best is None else best.test,
                    None if best is None else best.coefficient,
                    found.stopped,
                ]
            )
    return Table(columns, rows)


def _shown_widths(sweep: WidthSweepParams) -> list[int]:
    return sweep.weight_decay_widths if sweep.weight_decay else sweep.widths


TABLES: dict[str, Callable[[Results], Table]] = {
    "random-features": random_features,
    "peaks": peaks,
    "samples": samples,
    "regularised": regularised,
}


def numbers(results: Results) -> dict[str, Any]:
    """Return the headline numbers: errors are fractions, widths, examples and epochs whole numbers."""
    study = results.params.studies.double_descent
    return {
        "random_features": _feature_numbers(results),
        **{sweep.model: _sweep_numbers(results, sweep) for sweep in study.width_sweeps},
        "epoch_wise": _epoch_numbers(results),
        "sample_wise": _sample_numbers(results),
    }


def _rounded(value: float | Estimate | None) -> float | None:
    return None if value is None else round(value.mean if isinstance(value, Estimate) else value, 6)


def _feature_numbers(results: Results) -> dict[str, float | None]:
    """Return the test errors of the solution of smallest norm at the first of the noise levels, and of ridge's best."""
    study = results.params.studies.double_descent.random_features
    curve = feature_curve(results, study.label_noise[0], 0.0)
    ridge = best_ridge(results, study.label_noise[-1]).get(study.examples)
    noisy = feature_curve(results, study.label_noise[-1], 0.0).get(study.examples)
    below = [value.mean for features, value in curve.items() if features < study.examples]
    return {
        "examples": study.examples,
        "error_best_below": _rounded(min(below) if below else None),
        "error_peak": _rounded(curve.get(study.examples)),
        "error_most_features": _rounded(curve[max(curve)] if curve else None),
        "error_peak_noisy": _rounded(noisy),
        "error_ridge_noisy": _rounded(ridge.error if ridge else None),
    }


def _sweep_numbers(results: Results, sweep: WidthSweepParams) -> dict[str, float | None]:
    curve = numbers_of(width_curve(results, sweep, sweep.label_noise[-1]))
    found = peak(curve.test) if curve else None
    known = curve is not None and found is not None
    return {
        "label_noise": sweep.label_noise[-1],
        "fitted_from_width": threshold(curve.sizes, curve.train) if curve else None,
        "error_before_peak": _rounded(curve.test[found.before]) if known and curve and found else None,
        "peak_width": curve.sizes[found.top] if known and curve and found else None,
        "error_peak": _rounded(curve.test[found.top]) if known and curve and found else None,
        "error_widest": _rounded(curve.test[-1]) if curve else None,
        "error_best_stopped": _rounded(min(curve.stopped)) if curve else None,
    }


def _epoch_numbers(results: Results) -> dict[str, float | None]:
    curve = epoch_curve(results).dropna(subset=["smoothed_test_error"])
    if curve.empty:
        return dict.fromkeys(("error_lowest_first", "epoch_lowest", "error_peak", "epoch_peak", "error_last"))
    errors, epochs = curve["smoothed_test_error"].tolist(), curve["epoch"].tolist()
    found = peak(errors)
    return {
        "error_lowest_first": _rounded(errors[found.before]),
        "epoch_lowest": int(epochs[found.before]),
        "error_peak": _rounded(errors[found.top]),
        "epoch_peak": int(epochs[found.top]),
        "error_last": _rounded(errors[-1]),
    }


def _sample_numbers(results: Results) -> dict[str, float | None]:
    """Return the largest rise of the test error with more examples, over all widths."""
    best: dict[str, float | None] = dict.fromkeys(
        ("width", "examples_fewer", "error_fewer", "examples_more", "error_more")
    )
    largest = -1.0
    for width in results.params.studies.double_descent.sample_wise.widths:
        known = [
            (each.size, each.test.mean) for each in sample_curve(results, width) if isinstance(each.test, Estimate)
        ]
        found = rise([error for _, error in known]) if known else None
        if found and found.size > largest:
            largest = found.size
            (fewer, error_fewer), (more, error_more) = known[found.start], known[found.end]
            best = {
                "width": width,
                "examples_fewer": fewer,
                "error_fewer": _rounded(error_fewer),
                "examples_more": more,
                "error_more": _rounded(error_more),
            }
    return best
