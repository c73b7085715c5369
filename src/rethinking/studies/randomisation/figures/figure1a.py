"""Figure 1a: training loss against steps."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.panels import key, panels, say_not_run
from rethinking.results.published import published_curve
from rethinking.results.scales import STEPS, thousands
from rethinking.results.style import CORRUPTION_STYLE
from rethinking.studies.randomisation.curves import dataset_of, history_by_step
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
        ours = history_by_step(results, "inception", corruption, "online_loss")
        if ours is None:
            found.append(point(OURS, dataset_of(results), corruption, {}, training_loss=MISSING))
            continue
        for step, value in ours:
            found.append(point(OURS, dataset_of(results), corruption, {"step": step}, training_loss=value))
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw the training loss of Inception against steps, for true labels and four randomisations."""
    made = panels(2, height=2.8, share=True)
    left, right = made.axes
    for axes, source in ((left, PAPER), (right, OURS)):
        for corruption in FIGURE_1A:
            curve = matching(points, source=source, series=corruption)
            draw_curve(axes, curve, "step", "training_loss", band=True, **CORRUPTION_STYLE[corruption])
        thousands(axes.xaxis, STEPS)
    left.set(ylabel="Training loss (nats)", title="Paper, CIFAR-10", xlim=(0, 25_000), ylim=(-0.05, 2.6))
    if right.lines:
        right.set(title=f"Ours, {where(points)}", xlim=(0, None))
    else:
        say_not_run(right, "Ours, Inception")
    key(made, [Line2D([], [], **CORRUPTION_STYLE[corruption]) for corruption in FIGURE_1A])
    return made.figure


DRAWING = Drawing(points, draw)
