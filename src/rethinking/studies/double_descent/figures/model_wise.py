"""Model-wise: errors against width, a panel for each model and label noise, and the paper's ResNet18."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.style import GREY, PUBLISHED
from rethinking.results.titles import model_title
from rethinking.studies.double_descent.curves import threshold
from rethinking.studies.double_descent.figures.shared import (
    LOOKS,
    NOISY_TEST,
    TEST,
    TRAIN,
    error_points,
    logarithmic,
    panels,
    plot_errors,
    powers_of_two,
)
from rethinking.studies.double_descent.measures import on_noisy_labels, width_curve
from rethinking.studies.double_descent.tables import PAPERS_DATASET, PAPERS_MODEL, PAPERS_NOISE, papers_curve


def points(results: Results) -> pd.DataFrame:
    """Return errors by model, label noise and width: train on the noisy labels, test on true and on noisy ones."""
    study = results.params.studies.double_descent
    found: list[Point] = []
    for split, measure in (("train", TRAIN), ("test", NOISY_TEST)):
        for width, error in zip(*papers_curve(split), strict=True):
            at = {"label_noise": PAPERS_NOISE, "width": width, "measure": measure}
            found.append(point(PAPER, PAPERS_DATASET, PAPERS_MODEL, at, error=error))
    for sweep in study.width_sweeps:
        for noise in sweep.label_noise:
            for each in width_curve(results, sweep, noise):
                at = {"label_noise": noise, "width": each.size}
                errors = [(TRAIN, each.train), (TEST, each.test)]
                if noise:
                    errors.append((NOISY_TEST, on_noisy_labels(each.test, noise)))
                found += error_points(study.dataset, sweep.model, at, errors)
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw errors against width; the paper's curve lies behind ours, or in a panel of its own."""
    places = list(dict.fromkeys(zip(points["series"], points["label_noise"], strict=True)))
    drawn, axes = panels(len(places))
    for each, (model, noise) in zip(axes, places, strict=True):
        chosen = matching(points, series=model, label_noise=noise)
        _panel(each, chosen, f"{model_title(model)}, {100 * noise:.0f} % noise")
    handles = [Line2D([], [], **look, label=measure) for measure, look in LOOKS.items()]
    handles.append(Line2D([], [], **PUBLISHED | {"zorder": 3}, label="paper, CIFAR-10"))
    drawn.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return drawn


def _panel(axes: Axes, chosen: pd.DataFrame, title: str) -> None:
    for measure, look in LOOKS.items():
        theirs, ours = (matching(chosen, source=source, measure=measure) for source in (PAPER, OURS))
        if not theirs.empty:
            axes.plot(theirs["width"], theirs["error"], **PUBLISHED | {"color": look["color"], "alpha": 0.3})
        plot_errors(axes, ours, "width", **look)
    known = matching(chosen, source=OURS, note="")
    # The paper's alone where we have no such network.
    shown = matching(known if not known.empty else chosen, measure=TRAIN).sort_values("width")
    fitted = threshold(shown["width"].tolist(), shown["error"].tolist()) if shown["note"].eq("").all() else None
    if fitted:
        axes.axvline(fitted, color=GREY, linestyle=":", linewidth=1)
    if known.empty:
        axes.text(
            0.97, 0.3, "ours: not run\nat this scale", color=GREY, transform=axes.transAxes, ha="right", fontsize=7.5
        )
    axes.set(title=title, xlabel="Width", ylabel="Error", ylim=(-0.02, None))
    logarithmic(axes, powers_of_two(chosen["width"], most=5))


DRAWING = Drawing(points, draw)
