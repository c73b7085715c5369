"""Figure 1a: training loss against steps."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.published import published_curve
from rethinking.results.style import CORRUPTION_STYLE, figure, say_not_run
from rethinking.studies.randomisation.curves import dataset_of, mean_history
from rethinking.studies.randomisation.design import FIGURE_1A, PAPERS_DATASET
from rethinking.studies.randomisation.figures.shared import where
from rethinking.studies.randomisation.measures import MISSING, figure1a_series


def points(results: Results) -> pd.DataFrame:
    """Return Inception's training loss (nats) after each epoch, by gradient step; series are corruptions.

    Ours is the online loss, averaged over seeds.
    """
    found: list[Point] = []
    for corruption in FIGURE_1A:
        curve = published_curve("figure1a", "step", "train_loss", series=figure1a_series(corruption))
        for step, loss in zip(*curve, strict=True):
            found.append(point(PAPER, PAPERS_DATASET, corruption, {"step": step}, training_loss=loss))
    for corruption in FIGURE_1A:
        ours = mean_history(results, "inception", corruption)
        if ours is None:
            found.append(point(OURS, dataset_of(results), corruption, {}, training_loss=MISSING))
            continue
        for step, loss in zip(ours["step"], ours["online_loss"], strict=True):
            found.append(point(OURS, dataset_of(results), corruption, {"step": step}, training_loss=loss))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw the training loss of Inception against steps, for true labels and four randomisations."""
    drawn, (left, right) = figure(columns=2, height=3.0)
    for axes, source in ((left, PAPER), (right, OURS)):
        for corruption in FIGURE_1A:
            curve = matching(points, source=source, series=corruption, note="")
            if not curve.empty:
                axes.plot(curve["step"] / 1000, curve["training_loss"], **CORRUPTION_STYLE[corruption])
    left.set(xlabel="Thousand steps", ylabel="Average training loss (nats)", title="Paper, CIFAR-10", xlim=(0, 25))
    right.set(xlabel="Thousand steps", title=f"Ours, {where(points)}")
    if right.lines:
        for axes in (left, right):
            axes.set_ylim(-0.05, 2.6)
        right.set_xlim(left=0)
    else:
        say_not_run(right, "Inception")
    left.legend(loc="upper right")
    return drawn


DRAWING = Drawing(points, draw)
