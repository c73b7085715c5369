"""What all rules share: the validated plan and the paths that follow from it."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from snakemake.exceptions import WorkflowError

from rethinking import kept
from rethinking.article.full_size import recorded_at_full_size
from rethinking.article.settings import settings
from rethinking.cells import RUN_FILES, RUN_PATTERN, WEIGHTS_PATTERN, Cell
from rethinking.cost.estimate import expected_seconds
from rethinking.cost.measurements import read_measurements
from rethinking.data.imagenet import VARIABLE as IMAGENET_VARIABLE
from rethinking.data.sources import MIRROR_VARIABLE
from rethinking.data.variants import ARRAYS, changed_arrays
from rethinking.engine.batches import tell_apart_jobs_of_groups
from rethinking.engine.persistence import use_project_persistence
from rethinking.engine.scheduling import look_once_a_second
from rethinking.engine.termination import let_a_thread_answer_sigterm
from rethinking.errors import UserError
from rethinking.experiments.experiment import (
    NETWORKS_PATTERN,
    RECORD_PATTERN,
    TABLE_PATTERN,
    Experiment,
)
from rethinking.experiments.identity import (
    experiment_code,
    experiment_roots,
    recipes_of,
)
from rethinking.experiments.streamed import StreamedExperiment
from rethinking.files import content_digests
from rethinking.fingerprint import modules
from rethinking.hardware import accelerators, threads_per_run, visible_gpus
from rethinking.names import whole_dataset
from rethinking.plan import make_plan, require_folders
from rethinking.publishing.captions import captions
from rethinking.runs import training_code
from rethinking.studies.registry import STUDIES, histories
from rethinking.studies.study import Study
from rethinking.trainer.broker import start_broker
from rethinking.why.dry_run import observe

use_project_persistence()
observe(workflow)  # `rethinking why` reads its reasons there
tell_apart_jobs_of_groups(workflow)
look_once_a_second()
let_a_thread_answer_sigterm()

try:
    PLAN = make_plan(config)
    MEASUREMENTS = read_measurements()
    if not workflow.remote_exec:
        require_folders(PLAN)
except UserError as error:
    raise WorkflowError(str(error)) from None

PRESET = PLAN.params.preset
RESULTS = f"results/{PRESET}"
EXECUTION = PLAN.params.execution
# The cores of this machine. On a cluster, a cell's process has one thread or what the profile says: None for the
# Snakemake that submits the jobs, and for those that run in them.
CORES = (
    workflow.resource_settings.cores
    if workflow.local_exec and not workflow.remote_exec
    else None
)
TRAINING_THREADS = threads_per_run(
    cores=CORES or 1,
    gpus=0 if EXECUTION.device == "cpu" else accelerators(),
    runs_per_gpu=EXECUTION.runs_per_gpu,
)

# Where training jobs are executed, they find processes that have PyTorch loaded, and that spread over the GPUs.
if not workflow.dryrun and (workflow.local_exec or workflow.remote_exec):
    start_broker(visible_gpus() if EXECUTION.device != "cpu" else [])

ARTICLE = f"articles/{PRESET}/index.html"

# Small files that people edit count by content, through params: Snakemake compares the content of an input only where it
# is newer than the output, and a checkout or a copy may bring back older times.

# Beside the sources, what the preview is made with: templates, style sheet and filter.
ARTICLE_SOURCES = [
    "report/_quarto.yml",
    "report/references.bib",
    *sorted(str(path) for path in Path("report").glob("[!._]*.qmd")),
    *sorted(str(path) for path in Path("report/sections").glob("*.qmd")),
    *sorted(str(path) for path in Path("src/rethinking/article/preview").glob("*.*")),
    *sorted(str(path) for path in Path("src/rethinking/article/explorer").glob("*.*")),
    *sorted(str(path) for path in Path("src/rethinking/article/frame").glob("*.*")),
    # What Git has recorded at full size stands in the article of every scale.
    *(recorded_at_full_size(Path("results")) if PRESET != "paper" else []),
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
    study="[a-z_]+",
    kind="[^/]+",
    unit="[^/]+",


def cell_of(wildcards) -> Cell:
    return Cell(
        wildcards.dataset,
        wildcards.model,
        wildcards.corruption,
        wildcards.regularizer,
        int(wildcards.seed),
    )


def processes(wildcards) -> int:
    """Return how many processes train a cell together."""
    return EXECUTION.processes.get(whole_dataset(wildcards.dataset), 1)


def training_threads(wildcards) -> int:
    """Return a training job's threads, of all its processes: a cell that spans this machine's GPUs has it for itself."""
    alone = CORES if processes(wildcards) > 1 else None
    return alone or TRAINING_THREADS * processes(wildcards)


@cache
def expected_training_seconds() -> dict[Cell, float]:
    """Return about how long each cell of this plan trains."""
    recipes = {cell: PLAN.params.recipe(cell) for cell in PLAN.all_cells}
    return expected_seconds(recipes, MEASUREMENTS)


def gpus(wildcards) -> int:
    """Return how many GPUs a training job asks a cluster for."""
    return 0 if EXECUTION.device == "cpu" else processes(wildcards)


EXPERIMENTS = {str(experiment): experiment for experiment in PLAN.all_experiments}


def kinds(experiments) -> str:
    """Return a pattern for the kinds of these experiments."""
    return "|".join(sorted({each.kind for each in experiments})) or "none"


KINDS_WITH_NETWORKS = kinds(
    each for each in EXPERIMENTS.values() if each.leaves_networks
)
STREAMED_KINDS = kinds(
    each for each in EXPERIMENTS.values() if isinstance(each, StreamedExperiment)
)
# Cores that a scheduler is asked for with each GPU: they read images.
STREAMED_THREADS = 8


def experiment_of(wildcards) -> Experiment:
    name = f"{wildcards.study}/{wildcards.kind}/{wildcards.unit}"
    if name not in EXPERIMENTS:
        raise WorkflowError(f"preset {PRESET} has no experiment '{name}'")
    return EXPERIMENTS[name]


def experiment_inputs(wildcards) -> list[str]:
    """Return what an experiment reads: trained networks, data, and the networks of experiments before it."""
    experiment = experiment_of(wildcards)
    variants = (variant_files(*variant) for variant in experiment.all_variants())
    return [
        *(str(cell.weights_path(PRESET)) for cell in experiment.cells),
        *dict.fromkeys(path for paths in variants for path in paths),
        *(str(other.networks_path(PRESET)) for other in experiment.after),
    ]


def experiment_code_roots(wildcards) -> tuple[str, ...]:
    """Return the modules that determine what an experiment gives."""
    experiment = experiment_of(wildcards)
    return experiment_roots(experiment, recipes_of(PLAN.params, experiment))


def experiment_expected(wildcards) -> str:
    """Return the digests of an experiment's settings and of its code, as `rethinking experiment` expects them."""
    experiment = experiment_of(wildcards)
    recipes = recipes_of(PLAN.params, experiment)
    return f"{experiment.digest(recipes)} {experiment_code(experiment, recipes)}"


def experiment_gpus(wildcards) -> int:
    """Return how many GPUs an experiment asks a cluster for."""
    return 0 if experiment_of(wildcards).on_cpu or EXECUTION.device == "cpu" else 1


def streamed_processes(wildcards) -> int:
    """Return how many processes carry out an experiment on streamed data together."""
    return EXECUTION.processes.get(experiment_of(wildcards).stands_for.dataset, 1)


def streamed_threads(wildcards) -> int:
    """Return such a job's threads, of all its processes: here, all cores."""
    return CORES or STREAMED_THREADS * streamed_processes(wildcards)


def streamed_gpus(wildcards) -> int:
    """Return how many GPUs such a job asks a cluster for."""
    return 0 if EXECUTION.device == "cpu" else streamed_processes(wildcards)


def experiment_files(experiments: list[Experiment] | None = None) -> list[str]:
    """Return what experiments leave, all but the networks: those of this plan, or the ones given."""
    chosen = PLAN.experiments if experiments is None else experiments
    return [
        str(path)
        for each in chosen
        for path in (each.table_path(PRESET), each.record_path(PRESET))
    ]


def shown_experiments(wildcards) -> list[str]:
    """Return the results of experiments that a study's tables and figures may show, as far as this plan has them."""
    shown = [wildcards.study, *STUDIES[wildcards.study].shows]
    return experiment_files([each for each in PLAN.experiments if each.study in shown])


def run_file(cell: Cell, name: str) -> str:
    return f"{cell.run_folder(PRESET)}/{name}"


def run_files() -> list[str]:
    """Return what the runs of this plan leave, all but the weights: these may be left at the remote until needed."""
    return [run_file(cell, name) for cell in PLAN.cells for name in RUN_FILES]


def forget_kept_runs() -> None:
    """Discard what `rethinking train` keeps of a finished run until Snakemake has taken note of it."""
    for job in workflow.dag.jobs:
        if job.rule.name == "train":
            kept.discard(Path(cell_of(job.wildcards).run_folder(PRESET)))


def result_files(studies: list[Study] = PLAN.studies) -> list[str]:
    """Return every table, figure, plot and summary of the studies: those of this run, or the ones given."""
    return [
        f"{RESULTS}/metrics.json",
        f"{RESULTS}/claims.json",
        *(
            f"{RESULTS}/tables/{study.name}-{name}.{ending}"
            for study in studies
            for name in (*study.tables, "claims")
            for ending in ("md", "csv", "json")
        ),
        *(
            f"{RESULTS}/figures/{study.name}-{name}.{ending}"
            for study in studies
            for name in study.figures
            for ending in ("svg", "csv", "json")
        ),
        *(f"{RESULTS}/plots/{name}.csv" for study in studies for name in study.plots),
    ]


def original_files(wildcards) -> list[str]:
    folder = f"data/{wildcards.dataset}/true"
    return [f"{folder}/manifest.json", *(f"{folder}/{array}.npy" for array in ARRAYS)]


def variant_files(dataset: str, corruption: str) -> list[str]:
    """Return what a variant consists of: its manifest, and the arrays that are its own or the originals'."""
    own, true = f"data/{dataset}/{corruption}", f"data/{dataset}/true"
    changed = ARRAYS if corruption == "true" else changed_arrays(corruption)
    return [
        f"{own}/manifest.json",
        *(f"{own if array in changed else true}/{array}.npy" for array in ARRAYS),
    ]


def recipes_digest() -> str:
    """Return one digest over the recipes of the whole preset: as a list, they would be repeated in every record."""
    recipes = (PLAN.params.recipe(cell).digest() for cell in PLAN.all_cells)
    return sha256("\n".join(recipes).encode()).hexdigest()[:16]


def histories_digest() -> str:
    """Return one digest over what is collected of histories."""
    found = histories(PLAN.params).items()
    lines = (f"{cell} {'all' if last is None else last}" for cell, last in found)
    return sha256("\n".join(lines).encode()).hexdigest()[:16]


@cache
def article_captions() -> dict[tuple[str, str], str]:
    """Return what the article says below its figures and tables; read when the workflow's record is made."""
    return captions(Path("report"), settings(PLAN.params))


def study_title(wildcards) -> str:
    """Return what the article calls a study, from the caption of its claims."""
    return article_captions()["table", f"{wildcards.study}-claims"].partition(":")[0]


def table_labels(wildcards) -> dict[str, str]:
    """Return a table's name and caption, for the workflow's record."""
    caption = article_captions()["table", f"{wildcards.study}-{wildcards.name}"]
    return {"Table": wildcards.name, "Caption": caption}


def figure_labels(wildcards) -> dict[str, str]:
    """Return a figure's name and caption, for the workflow's record."""
    caption = article_captions()["figure", f"{wildcards.study}-{wildcards.name}"]
    return {"Figure": wildcards.name, "Caption": caption}


def code_of(kind: str, wildcards) -> dict[str, str]:
    """Return the modules that make a study's table or figure, each with a digest of its code."""
    study = STUDIES[wildcards.study]
    return modules(*study.code_roots(study.part(kind, wildcards.name)))


def shown_settings() -> dict:
    """Return the settings that results and article may show: all but how and from where things are run."""
    return PLAN.params.model_dump(exclude={"execution", "data"})


def study_settings(wildcards) -> dict:
    """Return the settings that a study's tables and figures read beside the results."""
    return PLAN.params.model_dump(include={"studies": {wildcards.study}})
