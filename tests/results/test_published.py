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


def test_alexnet_with_weight_decay_is_the_row_that_failed() -> None:
    failed = [(row["model"], row["regularizer"]) for row in read_published("table4") if row["converged"] == "no"]
    assert failed == [("alexnet", "weight_decay")]


def test_a_series_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError, match="figure1a has no series"):
        published_curve("figure1a", "step", "train_loss", series="resnet")
