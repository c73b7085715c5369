"""Train and test accuracy of every model at a glance."""

import math

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, Drawing, frame, point
from rethinking.results.frame import Results
from rethinking.results.panels import key
from rethinking.results.rows import rows
from rethinking.results.scales import per_cent
from rethinking.results.style import GREY, LABELS, REFERENCE, Look
from rethinking.results.titles import CORRUPTION_TITLES, model_title
from rethinking.studies.randomisation.curves import dataset_of
from rethinking.studies.randomisation.design import all_models
from rethinking.studies.randomisation.measures import CHANCE_ERROR, measured, runs

CORRUPTIONS = ("true", "random-labels")
SPLITS: dict[str, Look] = {"train": {"marker": "^"}, "test": {"marker": "o"}}


def points(results: Results) -> pd.DataFrame:
    """Return the train and test accuracy of every model with true and with random labels."""
    return frame(
        point(OURS, dataset_of(results), model, {"corruption": corruption, "split": split}, accuracy=value)
        for model in all_models(results.params)
        for corruption in CORRUPTIONS
        for split in ("train", "test")
        for value in [measured(runs(results, model, corruption), f"{split}_accuracy")]
    )


def draw(points: pd.DataFrame) -> Figure:
    """Draw train and test accuracy of every model with true and with random labels: the paper's message at a glance."""
    models = [str(name) for name in points["series"].unique()]
    made, axes, places = rows(
        {model_title(model): [CORRUPTION_TITLES[name] for name in CORRUPTIONS] for model in models}
    )
    for (model, corruption), pair in points.groupby(["series", "corruption"], sort=False):
        place = places[model_title(str(model)), CORRUPTION_TITLES[str(corruption)]]
        if reason := "".join(pair["note"].iloc[:1]) or "".join(pair["note"].iloc[1:]):
            axes.text(0.5, place, reason, color=GREY, va="center", ha="center")
            continue
        look = LABELS[str(corruption)]
        axes.plot(pair["accuracy"], [place] * 2, color=GREY, linewidth=1.2, alpha=0.6)
        for each in pair.to_dict("records"):
            width = 0.0 if math.isnan(each["half_width"]) else each["half_width"]
            shape = SPLITS[each["split"]]
            axes.errorbar(each["accuracy"], place, xerr=width or None, capsize=2, linestyle="", **look | shape)
    axes.axvline(1 - CHANCE_ERROR, **REFERENCE)
    axes.text(1 - CHANCE_ERROR + 0.01, 0, "chance", color=GREY, va="center")
    axes.set_xlim(0, 1.03)
    per_cent(axes.xaxis, "Accuracy")
    key(made, [Line2D([], [], color=GREY, linestyle="", label=split, **shape) for split, shape in SPLITS.items()])
    return made.figure


DRAWING = Drawing(points, draw)
