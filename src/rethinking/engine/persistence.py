"""How Snakemake remembers what was made here: records that travel with the files, locks that nobody has to break.

Snakemake's own file backend does the work. It has no setting or plugin for what is different here, hence the subclass
that is put in its place; tests run the workflow with the locked version of Snakemake.

Records. Snakemake decides what to run from a record of how each output was made: rule, params, inputs and their
checksums. By itself it keeps these records in one folder for everything that was ever run here, which no data remote
can hold apart. Here the record of `data/digits/true/manifest.json` is `data/digits/true/.snakemake/manifest.json`,
whatever brings the folder to a machine: DVC, a checkout of another branch, a copy.

A result that came without its record, as those in Git do, counts for what it says itself of how it was made.

Marks. While a job is at work, its outputs are marked as incomplete. A job that was submitted to a cluster runs a
Snakemake of its own, which by itself takes the marks away before the first one has written the records: killed in
between, it would leave outputs that seem complete and have no record. Here marks and records are the first one's alone,
and a mark stays until there is a record.

Locks. A lock file is held by the process that wrote it, so that one left by a killed process counts for nothing.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path, PurePosixPath
from typing import IO, Any

from rethinking.engine.queue import cancel_leftovers, submitted
from rethinking.locks import create_held, is_abandoned

FOLDER = ".snakemake"


def record_path(output: str) -> Path:
    """Return where the record of `output`, a path relative to the project's root, is kept.

    - data: beside the file, as variants are shared by presets;
    - a run's files: in the run's folder, those of its weights too. Snakemake compares a job's params only where it has
      the records of all its outputs, and the weights may be left at the remote;
    - results and article: with the preset's runs. They are in git or rendered, and their records are neither's.
    """
    path = PurePosixPath(output)
    match path.parts:
        case ("data" | "runs", _, *_):
            return Path(path.parent, FOLDER, path.name)
        case ("weights", *_):
            return Path("runs", *path.parent.parts[1:], FOLDER, path.name)
        case ("results", preset, *rest):
            return Path("runs", preset, FOLDER, "results", *rest)
        case ("articles", preset, *rest):
            return Path("runs", preset, FOLDER, "articles", *rest)
    return Path(FOLDER, "metadata", *path.parts)  # nothing that the project versions


def use_project_persistence() -> None:
    """Make Snakemake remember in this way; called while it reads the Snakefile."""
    # Not at the top: others only want to know the places, and Snakemake takes seconds to import.
    from snakemake import workflow
    from snakemake.logging import logger
    from snakemake.persistence import ParamsChange
    from snakemake.persistence.file import FilePersistence
    from snakemake_interface_executor_plugins.settings import ExecMode

    class ProjectPersistence(FilePersistence):  # type: ignore[misc]  # Snakemake is not typed
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._held: list[tuple[Path, IO[str]]] = []

        def _record_path(self, subject: str, id: str) -> str:
            if subject == self._metadata_path:
                return str(record_path(id))
            return str(super()._record_path(subject, id))

        @property
        def _is_a_jobs(self) -> bool:
            return bool(self.dag.workflow.exec_mode != ExecMode.DEFAULT)

        def started(self, job: Any, external_jobid: str | None = None) -> None:
            if self._is_a_jobs:
                return
            super().started(job, external_jobid)
            if external_jobid is not None:
                submitted.add(external_jobid)

        async def finished(self, job: Any) -> None:
            if not self._is_a_jobs:
                await super().finished(job)

        def cleanup(self, job: Any) -> None:
            # Snakemake calls this where it finds fault with outputs that a job has made. By itself it takes away the
            # records and the marks, which leaves outputs that seem complete; until they are made again, they are not.
            if not self._is_a_jobs:
                for output in job.output:
                    self._delete_record(self._get_key(output))

        def has_metadata(self, job: Any) -> bool:
            return bool(super().has_metadata(job)) or _is_of_other_settings(job)

        def params_changed(self, job: Any, file: Any = None) -> Any:
            if not super().has_metadata(job) and _is_of_other_settings(job):
                return ParamsChange(only_new={job.params.expected}, files=set(job.output))
            return super().params_changed(job, file)

        def made_since_started(self, job: Any) -> bool:
            """Whether all outputs of a job have been made since it was last submitted or started."""
            marks = (Path(self._record_path(self._incomplete_path, self._get_key(path))) for path in job.output)
            try:
                return all(
                    Path(path).stat().st_mtime_ns >= mark.stat().st_mtime_ns
                    for path, mark in zip(job.output, marks, strict=True)
                )
            except FileNotFoundError:
                return False

        @contextmanager
        def lock(self) -> Iterator[None]:
            for path in Path(self._lockdir).glob("*.lock"):
                if is_abandoned(path):
                    path.unlink(missing_ok=True)
            with super().lock():
                # Whoever started these is gone, or would hold the lock; nobody waits for them, and they would be in
                # the way of the jobs that take their place.
                outputs = [self._get_key(output) for job in self.dag.jobs for output in job.output]
                left = cancel_leftovers(self._get_external_jobids(self._filter_incomplete_keys(outputs)))
                if left:
                    logger.warning(f"Cancelled jobs that an earlier run has left in the queue: {', '.join(left)}")
                yield

        def _read_locks(self) -> Iterator[tuple[str, str]]:
            for path in sorted(Path(self._lockdir).glob("*.lock")):
                if is_abandoned(path):
                    continue
                kind = path.name.split(".")[1]
                yield from ((kind, line) for line in path.read_text(encoding="utf-8").splitlines())

        def _write_locks(self, lock_type: str, keys: Iterable[str]) -> None:
            content = "".join(f"{key}\n" for key in keys)
            if not content:
                return
            Path(self._lockdir).mkdir(parents=True, exist_ok=True)
            for number in count():
                path = Path(self._lockdir, f"{number}.{lock_type}.lock")
                if (file := create_held(path, content)) is not None:
                    self._held.append((path, file))
                    return

        def _delete_locks(self) -> None:
            if not self._held:  # `snakemake --unlock`: a person has decided that nothing runs here
                super()._delete_locks()
            for path, file in self._held:
                path.unlink(missing_ok=True)
                file.close()
            self._held.clear()

    workflow.FilePersistence = ProjectPersistence


def _is_of_other_settings(job: Any) -> bool:
    """Whether a job's outputs are there and say themselves that they were made under other settings, or by other code.

    Results come with Git, their records with DVC. In a clone without records Snakemake goes by times alone, and has no
    reason to ever make an experiment anew that begins with no file. What an experiment leaves names its digests.
    """
    if not hasattr(job.params, "expected"):
        return False
    for output in map(str, job.output):
        if output.endswith(".json"):
            try:
                record = json.loads(Path(output).read_text(encoding="utf-8"))
                return [record["digest"], record["code"]] != str(job.params.expected).split()
            except FileNotFoundError:
                return False  # reason enough without this
            except (OSError, ValueError, KeyError):
                return True
    return False
