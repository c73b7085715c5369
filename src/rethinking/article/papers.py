"""What prose names of the paper's own values, read from where tables and figures read them."""

from typing import Any

from rethinking.data.sources import DATASETS
from rethinking.results.published import published_curve, read_published


def papers_values() -> dict[str, Any]:
    """Return values of Zhang et al. 2017, as text, by their place in the paper; models are called as they are there."""
    steps, _ = published_curve("figure1a", "step", "train_loss", series="true_labels")
    run, _ = published_curve("figure2b", "step", "accuracy", series="inception", split="test")
    weight_decay_alone = _percent(_last("figure2a", "without_aug_dropout", "train"))
    return {
        "table1": {
            row["model"]: {
                "parameters": f"{int(row['parameters']):,}",
                "test_accuracy": f"{float(row['test_accuracy']):.2f} %",
            }
            for row in read_published("table1")
            if (row["labels"], row["random_crop"], row["weight_decay"]) == ("true", "no", "no")
        },
        "table3": {
            f"{row['dataset']}_{row['features']}": {
                "error": f"{row['test_error']} %",
                **({"error_ridge": f"{row['test_error_l2']} %"} if row["test_error_l2"] else {}),
                **({"norm": row["norm"]} if row["norm"] else {}),
                **({"filters": f"{int(row['filters']):,}"} if row["filters"] else {}),
            }
            for row in read_published("table3")
        },
        "figure1a": {"steps_an_epoch": f"{steps[0]:.0f}", "epochs": f"{steps[-1] / steps[0]:.0f}"},
        "figure1c": {
            row["series"]: {"test_accuracy": _percent(1 - float(row["test_error"]))}
            for row in read_published("figure1c")
            if float(row["label_corruption"]) == 0
        },
        "figure2a": {"weight_decay_alone": {"train_accuracy": weight_decay_alone}},
        "figure2b": {
            "epochs": f"{run[-1] / steps[0]:.0f}",
            **{
                series: {"test_accuracy": _percent(_last("figure2b", series, "test"))}
                for series in ("inception", "inception_wo_bn")
            },
        },
        "cifar10": {"examples": f"{DATASETS['cifar10'].n_train:,}"},
    }


def _last(figure: str, series: str, split: str) -> float:
    _, accuracies = published_curve(figure, "step", "accuracy", series=series, split=split)
    return accuracies[-1]


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"
