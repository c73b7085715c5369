"""What the article's section on bias and variance asserts, as predicates over results."""

import math
from collections.abc import Callable

from rethinking.results.claims import NOT_RUN, Claim, Verdict, verdict
from rethinking.results.frame import Results
from rethinking.studies.bias_variance.measures import Curve, known, networks, place_of_highest, regression, was_run

POINTS = 3
"""Fewer widths show no shape."""

Judged = tuple[bool, str]


def _has_shape(curve: Curve) -> bool:
    return was_run(curve) and len(curve) >= POINTS


def _ends(numbers: dict[int, float]) -> tuple[float, float]:
    values = list(numbers.values())
    return values[0], values[-1]


def _percent(noise: float) -> str:
    return f"{100 * noise:.0f} % noise"


def _by_noise(
    results: Results, measure: str, judge: Callable[[dict[int, float]], Judged], where: Callable[[float], bool]
) -> Verdict:
    """Judge the curve of `measure` at every level of label noise at which it was run and that `where` keeps."""
    parts, holds = [], True
    for noise, curves in networks(results).items():
        curve = curves[measure]
        if not (where(noise) and _has_shape(curve)):
            continue
        gaps = [f"width {width} {value}" for width, value in curve.items() if isinstance(value, str)]
        agrees, evidence = (False, ", ".join(gaps)) if gaps else judge(known(curve))
        parts.append(f"{_percent(noise)}: {evidence}")
        holds &= agrees
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def _at_every_noise(measure: str, judge: Callable[[dict[int, float]], Judged]) -> Callable[[Results], Verdict]:
    return lambda results: _by_noise(results, measure, judge, lambda noise: True)


def _most_noise(results: Results) -> float:
    return results.params.studies.bias_variance.label_noise[-1]


# --- polynomials ---


def risk_is_u_shaped(results: Results) -> Verdict:
    """Judge that the regression's bias falls to a tenth, its variance grows, and its risk has a minimum between."""
    curves = regression(results)
    if not _has_shape(curves["risk"]):
        return NOT_RUN
    bias, variance, risk = (_ends(known(curves[name])) for name in ("bias_squared", "variance", "risk"))
    numbers = known(curves["risk"])
    best = min(numbers, key=lambda degree: numbers[degree])
    holds = bias[1] <= bias[0] / 10 and variance[1] >= 10 * variance[0] and min(risk) >= 1.5 * numbers[best]
    return verdict(holds, f"risk {risk[0]:.2f}, {numbers[best]:.2f} at degree {best}, {risk[1]:.2f}")


def risk_is_the_sum(results: Results) -> Verdict:
    """Judge that at every degree the measured risk is bias squared, variance and noise added up."""
    curves = {name: known(curve) for name, curve in regression(results).items()}
    if not curves["risk"]:
        return NOT_RUN
    noise = results.params.studies.bias_variance.regression.noise**2
    gaps = {
        degree: abs(curves["bias_squared"][degree] + curves["variance"][degree] + noise - risk) / risk
        for degree, risk in curves["risk"].items()
    }
    worst = max(gaps, key=lambda degree: gaps[degree])
    return verdict(gaps[worst] <= 0.05, f"largest gap {100 * gaps[worst]:.1f} % of the risk, at degree {worst}")


# --- networks ---


def _falls(numbers: dict[int, float]) -> Judged:
    first, last = _ends(numbers)
    lowest, rise = math.inf, 0.0
    for value in numbers.values():
        lowest = min(lowest, value)
        rise = max(rise, value - lowest)
    return last <= 0.6 * first and rise <= 0.05 * first, f"{first:.3f} to {last:.3f}"


def _is_unimodal(numbers: dict[int, float]) -> Judged:
    first, last = _ends(numbers)
    peak = max(numbers, key=lambda width: numbers[width])
    holds = numbers[peak] >= 1.25 * first and last <= 0.9 * numbers[peak]
    return holds, f"{first:.3f}, {numbers[peak]:.3f} at width {peak}, {last:.3f}"


def _falls_from_its_peak(numbers: dict[int, float]) -> Judged:
    _, last = _ends(numbers)
    peak = max(numbers, key=lambda width: numbers[width])
    return last <= 0.75 * numbers[peak], f"{numbers[peak]:.3f} at width {peak}, {last:.3f} at the widest"


def _has_levelled_off(numbers: dict[int, float]) -> Judged:
    widths = list(numbers)[-max(2, len(numbers) // 3) :]
    first, last = numbers[widths[0]], numbers[widths[-1]]
    return last <= 1.1 * first, f"{first:.3f} at width {widths[0]}, {last:.3f} at {widths[-1]}"


def noise_raises_the_peak(results: Results) -> Verdict:
    """Judge that the variance's peak is higher by a quarter under the most label noise than under none."""
    peaks = _peaks(results)
    if peaks is None:
        return NOT_RUN
    (_, clean), (_, noisy) = peaks
    return verdict(noisy >= 1.25 * clean, f"{clean:.3f} without, {noisy:.3f} with {_percent(_most_noise(results))}")


def noise_moves_the_peak(results: Results) -> Verdict:
    """Judge that the variance peaks at a greater width under the most label noise than under none."""
    peaks = _peaks(results)
    if peaks is None:
        return NOT_RUN
    (clean, _), (noisy, _) = peaks
    return verdict(noisy > clean, f"width {clean} without, {noisy} with {_percent(_most_noise(results))}")


def _peaks(results: Results) -> tuple[tuple[int, float], tuple[int, float]] | None:
    """Return where the variance peaks and how high, without label noise and under the most of it, if both were run."""
    by_noise, found = networks(results), []
    for noise in (0.0, _most_noise(results)):
        curve = by_noise[noise]["variance"] if noise in by_noise else {}
        peak = place_of_highest(curve)
        if peak is None or not _has_shape(curve):
            return None
        found.append((peak, known(curve)[peak]))
    return None if _most_noise(results) == 0 else (found[0], found[1])


def noisy_risk_descends_twice(results: Results) -> Verdict:
    """Judge that under the most label noise risk falls, rises to a peak and falls again, by a tenth each time."""

    def judge(numbers: dict[int, float]) -> Judged:
        widths = list(numbers)
        valleys = [(min(numbers[w] for w in widths[:i]), numbers[widths[i]], i) for i in range(1, len(widths))]
        valley, peak, place = max(valleys, key=lambda found: found[1] / found[0])
        first, last = _ends(numbers)
        holds = valley <= 0.9 * first and peak >= 1.1 * valley and last <= 0.9 * peak
        return holds, f"{first:.3f}, down to {valley:.3f}, {peak:.3f} at width {widths[place]}, {last:.3f}"

    most = _most_noise(results)
    return _by_noise(results, "risk", judge, lambda noise: noise == most and noise > 0)


CLAIMS = [
    Claim(
        "classical-u",
        "In polynomial regression bias² falls to a tenth and variance grows tenfold with the degree, and the risk at "
        "either end is at least half as much again as at its lowest.",
        "Textbook picture",
        risk_is_u_shaped,
    ),
    Claim(
        "risk-is-the-sum",
        "In polynomial regression the risk on noisy test values is bias², variance and noise added up, within 5 %.",
        "Textbook identity",
        risk_is_the_sum,
    ),
    Claim(
        "bias-falls",
        "Bias² of networks falls with width by two fifths or more, and nowhere rises by more than a twentieth of its "
        "first value.",
        "Yang et al. 2020",
        _at_every_noise("bias_squared", _falls),
    ),
    Claim(
        "variance-unimodal",
        "Variance of networks rises with width, by a quarter or more, and falls again, by a tenth of its peak or more.",
        "Yang et al. 2020",
        _at_every_noise("variance", _is_unimodal),
    ),
    Claim(
        "noise-raises-variance",
        "The peak of the variance is higher by a quarter or more under label noise.",
        "Yang et al. 2020",
        noise_raises_the_peak,
    ),
    Claim(
        "noise-moves-peak",
        "Under label noise the variance peaks at a greater width.",
        "Yang et al. 2020",
        noise_moves_the_peak,
    ),
    Claim(
        "clean-risk-falls",
        "Without label noise risk falls with width by two fifths or more, and nowhere rises by more than a twentieth "
        "of its first value.",
        "Yang et al. 2020",
        lambda results: _by_noise(results, "risk", _falls, lambda noise: noise == 0),
    ),
    Claim(
        "noisy-risk-descends-twice",
        "Under label noise risk falls with width, rises to a peak and falls again, by a tenth or more each time.",
        "Yang et al. 2020",
        noisy_risk_descends_twice,
    ),
    Claim(
        "optimisation-falls",
        "The part of the variance that is due to optimisation falls by a quarter or more from its peak to the widest "
        "network.",
        "Neal et al. 2018",
        _at_every_noise("optimisation_variance", _falls_from_its_peak),
    ),
    Claim(
        "sampling-levels-off",
        "Over the widest third of the networks the part of the variance that is due to sampling rises by a tenth at "
        "most.",
        "Neal et al. 2018",
        _at_every_noise("sampling_variance", _has_levelled_off),
    ),
]
