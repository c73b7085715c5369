"""Parameters for each training example: published networks, and those that were trained here."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rethinking.results.drawing import OURS, PAPER, Drawing, Point, frame, point
from rethinking.results.frame import Results
from rethinking.results.panels import key, not_run
from rethinking.results.rows import rows
from rethinking.results.scales import PARAMETERS_AN_EXAMPLE, plain_numbers
from rethinking.results.style import BLACK, GREY, REFERENCE, Look
from rethinking.results.titles import model_title
from rethinking.studies.parameters.design import TRUE
from rethinking.studies.parameters.measures import MISSING, counts, perceptrons_by_width, trained_here
from rethinking.studies.parameters.tables import DATASET_TITLES

PUBLISHED, TRAINED = "published", "trained here"
_PRINTED: Look = {"color": GREY, "marker": "o", "markerfacecolor": "none", "markersize": 9.0}


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
    ours = points[points["source"] == OURS]
    if (ours["note"] != "").all():
        return not_run("Parameters for each example")
    groups = {
        (str(group), str(dataset)): list(found["series"].unique())
        for (group, dataset), found in ours.groupby(["group", "dataset"], sort=False)
    }
    headings = {key: _heading(*key) for key in groups}
    made, axes, places = rows({headings[key]: names for key, names in groups.items()})
    for (group, dataset, series), own in points.groupby(["group", "dataset", "series"], sort=False):
        _draw_row(axes, own, places[headings[str(group), str(dataset)], str(series)])
    axes.axvline(1, **REFERENCE)
    known = points["ratio"].dropna()
    axes.set(xscale="log", xlim=(min(0.5, known.min() / 2), 4 * known.max()), xlabel=PARAMETERS_AN_EXAMPLE)
    plain_numbers(axes.xaxis)
    printed = Line2D([], [], linestyle="", label="printed", **_PRINTED)
    key(made, [Line2D([], [], color=BLACK, marker="o", linestyle="", label="counted"), printed])
    return made.figure


def _heading(group: str, dataset: str) -> str:
    title = DATASET_TITLES.get(dataset, dataset)
    return f"{title}, trained here" if group == TRAINED else title


def _draw_row(axes: Axes, points: pd.DataFrame, place: float) -> None:
    for line in points.to_dict("records"):
        if line["source"] == PAPER:
            axes.plot(line["ratio"], place, **_PRINTED)
        elif line["note"]:
            axes.text(1.15, place, line["note"], color=GREY, va="center")
        else:
            axes.plot(line["ratio"], place, "o", color=BLACK)
            axes.annotate(
                f"{line['ratio']:.2g}" if line["ratio"] < 1 else f"{line['ratio']:.3g}",
                (line["ratio"], place),
                xytext=(9, 0),
                textcoords="offset points",
                va="center",
            )


DRAWING = Drawing(points, draw)
