"""Parameters for each training example: published networks, and those that were trained here."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results
from rethinking.results.style import BLUE, GREEN, GREY, RED, figure, say_not_run
from rethinking.results.titles import model_title
from rethinking.studies.parameters.design import TRUE
from rethinking.studies.parameters.measures import MISSING, counts, perceptrons_by_width, trained_here
from rethinking.studies.parameters.tables import DATASET_TITLES

PUBLISHED, TRAINED = "published", "trained here"
COLOURS = {"imagenet": RED, "cifar10": BLUE}
ROW = 0.19  # inches


def points(results: Results) -> pd.DataFrame:
    """Return the ratio of every network, as printed and as counted; `group` says whether it was trained here."""
    return frame(_points(results))


def _points(results: Results) -> Iterator[Point]:
    for count in counts(results):
        network = count.network
        if network.variant:
            continue
        at = {"group": PUBLISHED, "parameters": count.parameters}
        if count.printed is not None and count.printed.ratio is not None:
            yield point(PAPER, network.dataset, network.title, at, ratio=float(count.printed.ratio))
        yield point(OURS, network.dataset, network.title, at, ratio=MISSING if count.ratio is None else count.ratio)
    dataset = results.params.studies.parameters.dataset
    here: list[tuple[str, float | None]] = [(model_title(each.model), each.ratio) for each in trained_here(results)]
    perceptrons = perceptrons_by_width(results, TRUE)
    here += [(f"perceptron, {each.width} units", each.ratio) for each in (perceptrons[0], perceptrons[-1])]
    for name, ratio in here:
        yield point(
            OURS, dataset, name, {"group": TRAINED, "parameters": None}, ratio=MISSING if ratio is None else ratio
        )


def draw(points: pd.DataFrame) -> Figure:
    """Draw a row a network, the data sets apart, each with its ratio beside it."""
    keys = ["group", "dataset", "series"]
    ours = points[points["source"] == OURS]
    if (ours["note"] != "").all():
        drawn, (axes,) = figure(height=2.0)
        say_not_run(axes, "Parameters for each example")
        return drawn
    rows = list(ours.drop_duplicates(keys)[keys].itertuples(index=False, name=None))
    groups = list(dict.fromkeys((group, dataset) for group, dataset, _ in rows))
    drawn, (axes,) = figure(height=ROW * (len(rows) + len(groups)) + 0.9)
    names: dict[float, str] = {}
    place = 0.0
    for group, dataset in groups:
        title = DATASET_TITLES.get(dataset, dataset)
        names[place] = f"{title}, trained here" if group == TRAINED else title
        colour = GREEN if group == TRAINED else COLOURS[dataset]
        place -= 1
        for series in [name for *where, name in rows if tuple(where) == (group, dataset)]:
            own = points[(points["group"] == group) & (points["dataset"] == dataset) & (points["series"] == series)]
            _draw_row(axes, own, place, colour)
            names[place] = series
            place -= 1
    axes.axvline(1, color=GREY, linestyle=":", linewidth=1)
    known = points["ratio"].dropna()
    axes.set_xscale("log")
    axes.set(xlim=(min(0.5, known.min() / 2), 4 * known.max()), ylim=(place + 0.3, 0.6), xlabel="Parameters an example")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:,g}"))
    axes.set_yticks(list(names), list(names.values()))
    for (_, name), label in zip(names.items(), axes.get_yticklabels(), strict=True):
        if name not in {series for *_, series in rows}:
            label.set_fontweight("bold")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.legend(
        handles=[
            Line2D([], [], color=GREY, marker="o", linestyle="", label="counted"),
            Line2D([], [], color=GREY, marker="o", linestyle="", label="printed", markerfacecolor="none", markersize=8),
        ],
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=2,
    )
    return drawn


def _draw_row(axes: Axes, points: pd.DataFrame, place: float, colour: str) -> None:
    for line in points.to_dict("records"):
        if line["source"] == PAPER:
            axes.plot(line["ratio"], place, "o", color=GREY, markerfacecolor="none", markersize=8)
        elif line["note"]:
            axes.text(1.15, place, line["note"], color=GREY, va="center", fontsize=7.5)
        else:
            axes.plot(line["ratio"], place, "o", color=colour)
            axes.annotate(
                f"{line['ratio']:.2g}" if line["ratio"] < 1 else f"{line['ratio']:.3g}",
                (line["ratio"], place),
                xytext=(9, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
            )


DRAWING = Drawing(points, draw)
