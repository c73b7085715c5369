"""What the article's section on double descent asserts, as predicates over results."""

from rethinking.results.claims import Claim
from rethinking.studies.double_descent.judged_features import (
    features_peak_at_interpolation,
    more_data_hurts_features,
    more_features_beat_the_classical_optimum,
    ridge_removes_the_peak,
)
from rethinking.studies.double_descent.judged_networks import (
    early_stopping_stops_the_rise,
    error_falls_rises_and_falls_in_training,
    error_rises_and_falls_again,
    more_data_hurts,
    noise_makes_the_peak,
    peak_is_at_interpolation,
    peak_shows_on_noisy_labels,
    unnormalised_error_rises_and_falls,
    weight_decay_stops_the_rise,
    widest_is_best,
)

BELKIN, NAKKIRAN = "Belkin et al. 2019", "Nakkiran et al. 2019"

CLAIMS = [
    Claim(
        "features-peak",
        "The squared test error of the solution of smallest norm is largest where there are as many random features as "
        "examples: ten times the smallest on either side, or more.",
        f"{BELKIN}, Figure 2",
        features_peak_at_interpolation,
    ),
    Claim(
        "features-second-descent",
        "On true labels, the most random features err less than the best number below that of examples.",
        f"{BELKIN}, Figure 2",
        more_features_beat_the_classical_optimum,
    ),
    Claim(
        "features-sample-wise",
        "For one number of random features, as many examples give ten times the squared test error, or more, that some "
        "smaller number of examples gives.",
        "this article",
        more_data_hurts_features,
    ),
    Claim(
        "ridge",
        "Under the best ridge penalty of the sweep, the peak of random features has at most a tenth of its height.",
        "this article",
        ridge_removes_the_peak,
    ),
    Claim(
        "model-wise",
        "On noisy labels, test error rises and falls again as networks get wider, by two points or more.",
        f"{NAKKIRAN}, Figure 1",
        error_rises_and_falls_again,
    ),
    Claim(
        "peak-at-interpolation",
        "The peak lies within a factor of two of the first width that fits the noisy training set to 10 % error.",
        NAKKIRAN,
        peak_is_at_interpolation,
    ),
    Claim(
        "noise-makes-the-peak",
        "Without label noise the peak has at most half of its height.",
        NAKKIRAN,
        noise_makes_the_peak,
    ),
    Claim(
        "widest-best",
        "On noisy labels, the widest network errs less than the best one before the peak.",
        f"{NAKKIRAN}, Figure 1",
        widest_is_best,
    ),
    Claim(
        "noisy-test-labels",
        "The peak stands out by two points or more on noisy test labels too.",
        f"{NAKKIRAN}, Figure 1",
        peak_shows_on_noisy_labels,
    ),
    Claim(
        "unnormalised-model-wise",
        "Networks without batch normalisation, too, have a test error on noisy labels that rises and falls again with "
        "width, by two points or more.",
        "this article",
        unnormalised_error_rises_and_falls,
    ),
    Claim(
        "epoch-wise",
        "Along the training of a wide network on noisy labels, test error falls, rises and falls again, by two points "
        "or more.",
        f"{NAKKIRAN}, Figure 9",
        error_falls_rises_and_falls_in_training,
    ),
    Claim(
        "sample-wise",
        "At a fixed width, more training examples can raise the test error, by two points or more.",
        f"{NAKKIRAN}, Figures 11 and 12",
        more_data_hurts,
    ),
    Claim(
        "weight-decay",
        "Under the best weight decay of the sweep, networks with batch normalisation lose at least half of the rise of "
        "their test error with width.",
        NAKKIRAN,
        weight_decay_stops_the_rise(normalised=True),
    ),
    Claim(
        "weight-decay-unnormalised",
        "Under the best weight decay of the sweep, networks without batch normalisation lose at least half of the rise "
        "of their test error with width.",
        "this article",
        weight_decay_stops_the_rise(normalised=False),
    ),
    Claim(
        "early-stopping",
        "With each run stopped at its lowest test error, networks lose at least half of the rise with width.",
        NAKKIRAN,
        early_stopping_stops_the_rise,
    ),
]
