"""What the figures of networks by width share: one panel for each level of label noise."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from rethinking.results.drawing import OURS, frame, point
from rethinking.results.frame import Results, matching
from rethinking.results.style import figure, say_not_run
from rethinking.studies.bias_variance.measures import networks


def points_by_width(results: Results, measures: Sequence[str]) -> pd.DataFrame:
    """Return `measures` of the networks by label noise and width; series are measures."""
    dataset = results.params.studies.bias_variance.dataset
    return frame(
        point(OURS, dataset, measure, {"label_noise": noise, "width": width}, value=value)
        for noise, curves in networks(results).items()
        for measure in measures
        for width, value in curves[measure].items()
    )


def draw_by_width(points: pd.DataFrame, looks: Mapping[str, Mapping[str, Any]], label: str) -> Figure:
    """Draw every series against width, on a scale of its powers, one panel for each level of label noise."""
    levels = sorted(points["label_noise"].unique())
    drawn, panels = figure(columns=len(levels), height=3.0)
    top = (points["value"] + points["half_width"].fillna(0.0)).max()
    for axes, noise in zip(panels, levels, strict=True):
        here = matching(points, label_noise=noise)
        title = f"{100 * noise:.0f} % wrong labels" if noise else "True labels"
        if here["value"].isna().all():
            say_not_run(axes, title)
            continue
        for series, look in looks.items():
            found = matching(here, series=series)
            found = found[found["value"].notna()]
            axes.errorbar(found["width"], found["value"], yerr=found["half_width"].fillna(0.0), capsize=2, **look)
        axes.set_xscale("log", base=2)
        widths = sorted(here["width"].unique())
        axes.set_xticks(widths[:: max(1, len(widths) // 5)], [f"{w}" for w in widths[:: max(1, len(widths) // 5)]])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set(title=title, xlabel="Width", ylim=(min(0.0, here["value"].min()), 1.05 * top))
        axes.axhline(0.0, color="#b0b0b0", linewidth=0.8, zorder=0)
    shown = next((axes for axes in panels if axes.axison), None)
    if shown is not None:
        shown.set_ylabel(label)
        shown.legend(loc="best")
    return drawn
