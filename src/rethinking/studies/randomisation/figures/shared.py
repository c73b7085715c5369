"""What several figures of the randomisation study share: the sweep over label corruption, and names."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.data.corruptions import label_corruption_probability
from rethinking.results.drawing import OURS, PAPER, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.style import GREY, MODEL_STYLE, PUBLISHED, figure
from rethinking.studies.randomisation.curves import dataset_of
from rethinking.studies.randomisation.design import PAPERS_DATASET, SWEEP_MODELS, sweep_corruptions

CHANCE_ERROR = 0.9  # ten classes


def sweep(results: Results) -> list[tuple[str, str]]:
    """Return the (model, corruption) of Figures 1b and 1c at the scale of these results."""
    return [(model, corruption) for model in SWEEP_MODELS for corruption in sweep_corruptions(results.params)]


def sweep_points(
    results: Results,
    measure: str,
    published: dict[tuple[str, str], float],
    ours: dict[tuple[str, str], Estimate | str],
) -> pd.DataFrame:
    """Return the paper's values and ours by label corruption; both are keyed by (model, corruption)."""
    return frame(
        point(
            source, dataset, model, {"label_corruption": label_corruption_probability(corruption)}, **{measure: value}
        )
        for source, dataset, values in ((PAPER, PAPERS_DATASET, published), (OURS, dataset_of(results), ours))
        for (model, corruption), value in values.items()
    )


def draw_sweep(points: pd.DataFrame, measure: str, label: str) -> Figure:
    """Draw `measure` against label corruption, one panel a model, the paper's values behind ours."""
    drawn, panels = figure(columns=len(SWEEP_MODELS), height=2.8)
    for axes, model in zip(panels, SWEEP_MODELS, strict=True):
        look = MODEL_STYLE[model]
        theirs, ours = (matching(points, source=source, series=model, note="") for source in (PAPER, OURS))
        axes.plot(theirs["label_corruption"], theirs[measure], **PUBLISHED)
        if ours.empty:
            axes.text(0.5, 0.5, "ours: not run\nat this scale", ha="center", color=GREY, transform=axes.transAxes)
        else:
            axes.errorbar(
                ours["label_corruption"],
                ours[measure],
                yerr=ours["half_width"].fillna(0.0),
                color=look["color"],
                marker=look["marker"],
                capsize=2,
            )
        axes.set(title=look["label"], xlabel="Label corruption", xlim=(-0.04, 1.04))
    panels[0].set_ylabel(label)
    _legend_published(panels[0], points)
    return drawn


def where(points: pd.DataFrame) -> str:
    """Return the name of the data set that our points are from; there is one even where nothing was run."""
    dataset = str(matching(points, source=OURS)["dataset"].iloc[0])
    return {"cifar10": "CIFAR-10", "mnist": "MNIST"}.get(dataset, dataset)


def _legend_published(axes: Axes, points: pd.DataFrame) -> None:
    axes.legend(
        handles=[
            Line2D([], [], **PUBLISHED, label="paper, CIFAR-10"),
            Line2D(
                [],
                [],
                color="black",
                marker=MODEL_STYLE["inception"]["marker"],
                label=f"ours, {where(points)}",
            ),
        ],
        loc="best",
    )
