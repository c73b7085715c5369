import numpy as np
import pytest
from numpy.typing import NDArray

from rethinking.data.corruptions import (
    PIXEL_CORRUPTIONS,
    channel_statistics,
    corrupt_labels,
    gaussian_images,
    label_corruption_name,
    label_corruption_probability,
    permute_pixels_per_image,
    pixel_permutation,
    random_stream,
    replaces_by_wrong_labels,
    shuffle_pixels,
    wrong_labels,
    wrong_labels_name,
)
from rethinking.errors import UserError

LABEL_CORRUPTIONS = [label_corruption_name(percent / 100) for percent in range(10, 101, 10)]
CORRUPTIONS = ["true", *LABEL_CORRUPTIONS, *PIXEL_CORRUPTIONS]

LABELS = np.repeat(np.arange(10, dtype=np.uint8), 10_000)  # class by class


def stream(corruption: str = "random-labels", seed: int = 0, split: str = "train") -> np.random.Generator:
    return random_stream(seed, "digits", corruption, split)


def traceable_images(n: int) -> NDArray[np.uint8]:
    """Images (n, 2, 16, 16) whose pixels hold their position in channel 0 and 255 minus it in channel 1."""
    positions = np.arange(256, dtype=np.uint8).reshape(16, 16)
    return np.tile(np.stack([positions, 255 - positions]), (n, 1, 1, 1))


def chi_square(counts: NDArray[np.int64]) -> float:
    expected = counts.sum() / counts.size
    return float(((counts - expected) ** 2 / expected).sum())


def test_vocabulary_is_the_one_that_paths_and_params_use() -> None:
    sweep = [f"labels-p{percent}" for percent in (10, 20, 30, 40, 50, 60, 70, 80, 90)]
    assert list(CORRUPTIONS) == [
        "true",
        *sweep,
        "random-labels",
        "shuffled-pixels",
        "random-pixels",
        "gaussian",
    ]


def test_name_says_the_probability() -> None:
    probabilities = [label_corruption_probability(name) for name in LABEL_CORRUPTIONS]
    assert probabilities == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert label_corruption_probability("labels-p05") == 0.05
    assert {label_corruption_probability(name) for name in ("true", *PIXEL_CORRUPTIONS)} == {0.0}


@pytest.mark.parametrize("name", ["labels-p5", "labels-p00", "labels-p100", "random_labels", ""])
def test_unknown_corruption_is_refused_with_the_allowed_ones(name: str) -> None:
    with pytest.raises(UserError, match=r"labels-p01 to labels-p99.*random-labels.*gaussian"):
        label_corruption_probability(name)


@pytest.mark.parametrize("corruption", LABEL_CORRUPTIONS)
def test_nine_tenths_of_the_redrawn_labels_change(corruption: str) -> None:
    p = label_corruption_probability(corruption)
    changed = (corrupt_labels(LABELS, p, 10, stream(corruption)) != LABELS).mean()
    binomial_error = np.sqrt(0.9 * p * (1 - 0.9 * p) / len(LABELS))
    assert abs(changed - 0.9 * p) < 4 * binomial_error


def test_random_labels_are_uniform_whatever_the_old_class() -> None:
    new = corrupt_labels(LABELS, 1.0, 10, stream()).reshape(10, -1)
    for old in range(10):
        counts = np.bincount(new[old], minlength=10)
        assert chi_square(counts) < 33.7  # exceeded by chance once in 10,000 at 9 degrees of freedom


def test_changed_labels_are_spread_over_all_other_classes() -> None:
    new = corrupt_labels(LABELS, 0.3, 10, stream("labels-p30")).reshape(10, -1)
    for old in range(10):
        counts = np.bincount(new[old], minlength=10)
        assert chi_square(np.delete(counts, old)) < 31.8  # the same at 8 degrees of freedom


@pytest.mark.parametrize("probability", [0.1, 0.2, 0.5])
def test_wrong_labels_are_never_the_right_ones_and_uniform_over_the_others(probability: float) -> None:
    """Nakkiran et al. 2019: so a fraction p really changes, not 0.9 p."""
    name = wrong_labels_name(probability)
    assert label_corruption_probability(name) == probability
    assert replaces_by_wrong_labels(name)
    labels = wrong_labels(LABELS, probability, 10, stream(name))
    changed = labels != LABELS
    assert changed.mean() == pytest.approx(probability, abs=0.006)  # four standard errors of 100,000
    shifts = (labels[changed].astype(int) - LABELS[changed]) % 10
    assert chi_square(np.bincount(shifts, minlength=10)[1:]) < 30  # 8 degrees of freedom: p < 0.0003
    assert labels.dtype == np.uint8


def test_wrong_labels_have_names_of_their_own() -> None:
    assert wrong_labels_name(0.0) == "true"
    assert wrong_labels_name(0.15) == "wrong-labels-p15"
    assert not replaces_by_wrong_labels("labels-p15")
    for bad in (0.155, 1.5):
        with pytest.raises(UserError, match="no probability"):
            wrong_labels_name(bad)


def test_probability_zero_changes_no_label_and_the_input_is_left_alone() -> None:
    labels = LABELS.copy()
    assert np.array_equal(corrupt_labels(labels, 0.0, 10, stream()), LABELS)
    corrupt_labels(labels, 1.0, 10, stream())
    assert np.array_equal(labels, LABELS)


def test_labels_are_fixed_by_the_seed() -> None:
    first, again, other = (corrupt_labels(LABELS, 1.0, 10, stream(seed=seed)) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert abs((first == other).mean() - 0.1) < 0.005


def test_no_two_variants_share_a_stream() -> None:
    draws = {
        random_stream(seed, dataset, corruption, split).integers(2**63)
        for seed in (0, 1, 11)
        for dataset in ("digits", "mnist", "cifar10")
        for corruption in CORRUPTIONS
        for split in ("train", "test", "both")
    }
    assert len(draws) == 3 * 3 * len(CORRUPTIONS) * 3


def test_label_sweep_is_not_nested() -> None:
    at_30, at_40 = (
        corrupt_labels(LABELS, label_corruption_probability(name), 10, stream(name)) != LABELS
        for name in ("labels-p30", "labels-p40")
    )
    # Independent sets meet in the product of their sizes; nested ones would in the smaller size, 0.27.
    assert abs((at_30 & at_40).mean() - 0.27 * 0.36) < 0.005


def test_streams_are_a_contract() -> None:
    """Recorded results name variants by their digest: another stream would orphan every one of them."""
    drawn = random_stream(0, "digits", "random-labels", "train").integers(10, size=12).tolist()
    assert drawn == [1, 1, 4, 4, 6, 1, 2, 9, 0, 6, 5, 5]


def test_one_permutation_serves_all_images_and_keeps_channels_together() -> None:
    permutation = pixel_permutation(16, 16, stream("shuffled-pixels", split="both"))
    assert sorted(permutation) == list(range(256))
    assert list(permutation) != list(range(256))
    shuffled = shuffle_pixels(traceable_images(5), permutation)
    assert (shuffled == shuffled[0]).all()
    assert np.array_equal(shuffled[0, 0].ravel(), permutation)
    assert np.array_equal(shuffled[:, 1], 255 - shuffled[:, 0])


def test_random_pixels_keep_each_images_pixels_and_differ_between_images() -> None:
    n = 5000  # more than one block
    images = permute_pixels_per_image(traceable_images(n), stream("random-pixels"))
    assert np.array_equal(images[:, 1], 255 - images[:, 0])
    positions = images[:, 0].reshape(n, 256)
    assert np.array_equal(np.sort(positions, axis=1), np.tile(np.arange(256), (n, 1)))
    assert len(np.unique(positions, axis=0)) == n


def test_random_pixels_send_a_pixel_anywhere_with_equal_chance() -> None:
    images = permute_pixels_per_image(traceable_images(20_000), stream("random-pixels"))
    came_to_the_corner = np.bincount(images[:, 0, 0, 0], minlength=256)
    assert chi_square(came_to_the_corner) < 345  # exceeded once in 10,000 at 255 degrees of freedom


def test_pixels_are_permuted_the_same_whatever_the_block_size(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = permute_pixels_per_image(traceable_images(50), stream("random-pixels"))
    monkeypatch.setattr("rethinking.data.corruptions._BLOCK", 7)
    assert np.array_equal(permute_pixels_per_image(traceable_images(50), stream("random-pixels")), whole)


def test_channel_statistics_are_the_mean_and_population_deviation() -> None:
    images = np.random.default_rng(0).integers(256, size=(5000, 3, 4, 4), dtype=np.uint8)
    images[:, 1] //= 3
    mean, std = channel_statistics(images)
    np.testing.assert_allclose(mean, images.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std, images.std(axis=(0, 2, 3)), rtol=1e-12)


def test_gaussian_matches_mean_and_deviation_and_is_not_clamped() -> None:
    mean, std = np.array([125.3, 123.0, 113.9]), np.array([63.0, 62.1, 66.7])  # CIFAR-10's
    images = gaussian_images((5000, 3, 16, 16), mean, std, stream("gaussian")).astype(np.float64)
    n = images[:, 0].size
    assert (np.abs(images.mean(axis=(0, 2, 3)) - mean) < 4 * std / np.sqrt(n)).all()
    assert (np.abs(images.std(axis=(0, 2, 3)) - std) < 4 * std / np.sqrt(2 * n)).all()
    # Clamping to 0..255 would leave none outside; a Gaussian has P(z < -125.3/63) + P(z > 129.7/63) there.
    outside = ((images[:, 0] < 0) | (images[:, 0] > 255)).mean()
    assert abs(outside - (0.02336 + 0.01976)) < 0.001


def test_gaussian_pixels_are_independent_of_each_other() -> None:
    images = gaussian_images((20_000, 2, 2, 2), np.zeros(2), np.ones(2), stream("gaussian"))
    correlations = np.corrcoef(images.reshape(20_000, 8).astype(np.float64), rowvar=False)
    assert np.abs(correlations - np.eye(8)).max() < 5 / np.sqrt(20_000)


@pytest.mark.parametrize("percent", range(101))
def test_name_and_probability_are_inverse(percent: int) -> None:
    assert label_corruption_probability(label_corruption_name(percent / 100)) == percent / 100


@pytest.mark.parametrize("probability", [1.5, -0.1, 0.125])
def test_probability_without_a_name_is_refused(probability: float) -> None:
    with pytest.raises(UserError, match="whole percents"):
        label_corruption_name(probability)
