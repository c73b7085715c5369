"""Regularised: test error against width under weight decay, and with early stopping, at the highest label noise."""

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.drawing import Drawing, Point, frame
from rethinking.results.frame import Results, matching
from rethinking.results.style import BLACK, PURPLE, RED, say_not_run
from rethinking.results.titles import model_title
from rethinking.studies.double_descent.figures.shared import (
    DECAY_COLOURS,
    error_points,
    logarithmic,
    panels,
    plot_errors,
    powers_of_two,
)
from rethinking.studies.double_descent.measures import width_curve

LAST, STOPPED = "last epoch", "lowest along the run"


def points(results: Results) -> pd.DataFrame:
    """Return test errors by model, weight decay and width, at the last epoch and the lowest along the run."""
    study = results.params.studies.double_descent
    found: list[Point] = []
    for sweep in study.width_sweeps:
        for coefficient in (0.0, *sweep.weight_decay):
            widths = sweep.weight_decay_widths if coefficient else sweep.widths
            for each in width_curve(results, sweep, sweep.label_noise[-1], coefficient, widths):
                at = {"label_noise": sweep.label_noise[-1], "weight_decay": coefficient, "width": each.size}
                errors = [(LAST, each.test)] if coefficient else [(LAST, each.test), (STOPPED, each.stopped)]
                found += error_points(study.dataset, sweep.model, at, errors)
    return frame(found)


def draw(points: pd.DataFrame) -> Figure:
    """Draw test error against width, a panel for each model."""
    models = list(points["series"].unique())
    drawn, axes = panels(len(models), columns=2, height=3.1)
    for each, model in zip(axes, models, strict=True):
        chosen = matching(points, series=model)
        free = matching(chosen, weight_decay=0.0)
        title = f"{model_title(model)}, {100 * chosen['label_noise'].iloc[0]:.0f} % label noise"
        shown = plot_errors(
            each, matching(free, measure=LAST), "width", color=RED, marker="o", label="no regulariser", linewidth=2
        )
        for number, coefficient in enumerate(sorted(chosen["weight_decay"].unique())[1:]):
            look = {"color": DECAY_COLOURS[number % 3], "marker": "sD^"[number % 3], "linestyle": "--"}
            curve = matching(chosen, weight_decay=coefficient)
            shown |= plot_errors(each, curve, "width", **look, label=f"weight decay {coefficient:g}")
        stopped = {
            "color": PURPLE if shown else BLACK,
            "marker": "v",
            "linestyle": ":",
            "label": "stopped early (optimistic)",
        }
        shown |= plot_errors(each, matching(free, measure=STOPPED), "width", **stopped)
        if not shown:
            say_not_run(each, title)
            continue
        each.set(title=title, xlabel="Width", ylabel="Test error", ylim=(0, None))
        logarithmic(each, powers_of_two(chosen["width"]))
        each.legend(loc="upper right")
    return drawn


DRAWING = Drawing(points, draw)
