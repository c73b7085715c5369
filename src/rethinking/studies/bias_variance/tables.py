"""The study's tables and headline numbers."""

from collections.abc import Callable
from typing import Any

from rethinking.data.sources import DATASETS
from rethinking.params import Params
from rethinking.results.beside import Tolerance
from rethinking.results.frame import Estimate, Results
from rethinking.results.published import read_published
from rethinking.results.table import Cell, Column, Table
from rethinking.results.titles import model_title
from rethinking.studies.bias_variance.measures import Curve, known, networks, place_of_highest, regression

SIZE = Tolerance(0.25, "share")
"""The published values are read by eye, and are of one network a part."""


def classical(results: Results) -> Table:
    """Bias squared, variance and risk of polynomials by degree; the risk is measured apart from the other two."""
    columns = [
        Column("Degree", "count"),
        Column("Bias²", "number"),
        Column("Variance", "number"),
        Column("Noise", "number"),
        Column("Their sum", "number"),
        Column("Risk, measured", "number"),
    ]
    curves = regression(results)
    noise = results.params.studies.bias_variance.regression.noise**2
    rows: list[list[Cell]] = []
    for degree in results.params.studies.bias_variance.regression.degrees:
        bias, variance = (known(curves[name]).get(degree) for name in ("bias_squared", "variance"))
        whole = None if bias is None or variance is None else bias + variance + noise
        rows.append([degree, bias, variance, noise, whole, curves["risk"][degree]])
    return Table(columns, rows)


def decomposition(results: Results) -> Table:
    """Bias squared, variance, risk and errors of networks by label noise and width."""
    columns = [
        Column("Label noise", "level"),
        Column("Width", "count"),
        Column("Bias²", "number"),
        Column("Variance", "number"),
        Column("Risk", "number"),
        Column("Test error", "percent"),
        Column("Train error", "percent"),
    ]
    measures = ("bias_squared", "variance", "risk", "test_error", "train_error")
    return Table(columns, _by_width(results, lambda curves, width: [curves[name][width] for name in measures]))


def split(results: Results) -> Table:
    """The two parts of the variance, and the share of the second, by label noise and width."""
    columns = [
        Column("Label noise", "level"),
        Column("Width", "count"),
        Column("Sampling", "number"),
        Column("Optimisation", "number"),
        Column("Variance", "number"),
        Column("Optimisation, share", "ratio"),
    ]

    def values(curves: dict[str, Curve], width: int) -> list[Cell]:
        sampling, optimisation, whole = (
            curves[name][width] for name in ("sampling_variance", "optimisation_variance", "variance")
        )
        share = None
        if isinstance(optimisation, Estimate) and isinstance(whole, Estimate) and whole.mean > 0:
            share = optimisation.mean / whole.mean
        return [sampling, optimisation, whole, share]

    return Table(columns, _by_width(results, values))


def _by_width(results: Results, values: Callable[[dict[str, Curve], int], list[Cell]]) -> list[list[Cell]]:
    return [
        [noise, width, *values(curves, width)]
        for noise, curves in networks(results).items()
        for width in results.params.studies.bias_variance.widths
    ]


def shape(results: Results) -> Table:
    """Where bias squared and variance begin, peak and end: read by eye from Yang et al. 2020, and ours."""
    columns = [
        Column("Networks"),
        Column("Label noise", "level"),
        Column("Bias², narrowest", "number"),
        Column("Bias², widest", "number"),
        Column("Variance, narrowest", "number"),
        Column("Variance, peak", "number"),
        Column("at width", "count"),
        Column("Variance, widest", "number"),
        SIZE.column("Δ bias², widest"),
        SIZE.column("Δ variance, peak"),
        SIZE.verdict_column,
    ]
    rows: list[list[Cell]] = [
        [
            f"Yang et al., ResNet34, {int(row['examples']):,} images",
            float(row["label_noise"]),
            *(
                float(row[name]) if row[name] else None
                for name in (
                    "bias_squared_narrowest",
                    "bias_squared_widest",
                    "variance_narrowest",
                    "variance_peak",
                    "peak_width",
                    "variance_widest",
                )
            ),
            *(None, None, None),
        ]
        for row in read_published("by_eye", paper="yang2020")
    ]
    study = results.params.studies.bias_variance
    first, last = study.widths[0], study.widths[-1]
    for noise, curves in networks(results).items():
        bias, variance = curves["bias_squared"], curves["variance"]
        peak = place_of_highest(variance)
        highest = variance[first] if peak is None else variance[peak]
        theirs = _of_the_same_networks(results.params, noise)
        pairs = [(theirs["bias_squared_widest"], bias[last]), (theirs["variance_peak"], highest)] if theirs else []
        rows.append(
            [
                f"ours, {model_title(study.network)} on {study.dataset}",
                noise,
                bias[first],
                bias[last],
                variance[first],
                highest,
                peak,
                variance[last],
                *([SIZE.difference(*pair) for pair in pairs] or (None, None)),
                SIZE.verdict(*pairs),
            ]
        )
    return Table(columns, rows)


def _of_the_same_networks(params: Params, label_noise: float) -> dict[str, float] | None:
    """Return what was read of networks like ours, on as many examples of the same data; None where there are none."""
    study = params.studies.bias_variance
    whole = params.datasets[study.dataset].train_examples or DATASETS[study.dataset].n_train
    if (study.dataset, study.network) != ("cifar10", "resnet34"):
        return None
    for row in read_published("by_eye", paper="yang2020"):
        if (int(row["examples"]), float(row["label_noise"])) == (whole // study.parts, label_noise):
            return {name: float(row[name]) for name in ("bias_squared_widest", "variance_peak")}
    return None


TABLES: dict[str, Callable[[Results], Table]] = {
    "classical": classical,
    "decomposition": decomposition,
    "split": split,
    "shape": shape,
}


def numbers(results: Results) -> dict[str, Any]:
    """Return the headline numbers; those of networks without label noise and under the most of it."""
    study = results.params.studies.bias_variance
    by_noise = networks(results)
    return {
        "regression": _regression_numbers(regression(results)["risk"]),
        "design": {
            "parts": float(study.parts),
            "networks_per_part": float(study.networks_per_part),
            "label_noise_percent": 100 * study.label_noise[-1],
            "examples": float(study.regression.examples),
            "training_sets": float(study.regression.repetitions),
            "noise": study.regression.noise,
        },
        "clean": _network_numbers(by_noise.get(0.0), study.widths),
        "noisy": _network_numbers(by_noise[study.label_noise[-1]], study.widths),
    }


def _regression_numbers(risk: Curve) -> dict[str, float | None]:
    numbers = known(risk)
    best = min(numbers, key=lambda degree: numbers[degree]) if numbers else None
    return {
        "best_degree": None if best is None else float(best),
        "lowest_risk": None if best is None else round(numbers[best], 4),
    }


def _network_numbers(curves: dict[str, Curve] | None, widths: list[int]) -> dict[str, float | None]:
    first, last = widths[0], widths[-1]
    known_of = {name: known(curve) for name, curve in (curves or {}).items()}

    def number(measure: str, width: int | None) -> float | None:
        value = None if width is None else known_of.get(measure, {}).get(width)
        return None if value is None else round(value, 4)  # as prose shows it

    peak = place_of_highest(curves["variance"]) if curves else None
    return {
        "bias_squared_narrowest": number("bias_squared", first),
        "bias_squared_widest": number("bias_squared", last),
        "variance_narrowest": number("variance", first),
        "variance_peak": number("variance", peak),
        "variance_peak_width": None if peak is None else float(peak),
        "variance_widest": number("variance", last),
        "sampling_variance_widest": number("sampling_variance", last),
        "optimisation_variance_widest": number("optimisation_variance", last),
        "test_error_at_peak": number("test_error", peak),
        "test_error_widest": number("test_error", last),
        "train_error_widest": number("train_error", last),
    }
