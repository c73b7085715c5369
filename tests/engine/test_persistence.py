"""Where the record of each output lies, and how long outputs are marked as unfinished.

The places are a contract: other ones orphan what was recorded.
"""

from pathlib import Path
from types import SimpleNamespace

import pytest
import snakemake.api  # first: Snakemake imports itself in a circle
import snakemake.workflow
from snakemake.persistence import MetadataRecord
from snakemake_interface_executor_plugins.settings import ExecMode

from rethinking.engine.persistence import record_path, use_project_persistence


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


@pytest.mark.parametrize(("mode", "records_left"), [(ExecMode.DEFAULT, False), (ExecMode.REMOTE, True)])
def test_outputs_with_which_fault_was_found_stay_marked_until_they_are_made_again(
    mode: ExecMode, records_left: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else they would seem complete to whoever comes after a Snakemake that was killed just then."""
    monkeypatch.chdir(tmp_path)
    # Put back at the end.
    monkeypatch.setattr(snakemake.workflow, "FilePersistence", snakemake.workflow.FilePersistence)
    use_project_persistence()
    output = "runs/smoke/digits/mlp/true/none/seed-0/metrics.json"
    settings = SimpleNamespace(max_checksum_file_size=1)
    workflow = SimpleNamespace(exec_mode=ExecMode.DEFAULT, dag_settings=settings)
    persistence = snakemake.workflow.FilePersistence(dag=SimpleNamespace(workflow=workflow))
    monkeypatch.setattr(persistence, "_get_key", str)  # of a path, which Snakemake has as an object of its own
    job = SimpleNamespace(output=[output])
    persistence.started(job, external_jobid="7")
    persistence._write_record(output, MetadataRecord(rule="train"))
    workflow.exec_mode = mode
    persistence.cleanup(job)
    assert persistence.external_jobids(job) == ["7"]
    assert record_path(output).exists() == records_left
