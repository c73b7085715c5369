"""Several jobs in one submission to a cluster: a batch of cells. Each of them succeeds or fails for itself.

Snakemake calls such a submission a group, and takes it for one job: if one of a group fails, all have failed, their
outputs are deleted, and a further attempt makes all of them again. It also keeps to itself why the submission failed.
There is no setting for either, hence what follows; tests run it on a real cluster.
"""

from typing import Any

from snakemake_interface_executor_plugins.settings import ExecMode
from snakemake_interface_logger_plugins.common import LogEvent

from rethinking.engine.queue import Watch, refused


def tell_apart_jobs_of_groups(workflow: Any) -> None:
    """Make a failed group cost those of its jobs that have failed; called while Snakemake reads the Snakefile."""
    _credit_what_is_done()
    # Snakemake's settings are not there yet, hence the detour through its method.
    execute = workflow.execute

    def execute_all(*arguments: Any, **options: Any) -> Any:
        if workflow.exec_mode == ExecMode.REMOTE:
            # The Snakemake that runs a submission: a person's `keep-going` is not handed on to it.
            workflow.execution_settings.keep_going = True
        with Watch():
            return execute(*arguments, **options)

    workflow.execute = execute_all


def _credit_what_is_done() -> None:
    from snakemake.jobs import GroupJob

    if hasattr(GroupJob, "postprocess_all"):
        return  # the Snakefile is read a second time in this process
    GroupJob.postprocess_all = GroupJob.postprocess
    attempt = GroupJob.attempt

    async def postprocess(group: Any, error: bool = False, **options: Any) -> None:
        if not error:
            await group.postprocess_all(**options)
            return
        group.undone = _undone(group)
        for job in group:
            if job in group.undone:
                await job.postprocess(error=True, check_output_mtime=False, **options)
            else:
                await _finish(job, options)

    def log_error(group: Any, msg: str | None = None, aux_logs: list[str] | None = None, **words: Any) -> None:
        why = refused.get(str(words.get("external_jobid")), "")
        for job in _undone(group):
            job.log_error(f"{why} {msg or ''}".strip(), aux_logs=aux_logs, **words)

    def next_attempt(group: Any, number: int) -> None:
        _leave(group, group.undone)
        attempt.fset(group, number)

    GroupJob.undone = frozenset()
    GroupJob.postprocess = postprocess
    GroupJob.log_error = log_error
    GroupJob.attempt = attempt.setter(next_attempt)


def _undone(group: Any) -> frozenset[Any]:
    """Return the jobs of a failed group whose outputs its last attempt has not made, or all of them if it has made all.

    Then it failed for another reason, such as a file that this machine does not see yet, and none can be relied upon.
    """
    persistence = group.dag.workflow.persistence
    return frozenset(job for job in group if not persistence.made_since_started(job)) or frozenset(group)


async def _finish(job: Any, options: dict[str, Any]) -> None:
    """Let one job of a failed group count as finished."""
    from snakemake.logging import logger

    dag = job.dag
    await job.postprocess(check_output_mtime=False, **options)
    dag.register_running({job})
    await dag.finish(job)
    dag.workflow.scheduler.finished_jobs += 1
    logger.info(
        f"Finished jobid: {job.jobid} (Rule: {job.rule.name})",
        extra={"event": LogEvent.JOB_FINISHED, "job_id": job.jobid},
    )


def _leave(group: Any, jobs: frozenset[Any]) -> None:
    """Make `group` consist of `jobs`, for its next attempt."""
    group.dag._running.discard(group)  # groups are told apart by their jobs
    group.jobs = jobs
    group.toposorted = None
    group.finalize()
    for cache in ("_input", "_output", "_log", "_all_products"):
        setattr(group, cache, None)
