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


class Job:
    """As much of a job as tells whether it is to run."""

    def __init__(self, output: list[str], expected: str) -> None:
        self.output, self.params, self.non_derived_params = output, SimpleNamespace(expected=expected), [expected]


@pytest.mark.parametrize(
    ("content", "remade"),
    [
        ('{"digest": "d1", "code": "c1", "seconds": 3}', False),
        ('{"digest": "d0", "code": "c1"}', True),
        ('{"digest": "d1", "code": "c0"}', True),
        ("{", True),
        (None, False),  # there is nothing, which is another reason
    ],
)
def test_results_without_a_record_count_for_what_they_say_themselves(
    content: str | None, remade: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a clone, experiments that begin with no file would otherwise never be made anew."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(snakemake.workflow, "FilePersistence", snakemake.workflow.FilePersistence)
    use_project_persistence()
    workflow = SimpleNamespace(exec_mode=ExecMode.DEFAULT, dag_settings=SimpleNamespace(max_checksum_file_size=1))
    persistence = snakemake.workflow.FilePersistence(dag=SimpleNamespace(workflow=workflow))
    monkeypatch.setattr(persistence, "_get_key", str)
    outputs = [f"results/smoke/experiments/study/kind/all.{ending}" for ending in ("csv", "json")]
    Path(outputs[1]).parent.mkdir(parents=True)
    if content is not None:
        Path(outputs[1]).write_text(content, encoding="utf-8")
    job = Job(outputs, "d1 c1")
    assert persistence.has_metadata(job) is remade
    assert bool(persistence.params_changed(job)) is remade
