"""Figure 2b: Inception with and without batch normalisation."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.panels import key, panels
from rethinking.results.published import published_curve
from rethinking.results.scales import per_cent
from rethinking.results.style import BLACK, GREEN, PUBLISHED, Look
from rethinking.results.titles import model_title
from rethinking.studies.randomisation.curves import dataset_of, history_by_step
from rethinking.studies.randomisation.design import PAPERS_DATASET
from rethinking.studies.randomisation.measures import MISSING

FIGURE_2B = {"inception": "inception", "inception-nobn": "inception_wo_bn"}
"""Models of Figure 2b, and what the published curves call them."""

LOOKS: dict[str, Look] = {
    "train": {"color": GREEN, "linestyle": "--"},
    "test": {"color": BLACK, "linestyle": "-"},
}


def points(results: Results) -> pd.DataFrame:
    """Return train and test accuracy of Inception with and without batch normalisation; series are models.

    The paper's steps and ours differ in scale off CIFAR-10: a point's place is its share of the run, of 1.
    """
    found: list[Point] = []
    for model, series in FIGURE_2B.items():
        for split in LOOKS:
            steps, accuracies = published_curve("figure2b", "step", "accuracy", series=series, split=split)
            for step, accuracy in zip(steps, accuracies, strict=True):
                at = {"split": split, "step": step, "share_of_run": step / max(steps)}
                found.append(point(PAPER, PAPERS_DATASET, model, at, accuracy=accuracy))
            ours = history_by_step(results, model, "true", f"{split}_accuracy")
            if ours is None:
                found.append(point(OURS, dataset_of(results), model, {"split": split}, accuracy=MISSING))
                continue
            last = max(step for step, _ in ours)
            for step, value in ours:
                if isinstance(value, Estimate):  # the training set is not evaluated after each epoch
                    at = {"split": split, "step": step, "share_of_run": step / last}
                    found.append(point(OURS, dataset_of(results), model, at, accuracy=value))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw train and test accuracy of Inception with and without batch normalisation, along the run."""
    made = panels(2, height=2.8, share=True)
    for axes, model in zip(made.axes, FIGURE_2B, strict=True):
        for split, look in LOOKS.items():
            theirs, ours = (matching(points, source=source, series=model, split=split) for source in (PAPER, OURS))
            pale = PUBLISHED | {"color": look["color"], "alpha": 0.25}
            axes.plot(theirs["share_of_run"], theirs["accuracy"], **pale | {"linestyle": look["linestyle"]})
            draw_curve(axes, ours, "share_of_run", "accuracy", band=True, **look)
        axes.set(ylim=(0.5, 1.02), xlim=(0, 1.02))
        per_cent(axes.xaxis, "Share of the run")
        missing = matching(points, source=OURS, series=model)["accuracy"].isna().all()
        axes.set_title(f"{model_title(model)}\n(ours: not run)" if missing else model_title(model))
    per_cent(made.axes[0].yaxis, "Accuracy")
    ours_too = [Line2D([], [], label=f"{split}, ours", **look) for split, look in LOOKS.items()]
    key(made, [*ours_too, Line2D([], [], **PUBLISHED | {"zorder": 3}, label="paper, CIFAR-10")])
    return made.figure


DRAWING = Drawing(points, draw)
