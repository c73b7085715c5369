"""Train and test accuracy of every model at a glance."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, Drawing, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.style import BLUE, GREY, RED, figure
from rethinking.results.titles import model_title
from rethinking.studies.randomisation.curves import dataset_of
from rethinking.studies.randomisation.design import all_models
from rethinking.studies.randomisation.figures.shared import CHANCE_ERROR
from rethinking.studies.randomisation.measures import measured, runs


def points(results: Results) -> pd.DataFrame:
    """Return the train and test accuracy of every model with true and with random labels."""
    return frame(
        point(OURS, dataset_of(results), model, {"corruption": corruption, "split": split}, accuracy=value)
        for model in all_models(results.params)
        for corruption in ("true", "random-labels")
        for split in ("train", "test")
        for value in [measured(runs(results, model, corruption), f"{split}_accuracy")]
    )


def draw(points: pd.DataFrame) -> Figure:
    """Draw train and test accuracy of every model with true and with random labels: the paper's message at a glance."""
    drawn, (axes,) = figure(height=2.9)
    names = []
    for position, model in enumerate(reversed(points["series"].unique())):
        names.append(model_title(model))
        for corruption, color, offset in (("true", BLUE, 0.14), ("random-labels", RED, -0.14)):
            (train,), (test,) = (
                matching(points, series=model, corruption=corruption, split=split).to_dict("records")
                for split in ("train", "test")
            )
            if reason := train["note"] or test["note"]:
                axes.text(0.5, position + offset, reason, color=GREY, va="center", ha="center", fontsize=7)
                continue
            ends = [test["accuracy"], train["accuracy"]]
            axes.plot(ends, [position + offset] * 2, color=color, linewidth=1.2, alpha=0.6)
            axes.plot(train["accuracy"], position + offset, "o", color=color, markerfacecolor="white")
            axes.plot(test["accuracy"], position + offset, "o", color=color)
    axes.axvline(1 - CHANCE_ERROR, color=GREY, linestyle=":", linewidth=1)
    axes.text(1 - CHANCE_ERROR + 0.01, len(names) - 0.5, "chance", color=GREY, fontsize=7.5, va="center")
    axes.set(xlim=(0, 1.03), ylim=(-0.6, len(names) - 0.3), xlabel="Accuracy", yticks=range(len(names)))
    axes.set_yticklabels(names)
    axes.grid(axis="y", visible=False)
    axes.legend(
        handles=[
            Line2D([], [], color=BLUE, label="true labels"),
            Line2D([], [], color=RED, label="random labels"),
            Line2D([], [], marker="o", color=GREY, markerfacecolor="white", linestyle="", label="train"),
            Line2D([], [], marker="o", color=GREY, linestyle="", label="test"),
        ],
        loc="lower center",
        bbox_to_anchor=(0.45, 1.0),
        ncols=4,
    )
    return drawn


DRAWING = Drawing(points, draw)
