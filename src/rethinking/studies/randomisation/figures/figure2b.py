"""Figure 2b: Inception with and without batch normalisation."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.published import published_curve
from rethinking.results.style import BLUE, GREY, PUBLISHED, RED, figure
from rethinking.results.titles import model_title
from rethinking.studies.randomisation.curves import dataset_of, mean_history
from rethinking.studies.randomisation.design import PAPERS_DATASET
from rethinking.studies.randomisation.measures import MISSING

FIGURE_2B = {"inception": "inception", "inception-nobn": "inception_wo_bn"}
"""Models of Figure 2b, and what the published curves call them."""


def points(results: Results) -> pd.DataFrame:
    """Return train and test accuracy of Inception with and without batch normalisation; series are models.

    The paper's steps and ours differ in scale off CIFAR-10: a point's place is its share of the run, of 1.
    """
    found: list[Point] = []
    for model, series in FIGURE_2B.items():
        ours = mean_history(results, model, "true")
        for split in ("train", "test"):
            steps, accuracies = published_curve("figure2b", "step", "accuracy", series=series, split=split)
            for step, accuracy in zip(steps, accuracies, strict=True):
                at = {"split": split, "step": step, "share_of_run": step / max(steps)}
                found.append(point(PAPER, PAPERS_DATASET, model, at, accuracy=accuracy))
            if ours is None:
                found.append(point(OURS, dataset_of(results), model, {"split": split}, accuracy=MISSING))
                continue
            last = ours["step"].max()
            evaluated = ours.dropna(subset=[f"{split}_accuracy"])
            for step, accuracy in zip(evaluated["step"], evaluated[f"{split}_accuracy"], strict=True):
                at = {"split": split, "step": step, "share_of_run": step / last}
                found.append(point(OURS, dataset_of(results), model, at, accuracy=accuracy))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw train and test accuracy of Inception with and without batch normalisation, along the run."""
    drawn, pair = figure(columns=2, height=3.0)
    for axes, model in zip(pair, FIGURE_2B, strict=True):
        axes.set_title(model_title(model))
        for split, color, linestyle in (("train", BLUE, "-"), ("test", RED, "--")):
            theirs, ours = (
                matching(points, source=source, series=model, split=split, note="") for source in (PAPER, OURS)
            )
            axes.plot(theirs["share_of_run"], theirs["accuracy"], **PUBLISHED | {"color": color, "alpha": 0.25})
            if not ours.empty:
                axes.plot(ours["share_of_run"], ours["accuracy"], color=color, linestyle=linestyle)
        axes.set(xlabel="Share of the run", ylim=(0.5, 1.02), xlim=(0, 1.02))
        if matching(points, source=OURS, series=model, note="").empty:
            axes.text(0.5, 0.6, "ours: not run at this scale", ha="center", color=GREY)
    pair[0].set_ylabel("Accuracy")
    pair[1].legend(
        handles=[
            Line2D([], [], color=BLUE, label="train, ours"),
            Line2D([], [], color=RED, linestyle="--", label="test, ours"),
            Line2D([], [], **PUBLISHED | {"zorder": 3}, label="paper, CIFAR-10"),
        ],
        loc="lower right",
    )
    return drawn


DRAWING = Drawing(points, draw)
