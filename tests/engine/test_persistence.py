"""Where the record of each output lies. The places are a contract: other ones orphan what was recorded."""

from pathlib import Path

import pytest

from rethinking.engine.persistence import record_path


@pytest.mark.parametrize(
    ("output", "record"),
    [
        ("data/digits/labels-p50/train_labels.npy", "data/digits/labels-p50/.snakemake/train_labels.npy"),
        (
            "runs/paper/cifar10/alexnet/true/wd/seed-0/metrics.json",
            "runs/paper/cifar10/alexnet/true/wd/seed-0/.snakemake/metrics.json",
        ),
        # With the run: Snakemake compares a job's params only where it has the records of all its outputs.
        (
            "weights/paper/cifar10/alexnet/true/wd/seed-0/weights.safetensors",
            "runs/paper/cifar10/alexnet/true/wd/seed-0/.snakemake/weights.safetensors",
        ),
        (
            "results/paper/tables/randomisation-table1.md",
            "runs/paper/.snakemake/results/tables/randomisation-table1.md",
        ),
        ("articles/paper/index.html", "runs/paper/.snakemake/articles/index.html"),
        ("elsewhere/file.txt", ".snakemake/metadata/elsewhere/file.txt"),
    ],
)
def test_the_record_of_an_output_lies_with_what_is_versioned_with_it(output: str, record: str) -> None:
    assert record_path(output) == Path(record)
