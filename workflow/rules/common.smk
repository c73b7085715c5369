"""What all rules share: the validated plan and the paths that follow from it."""

from pathlib import Path

from snakemake.exceptions import WorkflowError

from rethinking.cells import RUN_FILES, RUN_PATTERN, Cell
from rethinking.data.sources import MIRROR_VARIABLE
from rethinking.data.variants import ARRAYS, changed_arrays
from rethinking.errors import UserError
from rethinking.files import content_digest
from rethinking.fingerprint import fingerprint
from rethinking.hardware import accelerators, threads_per_run
from rethinking.plan import make_plan
from rethinking.runs import training_code
from rethinking.studies.registry import STUDIES

try:
    PLAN = make_plan(config)
except UserError as error:
    raise WorkflowError(str(error)) from None

PRESET = PLAN.params.preset
RESULTS = f"results/{PRESET}"
TRAINING_THREADS = threads_per_run(
    cores=workflow.cores or 1,
    gpus=0 if PLAN.params.execution.device == "cpu" else accelerators(),
    runs_per_gpu=PLAN.params.execution.runs_per_gpu,
)
ARTICLE = "report/_site/index.html"

# Small files that people edit count by content, through params: Snakemake compares the content of an input only where it
# is newer than the output, and a checkout or a copy may bring back older times.

# Beside the sources, what the preview is made with: templates, style sheet and filter.
ARTICLE_SOURCES = [
    "report/_quarto.yml",
    "report/references.bib",
    *sorted(str(path) for path in Path("report").glob("[!._]*.qmd")),
    *sorted(str(path) for path in Path("report/sections").glob("*.qmd")),
    *sorted(str(path) for path in Path("src/rethinking/article/preview").glob("*.*")),
]

# The papers' own values, which tables and figures show beside ours.
PUBLISHED = sorted(
    str(path) for path in Path("src/rethinking/results/published").glob("*.csv")
)


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


def run_files() -> list[str]:
    """Return all that the runs of this plan leave."""
    return [run_file(cell, name) for cell in PLAN.cells for name in RUN_FILES]


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


def original_files(wildcards) -> list[str]:
    folder = f"data/{wildcards.dataset}/true"
    return [f"{folder}/manifest.json", *(f"{folder}/{array}.npy" for array in ARRAYS)]


def variant_files(wildcards) -> list[str]:
    """Return what a variant consists of: its manifest, and the arrays that are its own or the originals'."""
    own, true = (
        f"data/{wildcards.dataset}/{wildcards.corruption}",
        f"data/{wildcards.dataset}/true",
    )
    changed = (
        ARRAYS
        if wildcards.corruption == "true"
        else changed_arrays(wildcards.corruption)
    )
    return [
        f"{own}/manifest.json",
        *(f"{own if array in changed else true}/{array}.npy" for array in ARRAYS),
    ]


def shown_settings() -> str:
    """Return the settings that results and article may show: all but how and from where things are run."""
    return PLAN.params.model_dump_json(exclude={"execution", "data"})


def study_settings(wildcards) -> str:
    """Return the settings that a study's tables and figures read beside the results."""
    return PLAN.params.studies.model_dump_json(include={wildcards.study})
