"""What several figures of the randomisation study share: the sweep over label corruption, and names."""

import pandas as pd
from matplotlib.lines import Line2D

from rethinking.data.corruptions import label_corruption_probability
from rethinking.results.curves import draw_curve
from rethinking.results.drawing import OURS, PAPER, frame, point
from rethinking.results.frame import Estimate, Results, matching
from rethinking.results.panels import Panels, key, panels
from rethinking.results.scales import LABEL_CORRUPTION, per_cent
from rethinking.results.style import BLACK, PUBLISHED, TEST, Look
from rethinking.results.titles import model_title
from rethinking.studies.randomisation.curves import dataset_of
from rethinking.studies.randomisation.design import PAPERS_DATASET, SWEEP_MODELS, sweep_corruptions

OUR_LOOK: Look = TEST | {"color": BLACK}


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


def draw_sweep(points: pd.DataFrame, measure: str, *further: Line2D) -> Panels:
    """Draw `measure` against label corruption, one panel a model, the paper's values behind ours.

    `further` stand in the key beside both.
    """
    made = panels(len(SWEEP_MODELS), height=2.4)
    for axes, model in zip(made.axes, SWEEP_MODELS, strict=True):
        theirs, ours = (matching(points, source=source, series=model) for source in (PAPER, OURS))
        axes.plot(theirs["label_corruption"], theirs[measure], **PUBLISHED)
        shown = draw_curve(axes, ours, "label_corruption", measure, **OUR_LOOK)
        axes.set_xlim(-0.04, 1.04)
        # Why there is no curve: it was not run, say, or no network reached the loss.
        axes.set_title(model_title(model) if shown else f"{model_title(model)}\n(ours: {ours['note'].iloc[0]})")
        per_cent(axes.xaxis, LABEL_CORRUPTION)
    paper = Line2D([], [], **PUBLISHED | {"zorder": 3}, label="paper, CIFAR-10")
    key(made, [paper, Line2D([], [], **OUR_LOOK, label=f"ours, {where(points)}"), *further])
    return made


def where(points: pd.DataFrame) -> str:
    """Return the name of the data set that our points are from; there is one even where nothing was run."""
    dataset = str(matching(points, source=OURS)["dataset"].iloc[0])
    return {"cifar10": "CIFAR-10", "mnist": "MNIST"}.get(dataset, dataset)
