"""The randomisation study's figures, and what `dvc plots` shows of it."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from papers_runs import (
    BASE_EPOCHS,
    FIGURE_1A,
    NOTHING,
    SWEEP,
    THE_PAPERS,
    changed,
    results,
    the_papers_runs,
)
from rethinking.results.frame import Results
from rethinking.results.published import published_curve
from rethinking.results.style import style, svg
from rethinking.studies.randomisation import STUDY
from rethinking.studies.randomisation.plots import PLOTS


def drawn(name: str, found: Results) -> Figure:
    drawing = STUDY.figure(name)
    with style():
        return drawing.draw(drawing.points(found))


def drawn_svg(name: str, found: Results) -> str:
    with style():
        return svg(drawn(name, found))


SOME_MISSING = changed(
    {
        (model, corruption, "none", 0): None
        for model, corruptions in (("inception", [*SWEEP[2:5], "gaussian"]), ("mlp-1x512", SWEEP))
        for corruption in corruptions
    }
)
SOME_DIVERGED = results(
    {
        **the_papers_runs()[0],
        ("inception", "true", "none", 0): {"status": "diverged", "time_to_overfit": math.nan},
        ("alexnet", "labels-p50", "none", 0): {"status": "diverged", "time_to_overfit": math.nan},
        ("inception-nobn", "true", "none", 0): {"status": "diverged"},
    },
    {
        ("inception", "true", "none", 0): [(391.0, 2.3), (782.0, math.inf)],
        ("inception-nobn", "true", "none", 0): [(391.0, math.nan)],
    },
)
SEVERAL_SEEDS = results(
    {
        (*run[:3], seed): {**values, "test_accuracy": values.get("test_accuracy", 0.5) + 0.01 * seed}
        for run, values in the_papers_runs()[0].items()
        for seed in range(3)
    }
)


@pytest.mark.parametrize("name", STUDY.figures)
@pytest.mark.parametrize(
    "found",
    [THE_PAPERS, NOTHING, SOME_MISSING, SOME_DIVERGED, SEVERAL_SEEDS],
    ids=["full", "nothing", "missing", "diverged", "seeds"],
)
def test_every_figure_can_be_drawn_of_any_results_and_is_the_same_each_time(name: str, found: Results) -> None:
    texts = [drawn_svg(name, found) for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0].startswith("<?xml")
    assert "<path" in texts[0]


@pytest.mark.parametrize("name", STUDY.figures)
def test_a_figure_shows_the_results(name: str) -> None:
    full, nothing = (drawn_svg(name, found) for found in (THE_PAPERS, NOTHING))
    assert full != nothing


@pytest.mark.parametrize("name", STUDY.figures)
@pytest.mark.parametrize("found", [THE_PAPERS, NOTHING, SOME_DIVERGED], ids=["full", "nothing", "diverged"])
def test_points_say_whose_they_are_and_why_one_is_missing(name: str, found: Results) -> None:
    points = STUDY.figure(name).points(found)
    columns = list(points)
    assert (columns[:3], columns[-3:]) == (["source", "dataset", "series"], ["half_width", "seeds", "note"])
    assert set(points["source"]) <= {"paper", "ours"}
    assert set(points["dataset"]) == {"cifar10"}
    measured = points[columns[-4]]
    ours = points["source"] == "ours"
    assert measured[~ours].notna().all()
    assert points["note"][~ours].eq("").all()
    assert measured[points["note"] != ""].isna().all()
    assert ours.any()
    if found is NOTHING:
        assert points["note"][ours].ne("").all()


SHOWN = {
    "overview": ("accuracy", "accuracy"),
    "figure1a": ("step", "training_loss"),
    "figure1b": ("label_corruption", "relative_time_to_overfit"),
    "figure1c": ("label_corruption", "test_error"),
    "figure2b": ("share_of_run", "accuracy"),
}


@pytest.mark.parametrize("name", STUDY.figures)
def test_every_point_is_drawn_where_it_is(name: str) -> None:
    x, y = SHOWN[name]
    points = STUDY.figure(name).points(SEVERAL_SEEDS)[[x, y]].to_numpy()
    lines = [
        np.asarray(line.get_xydata(), dtype=float)
        for axes in drawn(name, SEVERAL_SEEDS).axes
        for line in axes.lines
        if line.get_transform() == axes.transData
    ]
    places = np.concatenate(lines)
    if name == "overview":  # models stand above one another: the height is no number
        places[:, 1] = places[:, 0]
    distances = np.abs(points[:, None] - places[None]).max(axis=2).min(axis=1)
    assert distances.max() < 1e-9
    assert len(points) >= 20


def test_half_widths_are_drawn_as_error_bars() -> None:
    points = STUDY.figure("figure1c").points(SEVERAL_SEEDS)
    ours = points[(points["source"] == "ours") & (points["series"] == "inception")]
    ours = ours[ours["test_labels"] == "true"]
    assert (ours["half_width"] > 0).all()
    panel = drawn("figure1c", SEVERAL_SEEDS).axes[0]
    bars, _ = (bars for container in panel.containers for bars in container.lines[2])  # type: ignore[attr-defined]
    ends = [(segment[0][1], segment[1][1]) for segment in bars.get_segments()]
    expected = [(e - w, e + w) for e, w in zip(ours["test_error"], ours["half_width"], strict=True)]
    assert [value for pair in ends for value in pair] == pytest.approx([value for pair in expected for value in pair])


def test_the_papers_points_are_the_published_ones() -> None:
    points = STUDY.figure("figure1a").points(NOTHING)
    for corruption, series in FIGURE_1A.items():
        theirs = points[(points["source"] == "paper") & (points["series"] == corruption)]
        steps, losses = published_curve("figure1a", "step", "train_loss", series=series)
        assert (list(theirs["step"]), list(theirs["training_loss"])) == (steps, losses)


# --- what `dvc plots` shows ---


@pytest.mark.parametrize("name", STUDY.plots)
def test_a_plot_has_the_same_columns_whatever_was_run(name: str) -> None:
    """DVC draws none of the columns that are listed for a plot if one of them is missing."""
    full, nothing, some = (STUDY.plot(name)(found) for found in (THE_PAPERS, NOTHING, SOME_MISSING))
    assert list(full) == list(nothing) == list(some)
    x, *curves = map(str, full)
    assert x == ("label_corruption" if "figure" in name else "epoch")
    assert all(curve.isidentifier() and curve.isascii() for curve in curves)
    assert full[x].is_monotonic_increasing
    assert full[curves].notna().any().all()
    assert nothing.empty


def test_names_of_plots_are_those_that_are_made() -> None:
    assert set(STUDY.plots) == set(PLOTS)


def test_plots_hold_the_numbers_of_the_figures() -> None:
    curves = STUDY.plot("learning-curves")(THE_PAPERS)
    _, losses = published_curve("figure1a", "step", "train_loss", series="random_labels")
    assert list(curves["random_labels"]) == losses
    assert list(curves["epoch"]) == list(range(1, 70))
    errors = STUDY.plot("figure1c")(THE_PAPERS)
    assert list(errors["label_corruption"]) == pytest.approx([level / 10 for level in range(11)])
    assert errors["mlp_1x512"][5] == pytest.approx(0.796, abs=6e-4)
    epochs = STUDY.plot("figure1b")(THE_PAPERS)
    assert list(epochs.iloc[0]) == [0.0, *BASE_EPOCHS.values()]
    assert epochs["inception"].iloc[-1] == 36
    accuracies = STUDY.plot("accuracy-curves")(THE_PAPERS)
    assert set(accuracies["inception_nobn_true_labels_test"].dropna()) == {0.82}


def test_curves_of_different_lengths_end_where_they_end() -> None:
    runs, curves = the_papers_runs()
    curves["inception", "true", "none", 0] = [(391.0, 2.0), (782.0, 1.0)]
    found = STUDY.plot("learning-curves")(results(runs, curves))
    assert list(found["true_labels"][:2]) == [2.0, 1.0]
    assert found["true_labels"][2:].isna().all()
    assert found["gaussian"].notna().all()
