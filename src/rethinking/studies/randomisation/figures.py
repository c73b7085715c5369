"""The randomisation study's figures, the paper's digitised curves behind ours."""

from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.data.corruptions import label_corruption_probability
from rethinking.results.frame import Estimate, Results
from rethinking.results.published import published_curve
from rethinking.results.style import (
    BLUE,
    CORRUPTION_STYLE,
    GREY,
    MODEL_STYLE,
    PUBLISHED,
    RED,
    figure,
    say_not_run,
)
from rethinking.studies.randomisation.experiment import ALL_MODELS, FIGURE_1A, SWEEP_MODELS, sweep_corruptions
from rethinking.studies.randomisation.tables import (
    error,
    figure1a_series,
    measured,
    overfit_epochs,
    published_sweep,
    runs,
)

CHANCE_ERROR = 0.9  # ten classes


def overview(results: Results) -> Figure:
    """Train and test accuracy of every model with true and with random labels: the paper's message at a glance."""
    drawn, (axes,) = figure(height=2.9)
    names = []
    for position, model in enumerate(reversed(ALL_MODELS)):
        names.append(MODEL_STYLE[model]["label"])
        for corruption, color, offset in (("true", BLUE, 0.14), ("random-labels", RED, -0.14)):
            found = runs(results, model, corruption)
            train, test = measured(found, "train_accuracy"), measured(found, "test_accuracy")
            if isinstance(train, str) or isinstance(test, str):
                reason = train if isinstance(train, str) else test
                axes.text(0.5, position + offset, str(reason), color=GREY, va="center", ha="center", fontsize=7)
                continue
            axes.plot([test.mean, train.mean], [position + offset] * 2, color=color, linewidth=1.2, alpha=0.6)
            axes.plot(train.mean, position + offset, "o", color=color, markerfacecolor="white")
            axes.plot(test.mean, position + offset, "o", color=color)
    axes.axvline(1 - CHANCE_ERROR, color=GREY, linestyle=":", linewidth=1)
    axes.text(1 - CHANCE_ERROR + 0.01, len(names) - 0.5, "chance", color=GREY, fontsize=7.5, va="center")
    axes.set(xlim=(0, 1.03), ylim=(-0.6, len(names) - 0.3), xlabel="Accuracy", yticks=range(len(names)))
    axes.set_yticklabels(names)
    axes.grid(axis="y", visible=False)
    axes.legend(
        handles=[
            Line2D([], [], color=BLUE, label="true labels"),
            Line2D([], [], color=RED, label="random labels"),
            Line2D([], [], marker="o", color=GREY, markerfacecolor="white", linestyle="", label="train"),
            Line2D([], [], marker="o", color=GREY, linestyle="", label="test"),
        ],
        loc="lower center",
        bbox_to_anchor=(0.45, 1.0),
        ncols=4,
    )
    return drawn


def figure1a(results: Results) -> Figure:
    """Training loss of Inception against steps, for true labels and four randomisations."""
    drawn, (left, right) = figure(columns=2, height=3.0)
    for corruption in FIGURE_1A:
        look = CORRUPTION_STYLE[corruption]
        steps, losses = published_curve("figure1a", "step", "train_loss", series=figure1a_series(corruption))
        left.plot([step / 1000 for step in steps], losses, **look)
    left.set(xlabel="Thousand steps", ylabel="Average training loss (nats)", title="Paper, CIFAR-10", xlim=(0, 25))
    shown = False
    for corruption in FIGURE_1A:
        curve = _mean_history(results, "inception", corruption)
        if curve is not None:
            shown = True
            right.plot(curve["step"] / 1000, curve["online_loss"], **CORRUPTION_STYLE[corruption])
    right.set(xlabel="Thousand steps", title=f"Ours, {_where(results)}")
    if shown:
        for axes in (left, right):
            axes.set_ylim(-0.05, 2.6)
        right.set_xlim(left=0)
    else:
        say_not_run(right, "Inception")
    left.legend(loc="upper right")
    return drawn


def figure1b(results: Results) -> Figure:
    """Time to overfit, relative to true labels, against label corruption."""
    published = published_sweep("figure1b", "relative_time_to_overfit")

    def relative(model: str, corruption: str) -> Estimate | str:
        epochs, base = overfit_epochs(results, model, corruption), overfit_epochs(results, model, "true")
        if isinstance(epochs, Estimate) and isinstance(base, Estimate):
            spread = None if epochs.half_width is None else epochs.half_width / base.mean
            return Estimate(epochs.mean / base.mean, spread, epochs.seeds)
        return "not reached"

    return _sweep(results, published, relative, "Time to overfit, relative to true labels")


def figure1c(results: Results) -> Figure:
    """Test error at the end of training against label corruption."""
    published = published_sweep("figure1c", "test_error")
    drawn = _sweep(results, published, lambda model, corruption: error(results, model, corruption), "Test error")
    for axes in drawn.axes:
        if axes.axison:
            axes.axhline(CHANCE_ERROR, color=GREY, linestyle=":", linewidth=1)
            axes.set_ylim(0, 1)
    return drawn


def figure2b(results: Results) -> Figure:
    """Train and test accuracy of Inception with and without batch normalisation, against steps."""
    drawn, pair = figure(columns=2, height=3.0)
    for axes, model, series in zip(
        pair, ("inception", "inception-nobn"), ("inception", "inception_wo_bn"), strict=True
    ):
        axes.set_title(MODEL_STYLE[model]["label"])
        curve = _mean_history(results, model, "true")
        for split, color, linestyle in (("train", BLUE, "-"), ("test", RED, "--")):
            steps, accuracies = published_curve("figure2b", "step", "accuracy", series=series, split=split)
            # The paper's steps and ours differ in scale off CIFAR-10, so both are drawn as shares of the run.
            axes.plot(
                [step / max(steps) for step in steps],
                accuracies,
                **PUBLISHED | {"color": color, "alpha": 0.25},
            )
            if curve is not None:
                axes.plot(
                    curve["step"] / curve["step"].max(),
                    curve[f"{split}_accuracy"],
                    color=color,
                    linestyle=linestyle,
                )
        axes.set(xlabel="Share of the run", ylim=(0.5, 1.02), xlim=(0, 1.02))
        if curve is None:
            axes.text(0.5, 0.6, "ours: not run at this scale", ha="center", color=GREY)
    pair[0].set_ylabel("Accuracy")
    pair[1].legend(
        handles=[
            Line2D([], [], color=BLUE, label="train, ours"),
            Line2D([], [], color=RED, linestyle="--", label="test, ours"),
            Line2D([], [], **PUBLISHED | {"zorder": 3}, label="paper, CIFAR-10"),
        ],
        loc="lower right",
    )
    return drawn


def _sweep(
    results: Results,
    published: dict[tuple[str, str], float],
    ours: Callable[[str, str], Estimate | str],
    label: str,
) -> Figure:
    """Draw a quantity against label corruption, one panel a model, the paper's values behind ours."""
    drawn, panels = figure(columns=len(SWEEP_MODELS), height=2.8)
    for axes, model in zip(panels, SWEEP_MODELS, strict=True):
        look = MODEL_STYLE[model]
        theirs = sorted((label_corruption_probability(c), y) for (m, c), y in published.items() if m == model)
        axes.plot(*zip(*theirs, strict=True), **PUBLISHED)
        points = [
            (label_corruption_probability(corruption), value)
            for corruption in sweep_corruptions(results.params)
            if isinstance(value := ours(model, corruption), Estimate)
        ]
        if points:
            axes.errorbar(
                [x for x, _ in points],
                [value.mean for _, value in points],
                yerr=[value.half_width or 0.0 for _, value in points],
                color=look["color"],
                marker=look["marker"],
                capsize=2,
            )
        else:
            axes.text(0.5, 0.5, "ours: not run\nat this scale", ha="center", color=GREY, transform=axes.transAxes)
        axes.set(title=look["label"], xlabel="Label corruption", xlim=(-0.04, 1.04))
    panels[0].set_ylabel(label)
    _legend_published(panels[0], results)
    return drawn


def _legend_published(axes: Axes, results: Results) -> None:
    axes.legend(
        handles=[
            Line2D([], [], **PUBLISHED, label="paper, CIFAR-10"),
            Line2D(
                [],
                [],
                color="black",
                marker=MODEL_STYLE["inception"]["marker"],
                label=f"ours, {_where(results)}",
            ),
        ],
        loc="best",
    )


def _mean_history(results: Results, model: str, corruption: str) -> pd.DataFrame | None:
    """Return the history averaged over seeds, or None if the cell was not run."""
    dataset = results.params.studies.randomisation.dataset
    found = results.history(dataset=dataset, model=model, corruption=corruption, regularizer="none")
    if found.empty:
        return None
    measures = ["step", "online_loss", "train_accuracy", "test_accuracy"]
    return found.groupby("epoch", as_index=False)[measures].mean()


def _where(results: Results) -> str:
    return {"cifar10": "CIFAR-10", "mnist": "MNIST"}.get(
        results.params.studies.randomisation.dataset, results.params.studies.randomisation.dataset
    )


FIGURES: dict[str, Callable[[Results], Figure]] = {
    "overview": overview,
    "figure1a": figure1a,
    "figure1b": figure1b,
    "figure1c": figure1c,
    "figure2b": figure2b,
}
