"""Networks of all studies by their size on disk, which pruning, rounding and a smaller width all lower.

The size of a compressed network is that of its file, which holds what pruning and rounding have left and nothing else
(the quantisation study writes and reads it). The size of one that was trained as it is are four bytes a parameter.
"""

from dataclasses import dataclass

import pandas as pd

from rethinking.names import base_model, model_width, whole_dataset
from rethinking.results.frame import Results, matching
from rethinking.studies.implications.design import CORRUPTIONS, small_models

DENSE, PRUNED, ROUNDED, BOTH = "as trained", "pruned", "rounded", "pruned and rounded"
FORMS = (DENSE, PRUNED, ROUNDED, BOTH)
"""What was done to a network of the randomisation study after training."""

FLOAT_BITS, FLOAT_BYTES = 32, 4

AWARE, AWARE_ROUND = "aware", -1
"""Networks that were trained on while rounded; the round keeps them apart from those that were not."""

MEASURES = ["train_accuracy", "test_accuracy"]


def compressed(results: Results) -> pd.DataFrame:
    """Return the networks of the randomisation study in all forms, averaged over seeds.

    Columns: model, corruption, form, bytes, train_accuracy, test_accuracy, networks; the accuracies are fractions, and
    means of so many networks.
    """
    columns = ["model", "corruption", "form", "bytes", *MEASURES, "networks"]
    found = results.experiment("quantisation", "combined")
    if found.empty:
        return pd.DataFrame(columns=columns)
    trained_on = results.experiment("quantisation", "weights")
    if not trained_on.empty:
        found = pd.concat([found, matching(trained_on, method=AWARE).assign(round=AWARE_ROUND)])
    averaged = _averaged(found, ["model", "corruption", "round", "bits"])
    form = {(False, False): DENSE, (True, False): PRUNED, (False, True): ROUNDED, (True, True): BOTH}
    averaged["form"] = [
        form[round_ > 0, bits < FLOAT_BITS] for round_, bits in zip(averaged["round"], averaged["bits"], strict=True)
    ]
    return averaged[columns]


def _averaged(found: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    groups = found.groupby(keys, as_index=False)
    return groups[["bytes", *MEASURES]].mean().assign(networks=groups.size()["size"])


def by_width(results: Results) -> pd.DataFrame:
    """Return the networks of all sweeps over widths, averaged over seeds and parts of the training set.

    Columns: model (without its width), examples (of training), corruption, bytes, train_accuracy, test_accuracy, and
    networks, of which these are means. Networks under a regularizer and diverged runs are left out.
    """
    found = results.of(regularizer="none", status="finished")
    found = found[found["model"].map(lambda model: model_width(model) is not None).astype(bool)]
    found = found.assign(
        dataset=[whole_dataset(name) for name in found["dataset"]], bytes=FLOAT_BYTES * found["parameters"]
    )
    keys = ["dataset", "model", "train_examples", "corruption"]
    averaged = _averaged(found, keys)
    averaged["model"] = [base_model(model) for model in averaged["model"]]
    return averaged.rename(columns={"train_examples": "examples"}).sort_values(
        ["model", "examples", "corruption", "bytes"], ignore_index=True
    )


def small(results: Results, corruption: str) -> pd.DataFrame:
    """Return the networks that were small from the start, by rising size; columns as those of `by_width`."""
    names = small_models(results.params)
    dataset = results.params.studies.randomisation.dataset
    found = results.of(dataset=dataset, corruption=corruption, regularizer="none", status="finished")
    found = found[found["model"].isin(names)].assign(bytes=lambda frame: FLOAT_BYTES * frame["parameters"])
    return found.groupby("model", as_index=False)[["bytes", *MEASURES]].mean().sort_values("bytes", ignore_index=True)


@dataclass(frozen=True)
class Smallest:
    """How small a network became that kept its train accuracy."""

    model: str
    corruption: str
    dense: float
    """Bytes."""
    by_form: dict[str, float]
    """Bytes of the smallest file of each form; a form that never kept the accuracy has none."""

    @property
    def best(self) -> float:
        """Bytes of the smallest file of any form."""
        return min([self.dense, *self.by_form.values()])


def smallest(results: Results) -> list[Smallest]:
    """Return, for each network, its smallest files whose train accuracy is no more than `accuracy_lost` below its own.

    Train accuracy is what learning and memorising have in common: after random labels there is no other.
    """
    lost, found = results.params.studies.implications.accuracy_lost, compressed(results)
    made = []
    for model in found["model"].unique():
        for corruption in CORRUPTIONS:
            own = matching(found, model=model, corruption=corruption)
            dense = matching(own, form=DENSE)
            if dense.empty:
                continue
            kept = own[own["train_accuracy"] >= dense["train_accuracy"].iloc[0] - lost - 1e-9]
            sizes = kept.groupby("form")["bytes"].min()
            made.append(
                Smallest(
                    model,
                    corruption,
                    float(dense["bytes"].iloc[0]),
                    {form: float(sizes[form]) for form in FORMS[1:] if form in sizes},
                )
            )
    return made


def pairs(results: Results) -> dict[str, dict[str, Smallest]]:
    """Return the smallest files by model and labels, of the models that were compressed with both kinds of labels."""
    found: dict[str, dict[str, Smallest]] = {}
    for each in smallest(results):
        found.setdefault(each.model, {})[each.corruption] = each
    return {model: both for model, both in found.items() if len(both) == len(CORRUPTIONS)}


def best_at(found: pd.DataFrame, size: float, measure: str) -> float | None:
    """Return the largest of a measure among files of at most `size` bytes, or None if there is none."""
    fitting = found[found["bytes"] <= size]
    return None if fitting.empty else float(fitting[measure].max())
