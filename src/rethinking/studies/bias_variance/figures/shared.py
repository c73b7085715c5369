"""What the figures share: how the terms of the risk look, and networks by width, a panel for each label noise."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, frame, point
from rethinking.results.end_labels import label_ends
from rethinking.results.frame import Results, matching
from rethinking.results.panels import key, not_run, panels, say_not_run
from rethinking.results.scales import powers_of_two, width_of, written_out
from rethinking.results.style import BLACK, GREEN, ORANGE, PURPLE, Look
from rethinking.studies.bias_variance.measures import networks

LOOKS: dict[str, Look] = {
    "bias_squared": {"color": PURPLE, "marker": "s", "linestyle": "--", "label": "bias²"},
    "variance": {"color": GREEN, "marker": "o", "linestyle": "-", "label": "variance"},
    "risk": {"color": BLACK, "marker": "^", "linestyle": ":", "label": "risk"},
    "sampling_variance": {"color": ORANGE, "marker": "D", "linestyle": "-.", "label": "sampling"},
    "optimisation_variance": {"color": PURPLE, "marker": "v", "linestyle": "--", "label": "optimisation"},
}


def points_by_width(results: Results, measures: Sequence[str]) -> pd.DataFrame:
    """Return `measures` of the networks by label noise and width; series are measures."""
    study = results.params.studies.bias_variance
    return frame(
        point(
            OURS, study.dataset, measure, {"network": study.network, "label_noise": noise, "width": width}, value=value
        )
        for noise, curves in networks(results).items()
        for measure in measures
        for width, value in curves[measure].items()
    )


def draw_by_width(points: pd.DataFrame, measures: Sequence[str], label: str) -> Figure:
    """Draw every series against width, on a scale of its powers, one panel for each level of label noise."""
    if points["value"].isna().all():
        return not_run("Networks by width")
    levels = sorted(points["label_noise"].unique())
    made = panels(len(levels), height=2.9, share=True)
    top = (points["value"] + points["half_width"].fillna(0.0)).max()
    for axes, noise in zip(made.axes, levels, strict=True):
        here = matching(points, label_noise=noise)
        title = f"{100 * noise:.0f} % wrong labels" if noise else "True labels"
        if here["value"].isna().all():
            say_not_run(axes, title)
            continue
        for measure in measures:
            draw_curve(axes, matching(here, series=measure), "width", "value", **LOOKS[measure])
        written_out(axes, powers_of_two(here["width"]))
        axes.set(
            title=title, xlabel=width_of(str(here["network"].iloc[0])), ylim=(min(0.0, here["value"].min()), 1.05 * top)
        )
        axes.axhline(0.0, color="#b0b0b0", linewidth=0.8, zorder=0)
    first, *_, last = [axes for axes in made.axes if axes.axison] * 2
    first.set_ylabel(label)
    if made.spare:
        key(made, first.get_legend_handles_labels()[0])
    else:
        label_ends(last)
    return made.figure
