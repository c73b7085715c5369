"""What all rules share: the validated plan and the paths that follow from it."""

from pathlib import Path

from snakemake.exceptions import WorkflowError

from rethinking.cells import RUN_FILES, RUN_PATTERN, Cell
from rethinking.errors import UserError
from rethinking.fingerprint import fingerprint
from rethinking.plan import make_plan
from rethinking.runs import training_code

try:
    PLAN = make_plan(config)
except UserError as error:
    raise WorkflowError(str(error)) from None

PRESET = PLAN.params.preset
RESULTS = f"results/{PRESET}"


wildcard_constraints:
    preset="[^/]+",
    dataset="[^/]+",
    model="[^/]+",
    corruption="[^/]+",
    regularizer="[^/]+",
    seed=r"\d+",
    study="[a-z]+",


def cell_of(wildcards) -> Cell:
    return Cell(
        wildcards.dataset,
        wildcards.model,
        wildcards.corruption,
        wildcards.regularizer,
        int(wildcards.seed),
    )


def run_file(cell: Cell, name: str) -> str:
    return f"{cell.run_folder(PRESET)}/{name}"


def result_files() -> list[str]:
    """Return every table, figure and summary of the studies of this run."""
    return [
        f"{RESULTS}/metrics.json",
        f"{RESULTS}/claims.json",
        *(
            f"{RESULTS}/tables/{study.name}-{name}.md"
            for study in PLAN.studies
            for name in (*study.tables, "claims")
        ),
        *(
            f"{RESULTS}/figures/{study.name}-{name}.svg"
            for study in PLAN.studies
            for name in study.figures
        ),
    ]
