"""The paper's own numbers, as this project quotes them."""

import pytest

from rethinking.results.published import published_curve, read_published


def test_figure_1a_has_a_point_for_each_of_69_epochs_of_391_steps() -> None:
    for series in ("true_labels", "random_labels", "shuffled_pixels", "random_pixels", "gaussian"):
        steps, losses = published_curve("figure1a", "step", "train_loss", series=series)
        assert steps == [391 * epoch for epoch in range(1, 70)]
        assert 0 < losses[-1] < 0.0005


def test_random_labels_begin_at_the_loss_of_guessing_ten_classes() -> None:
    _, losses = published_curve("figure1a", "step", "train_loss", series="random_labels")
    assert losses[0] == pytest.approx(2.303, abs=5e-4)


def test_figure_1b_is_in_whole_epochs() -> None:
    """With 10, 31 and 28 epochs on true labels every printed ratio is a whole number of epochs."""
    for series, base in (("inception", 10), ("alexnet", 31), ("mlp_1x512", 28)):
        levels, ratios = published_curve("figure1b", "label_corruption", "relative_time_to_overfit", series=series)
        assert levels == pytest.approx([level / 10 for level in range(11)])
        assert all(abs(base * ratio - round(base * ratio)) < 0.15 for ratio in ratios)
        assert ratios[0] == 1


@pytest.mark.parametrize(
    ("series", "true", "half", "random"),
    [("inception", 0.128, 0.710, 0.902), ("alexnet", 0.301, 0.763, 0.901), ("mlp_1x512", 0.495, 0.796, 0.898)],
)
def test_figure_1c_rises_to_the_error_of_guessing(series: str, true: float, half: float, random: float) -> None:
    levels, errors = published_curve("figure1c", "label_corruption", "test_error", series=series)
    assert [errors[0], errors[5], errors[10]] == pytest.approx([true, half, random], abs=6e-4)
    assert len(levels) == 11


def test_tables_have_the_papers_numbers_of_rows() -> None:
    assert (len(read_published("table1")), len(read_published("table4"))) == (19, 6)


def test_table_2_has_seven_networks_of_ours_and_alexnet() -> None:
    """Four with true labels, three with random ones; in brackets, for two of them, the best along the run."""
    rows = read_published("table2")
    labels = [row["labels"] for row in rows if row["model"] == "inception_v3"]
    assert labels == ["true"] * 4 + ["random"] * 3
    assert [row["top5_test"] for row in rows if row["model"] == "alexnet_2012"] == ["83.6"]
    best = [row["top1_test_best"] for row in rows]
    assert [value for value in best if value] == ["72.57", "63.16"]
    for row in rows:
        assert not row["top1_train"] or float(row["top1_train"]) <= float(row["top5_train"])


@pytest.mark.parametrize(
    ("series", "best", "final", "train"),
    [
        ("with_aug_wd_dropout", 0.7786, 0.7786, 0.9196),
        ("without_aug_dropout", 0.727, 0.673, 0.996),
        ("without_aug_wd_dropout", 0.6316, 0.5988, 0.995),
    ],
)
def test_figure_2a_rises_and_falls_without_augmentation(series: str, best: float, final: float, train: float) -> None:
    steps, accuracies = published_curve("figure2a", "step", "accuracy", series=series, split="test")
    assert max(accuracies) == pytest.approx(best, abs=2e-3)
    assert accuracies[-1] == pytest.approx(final, abs=2e-3)
    assert steps == sorted(steps)
    assert 9.9e6 < steps[-1] < 10e6
    _, on_train = published_curve("figure2a", "step", "accuracy", series=series, split="train")
    assert on_train[-1] == pytest.approx(train, abs=2e-3)


def test_alexnet_with_weight_decay_is_the_row_that_failed() -> None:
    failed = [(row["model"], row["regularizer"]) for row in read_published("table4") if row["converged"] == "no"]
    assert failed == [("alexnet", "weight_decay")]


def test_a_series_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError, match="figure1a has no series"):
        published_curve("figure1a", "step", "train_loss", series="resnet")
