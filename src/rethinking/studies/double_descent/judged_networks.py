"""What networks are judged by: predicates of the study's claims."""

from collections.abc import Callable, Iterator

from rethinking.params_studies.double_descent import WidthSweepParams
from rethinking.results.claims import NOT_RUN, Verdict, verdict
from rethinking.results.frame import Estimate, Results
from rethinking.results.titles import model_title
from rethinking.studies.double_descent.curves import Peak, noisy_scale, peak, rise, threshold
from rethinking.studies.double_descent.judged_features import in_points, percent
from rethinking.studies.double_descent.measures import (
    Curve,
    best_decay,
    epoch_curve,
    numbers_of,
    sample_curve,
    width_curve,
)

VISIBLE = 0.02
"""The least rise, and the least fall, that count as one: two points of error."""

NORMALISED = ("resnet18", "cnn")
"""The networks of Nakkiran et al. 2019, of which their claims are judged; both have batch normalisation."""

# --- widths ---


def _curves(results: Results, noise_at: int) -> Iterator[tuple[WidthSweepParams, Curve]]:
    """Yield each sweep that was run and its curve at a label noise: -1 the highest, 0 the lowest."""
    for sweep in results.params.studies.double_descent.width_sweeps:
        if curve := numbers_of(width_curve(results, sweep, sweep.label_noise[noise_at])):
            yield sweep, curve


def _noisy_curves(results: Results) -> Iterator[tuple[WidthSweepParams, Curve, Peak]]:
    """Yield each of the networks of Nakkiran et al. that was run with label noise, its curve and the peak of that."""
    for sweep, curve in _curves(results, -1):
        if sweep.label_noise[-1] and sweep.model in NORMALISED:
            yield sweep, curve, peak(curve.test)


def _path(curve: Curve, found: Peak) -> str:
    """Say how the test error goes from the lowest before the peak over the peak to the lowest after it."""
    places = (found.before, found.top, found.after)
    return " → ".join(f"{percent(curve.test[place])} at {curve.sizes[place]}" for place in places)


def error_rises_and_falls_again(results: Results) -> Verdict:
    """Judge that every network's test error over widths has a visible peak at the highest label noise."""
    parts, holds = [], True
    for sweep, curve, found in _noisy_curves(results):
        holds &= found.height >= VISIBLE
        parts.append(f"{model_title(sweep.model)} {_path(curve, found)}")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def peak_is_at_interpolation(results: Results) -> Verdict:
    """Judge that the peak's width is within a factor of two of the first that fits the noisy training set."""
    parts, holds = [], True
    for sweep, curve, found in _noisy_curves(results):
        fitted, top = threshold(curve.sizes, curve.train), curve.sizes[found.top]
        holds &= found.height > 0 and fitted is not None and fitted / 2 <= top <= 2 * fitted
        parts.append(
            f"{model_title(sweep.model)} peak at {top if found.height else 'none'}, fitted from {fitted or 'none'}"
        )
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def noise_makes_the_peak(results: Results) -> Verdict:
    """Judge that without label noise the peak's height is at most half of that at the highest noise."""
    parts, holds = [], True
    clean = {sweep.model: peak(curve.test) for sweep, curve in _curves(results, 0) if not sweep.label_noise[0]}
    for sweep, _, found in _noisy_curves(results):
        if sweep.model in clean:
            without = clean[sweep.model].height
            holds &= found.height > 0 and without <= found.height / 2
            parts.append(f"{model_title(sweep.model)} {in_points(without)} without, {in_points(found.height)} with")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def widest_is_best(results: Results) -> Verdict:
    """Judge that at the highest label noise the widest network errs less than the best one before the peak."""
    parts, holds = [], True
    for sweep, curve, found in _noisy_curves(results):
        before, widest = curve.test[found.before], curve.test[-1]
        holds &= found.height > 0 and widest < before
        shown = f"{percent(before)} before the peak" if found.height else "no peak"
        parts.append(f"{model_title(sweep.model)} {shown}, widest {percent(widest)}")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def peak_shows_on_noisy_labels(results: Results) -> Verdict:
    """Judge that the peak is visible on test labels as noisy as those of training, which lessens all differences."""
    parts, holds = [], True
    for sweep, _, found in _noisy_curves(results):
        height = found.height * noisy_scale(sweep.label_noise[-1])
        holds &= height >= VISIBLE
        parts.append(f"{model_title(sweep.model)} {in_points(height)}, on true labels {in_points(found.height)}")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def unnormalised_error_rises_and_falls(results: Results) -> Verdict:
    """Judge whether networks without batch normalisation have a visible peak at the highest label noise, too."""
    parts, holds = [], True
    for sweep, curve in _curves(results, -1):
        if sweep.model not in NORMALISED:
            found = peak(curve.test)
            holds &= found.height >= VISIBLE
            parts.append(f"{model_title(sweep.model)} {_path(curve, found)}")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


# --- epochs and examples ---


def error_falls_rises_and_falls_in_training(results: Results) -> Verdict:
    """Judge that a wide network's smoothed test error falls, rises visibly and falls visibly along training."""
    whole = epoch_curve(results)
    curve = whole.dropna(subset=["smoothed_test_error"])
    if len(curve) < 3:
        return NOT_RUN
    errors, epochs = curve["smoothed_test_error"].tolist(), curve["epoch"].tolist()
    found = peak(errors)
    first = float(whole["test_error"].iloc[0])
    later = [f"{percent(errors[place])} at {epochs[place]}" for place in (found.before, found.top, found.after)]
    evidence = " → ".join([f"{percent(first)} at epoch 1", *later])
    # The first fall may be over where the moving average begins: it is judged by the first epoch itself.
    return verdict(found.height >= VISIBLE and first >= errors[found.before] + VISIBLE, evidence)


def more_data_hurts(results: Results) -> Verdict:
    """Judge that at some width the test error is visibly larger with more training examples than with fewer."""
    parts, largest = [], -1.0
    for width in results.params.studies.double_descent.sample_wise.widths:
        known = [
            (each.size, each.test.mean) for each in sample_curve(results, width) if isinstance(each.test, Estimate)
        ]
        if len(known) < 2:
            continue
        found = rise([error for _, error in known])
        largest = max(largest, found.size)
        (fewer, low), (more, high) = known[found.start], known[found.end]
        change = f"{percent(low)} with {fewer:,} examples, {percent(high)} with {more:,}"
        parts.append(f"width {width}: {change if found.size else 'never rises'}")
    return verdict(largest >= VISIBLE, "; ".join(parts)) if parts else NOT_RUN


# --- regularisation ---


def weight_decay_stops_the_rise(normalised: bool) -> Callable[[Results], Verdict]:
    """Return the predicate that the best weight decay of the sweep at least halves how much widening raises the error.

    It is about networks with batch normalisation, or about those without; equal widths are compared.
    """

    def judge(results: Results) -> Verdict:
        parts, holds = [], True
        for sweep in results.params.studies.double_descent.width_sweeps:
            decayed = best_decay(results, sweep) if (sweep.model in NORMALISED) == normalised else []
            widths = [each.width for each in decayed]
            free = numbers_of(width_curve(results, sweep, sweep.label_noise[-1], widths=widths)) if widths else None
            if free is None:
                continue
            without, tuned = rise(free.test).size, rise([each.test.mean for each in decayed]).size
            holds &= without >= VISIBLE and tuned <= without / 2
            parts.append(f"{model_title(sweep.model)} rises by {in_points(without)} without, {in_points(tuned)} with")
        return verdict(holds, "; ".join(parts)) if parts else NOT_RUN

    return judge


def early_stopping_stops_the_rise(results: Results) -> Verdict:
    """Judge that stopping each run at its lowest test error at least halves how much widening raises the error."""
    parts, holds = [], True
    for sweep, curve, _ in _noisy_curves(results):
        without, stopped = rise(curve.test).size, rise(curve.stopped).size
        holds &= without >= VISIBLE and stopped <= without / 2
        parts.append(
            f"{model_title(sweep.model)} rises by {in_points(without)} at the end, {in_points(stopped)} stopped"
        )
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN
