"""What Snakemake remembers of a file lies beside the file, so that it travels and is versioned with it.

Snakemake decides what to run from a record of how each output was made: rule, params, inputs and their checksums. By
itself it keeps these records in one folder for everything that was ever run here, which no data remote can hold apart.
Here the record of `data/digits/true/manifest.json` is `data/digits/true/.snakemake/manifest.json`, whatever brings the
folder to a machine: DVC, a checkout of another branch, a copy.
"""

from pathlib import Path, PurePosixPath

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


def keep_records_beside_outputs() -> None:
    """Make Snakemake keep its records in these places; called while it reads the Snakefile.

    Its own backend writes and reads them. It has no setting or plugin for where, hence the subclass put in its place; a
    test runs the workflow with the locked version of Snakemake and finds the records there.
    """
    # Not at the top: others only want to know the places, and Snakemake takes seconds to import.
    from snakemake import workflow
    from snakemake.persistence.file import FilePersistence

    class RecordsBesideOutputs(FilePersistence):  # type: ignore[misc]  # Snakemake is not typed
        def _record_path(self, subject: str, id: str) -> str:
            if subject == self._metadata_path:
                return str(record_path(id))
            return str(super()._record_path(subject, id))

    workflow.FilePersistence = RecordsBesideOutputs
