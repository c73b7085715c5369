"""The words and numbers in which a run is told: titles, names, times, counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake_logger_plugin_rethinking.progress import StageView, View

# Rules that share a title are shown as one stage. Other rules are titled by their name.
TITLES = {
    "fetch": "Fetch data",
    "corrupt_labels": "Make variants",
    "corrupt_images": "Make variants",
    "train": "Train",
    "experiment": "Experiments",
    "experiment_with_networks": "Experiments",
    "streamed_experiment": "Train on ImageNet",
    "collect": "Collect results",
    "table": "Make tables",
    "figure": "Draw figures",
    "summary": "Judge claims",
    "article": "Render article",
}
TRAIN = "train"


def title_of(rule: str) -> str:
    """Title of the stage to which a rule belongs: ``table_one`` is "Table one"."""
    words = rule.replace("_", " ").strip()
    return TITLES.get(rule) or words[:1].upper() + words[1:]


def job_name(rule: str, wildcards: Mapping[str, str]) -> str:
    """Name of a job: a cell's ``dataset/model/corruption/regularizer/seed-k``, an experiment's ``study/kind/unit``.

    Of any other, rule and wildcards.
    """
    if rule == TRAIN and {"dataset", "model", "corruption", "regularizer", "seed"} <= wildcards.keys():
        return "{dataset}/{model}/{corruption}/{regularizer}/seed-{seed}".format_map(wildcards)
    if {"study", "kind", "unit"} <= wildcards.keys():
        return "{study}/{kind}/{unit}".format_map(wildcards)
    return " ".join([rule.replace("_", " "), *filter(None, ["/".join(map(str, wildcards.values()))])])


def clock(seconds: float) -> str:
    """A span of seconds as ``0:05``, ``3:10`` or ``1:02:13``."""
    minutes, second = divmod(max(0, round(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def about(seconds: float) -> str:
    """An estimate, no finer than it deserves: to 5 s above a minute, to a minute above an hour."""
    grain = 1 if seconds < 60 else 5 if seconds < 3600 else 60
    return clock(grain * math.ceil(seconds / grain))


def summary(stages: Iterable[StageView]) -> str:
    """Counts in a sentence: "Fetch data 1, Train 55 cells"."""
    return ", ".join(f"{s.title} {s.total}" + (f" {s.unit}" if s.unit == "cells" else "") for s in stages if s.total)


def line(view: View) -> str:
    """Where a run stands, in a line: ``[02:13] Train 23/55 cells, 3:10 remaining``."""
    unfinished = [stage for stage in view.stages if stage.done < stage.total]
    stages = [stage for stage in unfinished if stage.running][:3] or unfinished[:1]
    return f"[{stamp(view)}] " + ", ".join([*map(count, stages), remaining(view)])


def remaining(view: View) -> str:
    """The estimate in words."""
    if view.remaining is None:
        return "estimating the time remaining"
    return f"{about(view.remaining)} remaining"


def finished(view: View) -> str:
    """The last line of a run that went well."""
    return f"Done in {clock(view.elapsed)}: {summary(view.stages) or 'nothing to execute'}."


def count(stage: StageView) -> str:
    """How far a stage is: ``Train 23/55 cells``."""
    return f"{stage.title} {stage.done}/{stage.total}" + (" cells" if stage.unit == "cells" else "")


def stamp(view: View) -> str:
    """Elapsed time to begin a line with: ``02:13``."""
    return clock(view.elapsed).rjust(5, "0")
