"""Regularised: test error against width under weight decay, and with early stopping, at the highest label noise."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import Drawing, Point, frame
from rethinking.results.frame import Results, matching
from rethinking.results.panels import key, label_left, not_run, panels, say_not_run
from rethinking.results.scales import per_cent, powers_of_two, width_of, written_out
from rethinking.results.style import BLACK, BLUE, STRENGTHS, Look
from rethinking.results.titles import model_title
from rethinking.studies.double_descent.figures.shared import error_points, noise_title
from rethinking.studies.double_descent.measures import width_curve

LAST, STOPPED = "last epoch", "lowest along the run"

LOOKS: dict[str, Look] = {
    LAST: {"color": BLACK, "marker": "o", "linestyle": "-", "linewidth": 2.0, "label": "no regulariser"},
    STOPPED: {"color": BLUE, "marker": "*", "linestyle": ":", "markersize": 7.0, "label": "stopped early (optimistic)"},
}


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
    """Draw test error against width, a panel for each model; where an interval is far larger than errors, it is cut."""
    if points["error"].isna().all():
        return not_run("Widths under regularisers")
    coefficients = sorted(points["weight_decay"].unique())[1:]
    decays = {
        coefficient: look | {"label": f"weight decay {coefficient:g}"}
        for coefficient, look in zip(coefficients, STRENGTHS[: len(coefficients)], strict=True)
    }
    models = list(points["series"].unique())
    made = panels(len(models), height=2.6)
    for axes, model in zip(made.axes, models, strict=True):
        chosen = matching(points, series=model)
        if chosen["error"].isna().all():
            say_not_run(axes, model_title(model))
            continue
        for coefficient, look in decays.items():
            draw_curve(axes, matching(chosen, weight_decay=coefficient), "width", "error", **look)
        for measure, look in LOOKS.items():
            draw_curve(axes, matching(chosen, weight_decay=0.0, measure=measure), "width", "error", **look)
        axes.set(title=f"{model_title(model)},\n{noise_title(chosen['label_noise'].iloc[0])}", xlabel=width_of(model))
        axes.set_ylim(0, 1.4 * chosen["error"].max())
        written_out(axes, powers_of_two(chosen["width"]))
        per_cent(axes.yaxis, "Test error")
    label_left(made)
    key(made, [Line2D([], [], **look) for look in (*LOOKS.values(), *decays.values())])
    return made.figure


DRAWING = Drawing(points, draw, over="run")
