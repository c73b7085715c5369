"""What random features are judged by: predicates of the study's claims."""

from rethinking.results.claims import NOT_RUN, Verdict, verdict
from rethinking.results.frame import Results
from rethinking.studies.double_descent.curves import peak
from rethinking.studies.double_descent.measures import best_ridge, example_curve, feature_curve


def percent(error: float) -> str:
    """Return an error, a fraction, as evidence shows it."""
    return f"{100 * error:.1f} %"


def in_points(difference: float) -> str:
    """Return a difference of errors as evidence shows it."""
    return f"{100 * difference:.1f} points"


def features_peak_at_interpolation(results: Results) -> Verdict:
    """Judge that the squared error is largest at N = n, and ten times the smallest on either side, at each noise."""
    study = results.params.studies.double_descent.random_features
    parts, holds = [], True
    for noise in study.label_noise:
        means = {n: value.mean for n, value in feature_curve(results, noise, 0.0, "test_squared_error").items()}
        if study.examples not in means:
            continue
        top = means[study.examples]
        below = [value for n, value in means.items() if n < study.examples]
        above = [value for n, value in means.items() if n > study.examples]
        sides = [min(side) for side in (below, above) if side]
        holds &= top == max(means.values()) and all(top >= 10 * side for side in sides)
        shown = " and ".join(f"{top / side:,.0f}" for side in sides)
        parts.append(f"{100 * noise:.0f} % noise: {shown} times the smallest below and above")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def more_features_beat_the_classical_optimum(results: Results) -> Verdict:
    """Judge that with the lowest label noise the most features err less than the best number below n."""
    study = results.params.studies.double_descent.random_features
    curve = feature_curve(results, study.label_noise[0], 0.0)
    below = {n: value.mean for n, value in curve.items() if n < study.examples}
    if not below or max(curve) <= study.examples:
        return NOT_RUN
    best, most = min(below, key=lambda n: below[n]), max(curve)
    evidence = f"{percent(below[best])} with {best:,} features, {percent(curve[most].mean)} with {most:,}"
    return verdict(curve[most].mean < below[best], evidence)


def more_data_hurts_features(results: Results) -> Verdict:
    """Judge that n examples give n features ten times the squared error, or more, of some smaller number."""
    study = results.params.studies.double_descent.random_features
    parts, holds = [], True
    for noise in study.label_noise:
        means = {n: value.mean for n, value in example_curve(results, noise, 0.0, "test_squared_error").items()}
        fewer = {n: value for n, value in means.items() if n < study.examples}
        if study.examples not in means or not fewer:
            continue
        best = min(fewer, key=lambda n: fewer[n])
        ratio = means[study.examples] / fewer[best]
        holds &= ratio >= 10
        parts.append(f"{100 * noise:.0f} % noise: {ratio:,.0f} times that with {best:,} examples")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN


def ridge_removes_the_peak(results: Results) -> Verdict:
    """Judge that under the best penalty of the sweep the peak has at most a tenth of its height, at each noise."""
    parts, holds = [], True
    for noise in results.params.studies.double_descent.random_features.label_noise:
        free = feature_curve(results, noise, 0.0)
        if not free:
            continue
        without = peak([free[n].mean for n in sorted(free)]).height
        ridge = best_ridge(results, noise)
        tuned = peak([ridge[n].error.mean for n in sorted(ridge)]).height
        holds &= tuned <= without / 10
        parts.append(f"{100 * noise:.0f} % noise: height {in_points(without)} without, {in_points(tuned)} with")
    return verdict(holds, "; ".join(parts)) if parts else NOT_RUN
