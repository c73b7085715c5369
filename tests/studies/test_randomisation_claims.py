"""What the claims of the randomisation study say."""

import math
from typing import Any

import numpy as np
import pytest

from papers_runs import (
    BASE_EPOCHS,
    NOTHING,
    PAPER,
    PARAMS,
    THE_PAPERS,
    Run,
    changed,
    every,
    redrawn,
    results,
)
from rethinking.data.corruptions import label_corruption_probability
from rethinking.results.claims import Verdict
from rethinking.results.frame import Estimate, Results
from rethinking.studies.randomisation import STUDY, measures
from rethinking.studies.randomisation.design import (
    ALL_MODELS,
)

CLAIMS = {claim.key: claim for claim in STUDY.claims()}


def judged(key: str, found: Results) -> Verdict:
    return CLAIMS[key].judge(found)


def on_true_labels() -> dict[Run, dict[str, Any] | None]:
    """Test errors on true labels that are the paper's of Figure 1c where test labels are corrupted as well."""
    found: dict[Run, dict[str, Any] | None] = {}
    for (model, corruption), error in measures.published_sweep("figure1c", "test_error").items():
        p = label_corruption_probability(corruption)
        on_true = 0.9 if p == 1 else (error - 0.9 * p) / (1 - p)
        found[model, corruption, "none", 0] = {"test_accuracy": 1 - on_true}
    return found


BEARING_OUT = {"papers-test-labels": changed(on_true_labels())}
"""Results that bear out what the paper's numbers, taken as they are, do not."""


@pytest.mark.parametrize("key", CLAIMS)
def test_the_papers_own_numbers_bear_out_every_claim(key: str) -> None:
    found = judged(key, BEARING_OUT.get(key, THE_PAPERS))
    assert found.judgement == "holds"
    assert found.evidence


def test_errors_on_corrupted_labels_are_those_that_counting_gives() -> None:
    """By drawing the labels: of 200,000 predictions of which 55 % are right, and 40 % of the labels are drawn anew."""
    draws = np.random.default_rng(0)
    labels = draws.integers(10, size=200_000)
    predictions = np.where(draws.random(len(labels)) < 0.55, labels, (labels + draws.integers(1, 10, len(labels))) % 10)
    corrupted = np.where(draws.random(len(labels)) < 0.4, draws.integers(10, size=len(labels)), labels)
    run = ("mlp-1x512", "labels-p40", "none", 0)
    found = measures.error_on_corrupted_labels(changed({run: {"test_accuracy": 0.55}}), "mlp-1x512", "labels-p40")
    assert isinstance(found, Estimate)
    assert found.mean == pytest.approx(float((predictions != corrupted).mean()), abs=0.004)
    assert found.mean == pytest.approx(0.6 * 0.45 + 0.4 * 0.9)


def test_a_model_that_diverged_at_every_level_is_said_to() -> None:
    found = on_true_labels()
    for (model, *rest), values in found.items():
        if model == "alexnet" and values is not None:
            found[model, *rest] = values | {"status": "diverged"}  # type: ignore[index]
    judgement, evidence = judged("papers-test-labels", changed(found))
    assert judgement == "differs"
    assert "AlexNet diverged" in evidence


def test_which_test_labels_the_paper_used_is_judged_on_whole_curves_of_its_own_data() -> None:
    lacking = on_true_labels() | {(model, "labels-p30", "none", 0): None for model in BASE_EPOCHS}
    assert judged("papers-test-labels", changed(lacking)).judgement == "not run"
    alone = on_true_labels() | {(model, "labels-p30", "none", 0): None for model in list(BASE_EPOCHS)[1:]}
    assert judged("papers-test-labels", changed(alone)).evidence.count("points apart") == 1
    cifar10 = PAPER.datasets["cifar10"].model_copy(update={"train_examples": 1000})
    part = PAPER.model_copy(update={"datasets": PAPER.datasets | {"cifar10": cifar10}})
    assert judged("papers-test-labels", changed(on_true_labels(), part)).judgement == "not run"


@pytest.mark.parametrize("key", CLAIMS)
def test_nothing_is_claimed_of_what_was_not_run(key: str) -> None:
    assert judged(key, NOTHING).judgement == "not run"


TRUE = [(model, "true", "none", 0) for model in ALL_MODELS]
RANDOM = [(model, "random-labels", "none", 0) for model in ALL_MODELS]

DIFFERING: dict[str, Results] = {
    "true-labels-fitted": every(TRUE[:1], train_accuracy=0.98),
    "random-labels-fitted": every(RANDOM[-1:], train_accuracy=0.9899),
    # 10,000 test images: guessing gives 10 +- 0.99 %
    "random-labels-at-chance": every(RANDOM[2:3], test_accuracy=0.112),
    "unstructured-images-fitted": every([("inception", "gaussian", "none", 0)], train_accuracy=0.5),
    "noise-before-random-labels": redrawn({("inception", "gaussian", "none", 0): [(391.0, 2.3), (20_000.0, 0.01)]}),
    "overfitting-slows": every([("alexnet", "random-labels", "none", 0)], time_to_overfit=20.0),
    "slow-down-small": every([("inception", "random-labels", "none", 0)], time_to_overfit=100.0),
    "error-rises-to-chance": every([("alexnet", "random-labels", "none", 0)], test_accuracy=0.3),
    "papers-test-labels": THE_PAPERS,  # on true labels
    "regularizers-not-necessary": every(TRUE[2:3], test_accuracy=0.70),
    "regularizers-not-sufficient": every([("mlp-1x512", "random-labels", "wd", 0)], train_accuracy=0.6),
    "early-stopping-little": every(TRUE[:1], best_test_accuracy=0.87),
    "batch-normalisation-helps": every(TRUE[1:2], test_accuracy=0.86),
}


def test_every_claim_has_results_that_it_differs_from() -> None:
    assert set(DIFFERING) == set(CLAIMS)


@pytest.mark.parametrize("key", CLAIMS)
def test_a_claim_differs_where_one_result_speaks_against_it(key: str) -> None:
    found = judged(key, DIFFERING[key])
    assert found.judgement == "differs"
    assert found.evidence


DIVERGED = {
    "true-labels-fitted": TRUE[0],
    "random-labels-fitted": RANDOM[0],
    "unstructured-images-fitted": ("inception", "random-pixels", "none", 0),
    "overfitting-slows": ("inception", "labels-p50", "none", 0),
    "slow-down-small": ("inception", "random-labels", "none", 0),
    "error-rises-to-chance": ("inception", "labels-p50", "none", 0),
    "papers-test-labels": ("inception", "labels-p50", "none", 0),
    "regularizers-not-necessary": TRUE[0],
    "regularizers-not-sufficient": ("inception", "random-labels", "crop", 0),
    "batch-normalisation-helps": TRUE[0],
}


@pytest.mark.parametrize("key", DIVERGED)
def test_a_run_that_diverged_does_not_bear_out_a_claim(key: str) -> None:
    found = every([DIVERGED[key]], status="diverged", time_to_overfit=math.nan)
    assert judged(key, found).judgement == "differs"


def test_random_labels_that_were_never_fitted_are_no_small_factor() -> None:
    found = every([("inception", "random-labels", "none", 0)], time_to_overfit=math.nan)
    assert judged("slow-down-small", found).judgement == "differs"


def test_a_run_that_diverged_was_run() -> None:
    found = every(TRUE[:1], status="diverged")
    assert judged("early-stopping-little", found).judgement != "not run"


def test_claims_of_all_models_are_judged_on_those_that_were_run() -> None:
    found = changed({run: None for run in RANDOM[1:]})
    assert judged("random-labels-fitted", found) == Verdict("holds", "lowest of 1: 100.00 %")


def test_alexnet_with_weight_decay_is_not_claimed() -> None:
    """The paper's own did not converge; whether ours does says nothing against the claim."""
    for accuracy in (0.1, 1.0):
        found = every([("alexnet", "random-labels", "wd", 0)], train_accuracy=accuracy)
        assert judged("regularizers-not-sufficient", found).judgement == "holds"


def test_chance_is_wider_on_fewer_test_images() -> None:
    """On 360 test images guessing gives 10 +- 5.2 %; with 128 of them, 10 +- 8.8 %."""
    for name, test_accuracy, judgement in (
        ("digits", 0.15, "holds"),
        ("digits", 0.16, "differs"),
        ("smoke", 0.16, "holds"),
    ):
        found = results({run: {"test_accuracy": test_accuracy} for run in RANDOM}, params=PARAMS[name])
        assert judged("random-labels-at-chance", found).judgement == judgement


def test_noise_that_is_never_fitted_is_slower_than_random_labels() -> None:
    never = redrawn({("inception", "random-pixels", "none", 0): [(391.0, 2.3), (27_000.0, 0.2)]})
    found = judged("noise-before-random-labels", never)
    assert (found.judgement, "not reached" in found.evidence) == ("differs", True)
