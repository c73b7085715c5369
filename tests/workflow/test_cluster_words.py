"""Why a job failed on a cluster, told from what the Slurm executor says and what Slurm logs."""

from pathlib import Path

import pytest

from snakemake_logger_plugin_rethinking.cluster import why

ENDED = "SLURM-job '12' failed, SLURM status is: '{}'. Detailed failure reason unavailable"
REFUSED = "SLURM sbatch failed. The error message was '{}'.\n    sbatch call:\n        sbatch --parsable"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("TIMEOUT", "ran out of time"),
        ("OUT_OF_MEMORY", "ran out of memory"),
        ("NODE_FAIL", "its node failed"),
        ("PREEMPTED", "was preempted"),
        ("CANCELLED", "was cancelled"),
    ],
)
def test_what_the_executor_knows(status: str, words: str) -> None:
    said = why(ENDED.format(status), None)
    assert said is not None
    assert said.startswith(words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "slurmstepd: error: *** JOB 12 ON node1 CANCELLED AT 2026-11-21T10:00:00 DUE TO TIME LIMIT ***",
            "ran out of time",
        ),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=12.0. Some of the", "ran out of memory"),
        ("slurmstepd: error: Job 12 exceeded memory limit (812 > 60), being killed", "ran out of memory"),
        (
            "slurmstepd: error: *** JOB 12 ON node1 CANCELLED AT 2026 DUE TO NODE FAILURE, SEE SLURMCTLD LOG",
            "its node failed",
        ),
        ("slurmstepd: error: *** STEP 12.0 ON node1 CANCELLED AT 2026 DUE TO PREEMPTION ***", "was preempted"),
        ("slurmstepd: error: *** JOB 12 ON node1 CANCELLED AT 2026-11-21T10:00:00 ***", "was cancelled"),
    ],
)
def test_what_only_slurms_log_says(tmp_path: Path, line: str, words: str) -> None:
    """Slurm calls a job FAILED whose step it has ended."""
    log = tmp_path / "12.log"
    log.write_text(f"Building DAG of jobs...\n{line}\nExiting because a job execution failed.\n")
    said = why(ENDED.format("FAILED"), log)
    assert said is not None
    assert said.startswith(words)


def test_a_failure_of_the_jobs_own_is_left_to_its_log(tmp_path: Path) -> None:
    log = tmp_path / "12.log"
    log.write_text("Error in rule train:\n")
    assert why(ENDED.format("FAILED"), log) is None
    assert why(ENDED.format("FAILED"), tmp_path / "absent.log") is None


@pytest.mark.parametrize(
    ("said", "words", "advice"),
    [
        ("sbatch: error: invalid partition specified: nowhere\nsbatch: error: Batch job", "nowhere", "sinfo"),
        (
            "sbatch: error: Batch job submission failed: Invalid account or account/partition",
            "account",
            "slurm_partition",
        ),
        (
            "sbatch: error: Batch job submission failed: Requested node configuration is not available",
            "node",
            "gpu_model",
        ),
        ("sbatch: error: Batch job submission failed: Requested time limit is invalid", "time limit", "runtime"),
        ("sbatch: error: something that nobody has thought of", "nobody", ""),
    ],
)
def test_what_slurm_refuses_to_take(said: str, words: str, advice: str) -> None:
    answer = why(REFUSED.format(said), None)
    assert answer is not None
    assert answer.startswith("Slurm refused it: ")
    assert words in answer
    assert advice in answer
    assert "sbatch: error" not in answer


def test_a_job_that_would_never_have_started() -> None:
    reason = "Slurm would never start it: it asks for more time than its partition allows (`runtime`)"
    assert why(f"{reason} {ENDED.format('CANCELLED')}", None) == reason
