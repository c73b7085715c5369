"""What the study's experiments have measured, as its tables, figures and claims read it."""

import math

from rethinking.results.frame import Estimate, Results

MISSING = "not run"
DIVERGED = "diverged"
UNMEASURED = "one network a part"

Curve = dict[int, Estimate | str]
"""A measure by degree or width; why there is none where there is no number."""

REGRESSION = ("bias_squared", "variance", "risk")
NETWORKS = (
    "bias_squared",
    "variance",
    "risk",
    "sampling_variance",
    "optimisation_variance",
    "test_error",
    "train_error",
)


def regression(results: Results) -> dict[str, Curve]:
    """Return bias squared, variance and risk of the regression by degree, with 95 % intervals over training sets."""
    study = results.params.studies.bias_variance.regression
    found = results.experiment("bias_variance", "regression")
    curves: dict[str, Curve] = {name: dict.fromkeys(study.degrees, MISSING) for name in REGRESSION}
    for line in found.to_dict("records"):
        # There are so many training sets that Student's factor is the normal distribution's.
        half_width = 1.96 * line["standard_error"]
        curves[line["measure"]][line["degree"]] = Estimate(line["value"], half_width, study.repetitions)
    return curves


def networks(results: Results) -> dict[float, dict[str, Curve]]:
    """Return each measure of the networks by label noise and width, with 95 % intervals over parts."""
    study = results.params.studies.bias_variance
    found = results.experiment("bias_variance", "decomposition")
    curves: dict[float, dict[str, Curve]] = {
        noise: {name: dict.fromkeys(study.widths, MISSING) for name in NETWORKS} for noise in study.label_noise
    }
    if found.empty:
        return curves
    factor, lines = _students_factor(study.parts), found.to_dict("records")
    # A network that diverged leaves no number at all; one network a part tells nothing of the parts of the variance.
    diverged = {
        (line["label_noise"], line["width"])
        for line in lines
        if line["measure"] == "risk" and math.isnan(line["value"])
    }
    for line in lines:
        value, error = line["value"], line["standard_error"]
        entry: Estimate | str = Estimate(value, None if math.isnan(error) else factor * error, study.parts)
        if math.isnan(value):
            entry = DIVERGED if (line["label_noise"], line["width"]) in diverged else UNMEASURED
        curves[line["label_noise"]][line["measure"]][line["width"]] = entry
    return curves


def known(curve: Curve) -> dict[int, float]:
    """Return the numbers of a curve, of rising x."""
    return {x: value.mean for x, value in sorted(curve.items()) if isinstance(value, Estimate)}


def was_run(curve: Curve) -> bool:
    """Whether anything is known of a curve, were it that a network diverged."""
    return any(value not in (MISSING, UNMEASURED) for value in curve.values())


def place_of_highest(curve: Curve) -> int | None:
    """Return the x at which a curve is highest, or None if it has no numbers."""
    numbers = known(curve)
    return max(numbers, key=lambda x: numbers[x]) if numbers else None


def _students_factor(parts: int) -> float:
    from scipy.stats import t  # slow to import

    return float(t.ppf(0.975, parts - 1))
