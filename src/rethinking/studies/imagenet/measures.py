"""What tables, figures and claims read of the networks trained on ImageNet."""

from collections.abc import Callable

import pandas as pd

from rethinking.data.imagenet import SETTING, imagenet_folder
from rethinking.params import Params
from rethinking.results.frame import Estimate, Results, estimate, matching
from rethinking.studies.imagenet.design import KIND, Condition, conditions

MISSING = "not run"
DIVERGED = "diverged"


def evaluations(results: Results, condition: Condition) -> pd.DataFrame:
    """Return one line a seed and evaluation; no line at all where the condition was not run."""
    found = results.experiment("imagenet", KIND)
    return found if found.empty else matching(found, **condition._asdict())


def last(results: Results, condition: Condition, column: str) -> Estimate | str:
    """Return the mean over seeds at the end of training, or why there is none; one diverged seed is enough."""
    return _over_seeds(evaluations(results, condition), lambda run: run[column].iloc[-1])


def best(results: Results, condition: Condition, column: str) -> Estimate | str:
    """Return the mean over seeds of the best value along the run, or why there is none."""
    return _over_seeds(evaluations(results, condition), lambda run: run[column].max())


def curve(results: Results, condition: Condition, column: str) -> dict[int, Estimate]:
    """Return the means over seeds by epoch; empty where the condition was not run."""
    found = evaluations(results, condition)
    if found.empty:
        return {}
    means = ((int(str(epoch)), estimate(values)) for epoch, values in found.groupby("epoch")[column])
    return {epoch: mean for epoch, mean in means if mean is not None}


def classes(results: Results, condition: Condition) -> int | None:
    """Return the number of classes that the condition was trained on."""
    found = evaluations(results, condition)
    return None if found.empty else int(found["classes"].iloc[0])


def trained(results: Results) -> str | None:
    """Return what was trained, and on how many classes: "" for what the paper trained, None where nothing was run."""
    found = results.experiment("imagenet", KIND)
    if found.empty:
        return None
    named = {(str(line["architecture"]), int(line["classes"])) for line in found.to_dict("records")}
    if named == {("inception_v3", 1000)}:
        return ""
    return ", ".join(f"{name}, {count} classes" for name, count in sorted(named))


def why_not_run(params: Params) -> str:
    """Return one line on why there is nothing of ours."""
    if not conditions(params):
        return f"{MISSING}: the preset {params.preset} is without ImageNet, paper has it ({SETTING})"
    if imagenet_folder(params.data.imagenet) is None:
        return f"{MISSING}: no ImageNet folder was set ({SETTING})"
    return MISSING


def _over_seeds(found: pd.DataFrame, value: Callable[[pd.DataFrame], float]) -> Estimate | str:
    if found.empty:
        return MISSING
    if (found["status"] == DIVERGED).any():
        return DIVERGED
    runs = [run.sort_values("epoch") for _, run in found.groupby("seed")]
    return estimate(float(value(run)) for run in runs) or MISSING
