"""Model-wise: errors against width, a panel for each model and label noise, and the paper's ResNet18."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.panels import key, label_left, leave_out, panels
from rethinking.results.scales import per_cent, powers_of_two, width_of, written_out
from rethinking.results.style import PUBLISHED, REFERENCE
from rethinking.results.titles import model_title
from rethinking.studies.double_descent.curves import threshold
from rethinking.studies.double_descent.figures.shared import (
    LOOKS,
    NOISY_TEST,
    TEST,
    TRAIN,
    error_points,
    noise_title,
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
    known = points[points["error"].notna()]
    every, places = (dict.fromkeys(zip(p["series"], p["label_noise"], strict=True)) for p in (points, known))
    made = panels(len(places), height=2.5)
    for axes, (model, noise) in zip(made.axes, places, strict=True):
        _panel(axes, matching(points, series=model, label_noise=noise), model, _title(model, noise))
    handles = [Line2D([], [], **look, label=measure) for measure, look in LOOKS.items()]
    label_left(made)
    key(made, [*handles, Line2D([], [], **PUBLISHED | {"zorder": 3}, label="paper, CIFAR-10")])
    leave_out(made.figure, [_title(*each) for each in every if each not in places])
    return made.figure


def _title(model: str, noise: float) -> str:
    return f"{model_title(model)}, {noise_title(noise)}"


def _panel(axes: Axes, chosen: pd.DataFrame, model: str, title: str) -> None:
    for measure, look in LOOKS.items():
        theirs, ours = (matching(chosen, source=source, measure=measure) for source in (PAPER, OURS))
        if not theirs.empty:
            pale = PUBLISHED | {"color": look["color"], "alpha": 0.3, "linestyle": look["linestyle"]}
            axes.plot(theirs["width"], theirs["error"], **pale)
        draw_curve(axes, ours, "width", "error", **look)
    known = matching(chosen, source=OURS, note="")
    # The paper's alone where we have no such network.
    shown = matching(known if not known.empty else chosen, measure=TRAIN).sort_values("width")
    fitted = threshold(shown["width"].tolist(), shown["error"].tolist()) if shown["note"].eq("").all() else None
    if fitted:
        axes.axvline(fitted, **REFERENCE)
    axes.set_title(f"{title}\n(ours: not run)" if known.empty else title)
    axes.set(xlabel=width_of(model), ylim=(-0.02, None))
    per_cent(axes.yaxis, "Error")
    written_out(axes, powers_of_two(chosen["width"]))


DRAWING = Drawing(points, draw, over="run")
