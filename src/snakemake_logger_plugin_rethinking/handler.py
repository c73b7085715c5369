"""Snakemake's log records, translated into progress, problems and their display.

What is relied upon, read off Snakemake 9.27:

- ``emit`` is called in one thread of its own, fed by a queue; ``close`` after that thread has ended, on
  success, error and Ctrl-C alike, and once more when Python's logging shuts down at exit.
- A plugin that writes to the stream takes the place of Snakemake's own output; the log file under
  ``.snakemake/log`` is written by another handler, which is still attached when ``close`` is called.
- Subprocesses of jobs get no plugin: their records do not come here.
- ``JOB_INFO`` and ``JOB_ERROR`` carry ``jobid``, but ``JOB_FINISHED`` carries ``job_id``.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_rethinking.cluster import why
from snakemake_logger_plugin_rethinking.problems import Problems
from snakemake_logger_plugin_rethinking.progress import Job, Progress
from snakemake_logger_plugin_rethinking.words import finished, summary

if TYPE_CHECKING:
    from snakemake_logger_plugin_rethinking.display import Display

# Messages of commands that execute nothing (--unlock, --delete-all-output) are printed, except these.
_NOISE = ("Assuming unrestricted shared filesystem usage", "Building DAG of jobs")
_NOTHING = "Nothing to be done"
_INTERRUPTED = "Terminating processes on user request"
_ENDING_SOON = "Will exit after finishing currently running jobs"
_RETRY = "Trying to restart job"
# The Slurm executor's remarks on what is as it should be: no account named, none known to `sacct`.
_EXPECTED = re.compile(r"No SLURM account|No account was given|Unable to guess SLURM account|Guessed SLURM account")


class LogHandler(LogHandlerBase):
    """Shows one live progress display; ends with a summary or with what failed and how to go on.

    A dry run, ``--verbose`` and ``--debug-dag`` ask for Snakemake's own output and get just that.
    Should the display break, Snakemake's own output takes over and the run goes on.
    """

    def __post_init__(self) -> None:
        """Choose the display. Called once by the base class."""
        # Here and not at the top: rich is heavy, see the package's docstring.
        from snakemake_logger_plugin_rethinking.display import make_display

        common = self.common_settings
        quiet = {str(getattr(item, "name", item)).upper() for item in common.quiet or ()}
        self._silent = "ALL" in quiet
        self._show_progress = not quiet & {"ALL", "PROGRESS", "RULES"}
        self._progress = Progress(started=time.time())
        self._problems = Problems()
        self._display: Display = make_display(sys.stderr, no_color=common.nocolor)
        self._executing = False  # this command runs jobs, rather than, say, unlocks
        self._planned = False
        self._noted: set[str] = set()
        self._closed = False
        self._fallback: logging.Handler | None = None
        if common.dryrun or common.verbose or common.debug_dag:
            self._fallback = self._snakemakes_own()

    @property
    def writes_to_stream(self) -> bool:
        """Whether Snakemake's own output is to be left out: yes."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Whether there is a file of ours: no, Snakemake keeps its own log."""
        return False

    @property
    def has_filter(self) -> bool:
        """Yes: with Snakemake's filter, ``--quiet`` would keep failures from being known at all."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Whether records are formatted here: yes."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """Whether the graph of rules is needed: no, and it takes time to make."""
        return False

    def emit(self, record: logging.LogRecord) -> None:
        """Take in one record; never raises."""
        try:
            if self._fallback is not None:
                self._fallback.handle(record)
            else:
                self._take(record)
        except Exception as error:
            self._fall_back(error, record)

    def close(self) -> None:
        """Restore the terminal and print how the run ended. Harmless when repeated."""
        if not self._closed:
            self._closed = True
            try:
                self._display.stop()
                if self._fallback is None:
                    self._conclude()
            except Exception as error:
                self._fall_back(error, None)
        super().close()

    def _take(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = vars(record)
        event = fields.get("event")
        if event == LogEvent.WORKFLOW_STARTED:
            self._executing = True
            if self._show_progress:
                self._display.start(lambda: self._progress.view(time.time()))
        elif event == LogEvent.RESOURCES_INFO:
            self._progress.cores = fields.get("cores") or fields.get("nodes") or self._progress.cores
        elif event == LogEvent.RUN_INFO:
            self._plan(fields["stats"])
        elif event == LogEvent.JOB_INFO:
            self._job_started(fields)
        elif event == LogEvent.JOB_FINISHED:
            self._problems.recovered(fields["job_id"])
            for stage in self._progress.finish(fields["job_id"], record.created):
                if self._show_progress:
                    self._display.stage_done(stage, self._progress.view(record.created))
        elif event == LogEvent.JOB_ERROR:
            self._job_failed(fields)
        elif event == LogEvent.ERROR:
            self._error(fields)
        elif event == LogEvent.SHELLCMD:
            command = fields.get("shellcmd") or fields.get("cmd")
            if self.common_settings.printshellcmds and command and self._show_progress:
                self._display.say(command)
        elif event is None:
            self._message(record)

    def _plan(self, stats: dict[str, int]) -> None:
        self._planned = True
        self._progress.plan({rule: count for rule, count in stats.items() if rule != "total"})
        if self._show_progress and not self._display.live:
            view = self._progress.view(time.time())
            self._display.note(f"To do: {summary(view.stages)}", view)

    def _job_started(self, fields: dict[str, Any]) -> None:
        job = Job(
            jobid=fields["jobid"],
            rule=fields["rule_name"],
            wildcards=dict(fields.get("wildcards") or {}),
            logs=tuple(map(str, fields.get("log") or ())),
            started=fields["created"],
        )
        self._progress.start(job, is_target=not fields.get("output") and not fields.get("shellcmd"))

    def _job_failed(self, fields: dict[str, Any]) -> None:
        job = self._progress.fail(fields["jobid"])
        logs = [str(log) for log in fields.get("log") or (job.logs if job else ())]
        failure = self._problems.job_failed(
            fields["jobid"], job, fields.get("rule_name") or "job", logs, fields["created"]
        )
        if said := fields.get("rule_msg"):
            # A job on a cluster: its own logs come first, then the scheduler's.
            own = job.logs if job else ()
            failure.logs, failure.cluster_logs = tuple(own), tuple(log for log in logs if log not in own)
            failure.why = why(str(said), Path(failure.cluster_logs[-1]) if failure.cluster_logs else None)
        elif "cause" in fields:
            failure.cause = fields["cause"]
        else:
            self._problems.claim_cause(failure, fields.get("shellcmd"))
        if self._show_progress and not self._display.live and self._problems.interrupted_at is None:
            view = self._progress.view(fields["created"])
            because = f": {failure.why}" if failure.why else " (details at the end)"
            self._display.note(f"failed: {failure.name}{because}", view)

    def _error(self, fields: dict[str, Any]) -> None:
        text = fields.get("message") or str(fields.get("msg"))
        jobid = self._problems.error(str(fields.get("exception") or ""), text)
        if jobid is not None:
            self._job_failed({"jobid": jobid, "created": fields["created"], "cause": text})

    def _message(self, record: logging.LogRecord) -> None:
        """A record that is no event: Snakemake's remarks, most of which say nothing to a reader."""
        text = record.getMessage()
        if record.levelno >= logging.ERROR:
            self._problems.error("", text)
        elif record.levelno >= logging.WARNING:
            if not _EXPECTED.match(text):
                self._note(text)
        elif text.startswith(_INTERRUPTED):
            self._problems.interrupted_at = record.created
            self._note("Stopping the running jobs ...")
        elif text.startswith(_ENDING_SOON):
            self._note("Asked to stop: waiting for the running jobs to finish.")
        elif text.startswith(_RETRY):
            self._note("Trying again what has failed.")
        elif text.startswith(_NOTHING):
            self._display.stop()
            if not self._silent:
                self._display.say("Nothing to do: all requested files are present and up to date.")
        elif not self._executing and not text.startswith(_NOISE) and not self._silent:
            self._display.say(text)

    def _note(self, text: str) -> None:
        if text not in self._noted and not self._silent:
            self._noted.add(text)
            self._display.note(text, self._progress.view(time.time()))

    def _conclude(self) -> None:
        # Ctrl-C while Snakemake still reads the workflow reaches no record, but is being raised now.
        if isinstance(sys.exc_info()[1], KeyboardInterrupt):
            self._problems.interrupted_at = self._problems.interrupted_at or time.time()
            sys.excepthook = _no_traceback_on_interrupt
        report = self._problems.report(_snakemakes_log_file(), self.common_settings.show_failed_logs)
        if report:
            self._display.say(report, "red" if self._problems.interrupted_at is None else "yellow")
        elif self._planned and not self._silent:
            self._display.say(finished(self._progress.view(time.time())), "green")

    def _snakemakes_own(self) -> logging.Handler:
        """Snakemake's default output, on the stream where it would be."""
        from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter

        common = self.common_settings
        handler: logging.Handler = ColorizingTextHandler(
            nocolor=common.nocolor, stream=sys.stdout if common.stdout else sys.stderr
        )
        handler.addFilter(
            DefaultFilter(common.quiet, common.debug_dag, common.verbose, common.dryrun, common.printshellcmds)
        )
        handler.setFormatter(DefaultFormatter(common.quiet, common.show_failed_logs))
        return handler

    def _fall_back(self, error: Exception, record: logging.LogRecord | None) -> None:
        """Give up the display, say so, and let Snakemake's own output take over."""
        try:
            self._fallback = self._snakemakes_own()
            try:
                self._display.stop()
            finally:
                sys.stderr.write(f"The progress display has failed ({error!r}); Snakemake's own follows.\n")
                # Snakemake's output starts here, so what is known to have gone wrong before is repeated.
                for failure in self._problems.failures.values():
                    sys.stderr.write(f"Failed before: {failure.name}\n")
                if record is not None:
                    self._fallback.handle(record)
        except Exception:  # nowhere left to write, as when stderr was closed; the run goes on
            self._fallback = logging.NullHandler()


def _snakemakes_log_file() -> str | None:
    handlers = logging.getLogger("snakemake.logging").handlers
    return next((h.baseFilename for h in handlers if isinstance(h, logging.FileHandler)), None)


def _no_traceback_on_interrupt(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
