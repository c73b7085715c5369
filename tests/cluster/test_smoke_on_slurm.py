"""The smoke preset on a real Slurm cluster: the same bits as here, in few jobs, each on a GPU of its own.

Of two studies, to save time: one trains cells and the other goes on from them, after experiments of a third.
"""

import csv
import filecmp
import json
import math
import re
import shutil
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import pytest

from on_slurm import OnSlurm
from project import SOURCE, Project
from rethinking.experiments.experiment import Experiment
from rethinking.plan import make_plan
from slurm import Cluster, Job

pytestmark = pytest.mark.slow

CELLS_PER_JOB = 4
EXPERIMENTS_PER_JOB = 4  # as the profile has it
CONFIG = ("--config", "preset=smoke", "studies=randomisation,quantisation")
PLAN = make_plan(dict(word.split("=", 1) for word in CONFIG[1:]), SOURCE / "params.yaml")
EXPERIMENTS = [*{str(other): other for each in PLAN.experiments for other in each.after}.values(), *PLAN.experiments]
"""With those that they go on from."""
OWN = tuple(f"{study.name}-" for study in PLAN.studies)
LATENCY = "quantisation-latency."
"""The one table of measured times; the columns of experiments that hold them end in _milliseconds."""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> OnSlurm:
    """Both studies, run to their end on the cluster, which ran nothing else meanwhile."""
    on_slurm = OnSlurm.copy_to(tmp_path_factory.mktemp("smoke") / "project", cluster)
    on_slurm.profile("cells=8", f"cells={CELLS_PER_JOB}")
    answer = on_slurm.run("results", *CONFIG)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return on_slurm


def runs_of(project: Project) -> list[Path]:
    return sorted(path.relative_to(project.root) for path in project.root.glob("runs/smoke/*/*/*/*/seed-*"))


def test_weights_are_those_of_a_run_on_this_machine_bit_for_bit(ended: OnSlurm, smoke_run: Project) -> None:
    left = (each.networks_path("smoke") for each in EXPERIMENTS if each.leaves_networks)
    names = sorted(map(str, (*(cell.weights_path("smoke") for cell in PLAN.cells), *left)))
    root = ended.project.root
    assert names == sorted(str(path.relative_to(root)) for path in root.glob("weights/smoke/**/*.safetensors"))
    same, different, absent = filecmp.cmpfiles(ended.project.root, smoke_run.root, names, shallow=False)
    assert (sorted(same), different, absent) == (names, [], [])


def test_histories_are_too_but_for_their_times(ended: OnSlurm, smoke_run: Project) -> None:
    def history(project: Project, run: Path) -> list[dict[str, str]]:
        with open(project.root / run / "history.csv", encoding="utf-8", newline="") as file:
            return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]

    assert {path.relative_to("runs/smoke") for path in runs_of(ended.project)} == {Path(str(c)) for c in PLAN.cells}
    for run in runs_of(ended.project):
        assert history(ended.project, run) == history(smoke_run, run)


def test_results_of_experiments_are_too_but_for_measured_times(ended: OnSlurm, smoke_run: Project) -> None:
    def rows(project: Project, experiment: Experiment) -> list[dict[str, str]]:
        with open(project.root / experiment.table_path("smoke"), encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        return [{key: line[key] for key in line if not key.endswith("_milliseconds")} for line in lines]

    for experiment in EXPERIMENTS:
        assert rows(ended.project, experiment) == rows(smoke_run, experiment) != [], experiment


def test_tables_figures_and_claims_are_too(ended: OnSlurm, smoke_run: Project) -> None:
    pattern = "results/smoke/[tfp]*/*.[cm][sd]*"  # CSV and Markdown; the JSON beside them names times and commits
    # The claims of the other studies are judged as well, on less.
    found = [path for path in smoke_run.root.glob(pattern) if path.name.startswith(OWN)]
    names = [str(path.relative_to(smoke_run.root)) for path in found if not path.name.startswith(LATENCY)]
    tables = sum(len(study.tables) + 1 for study in PLAN.studies)
    assert len(names) == 2 * (tables - 1) + sum(len(study.figures) for study in PLAN.studies)
    plots = [f"results/smoke/plots/{name}.csv" for study in PLAN.studies for name in study.plots]
    assert plots
    names += plots
    same, different, absent = filecmp.cmpfiles(ended.project.root, smoke_run.root, names, shallow=False)
    assert (sorted(same), different, absent) == (sorted(names), [], [])
    claims = "results/smoke/claims.json"
    ours, theirs = (json.loads((each.root / claims).read_text()) for each in (ended.project, smoke_run))
    for study in PLAN.studies:
        assert ours[study.name] == theirs[study.name] != []


def test_cells_share_jobs_that_ask_for_no_more_than_one_cell_does(ended: OnSlurm) -> None:
    """Only the time adds up: cells of a job are trained one after the other."""
    trained = Counter(int(number) for number in re.findall(r"Slurm job (\d+)", ended.logs()))
    full, rest = divmod(len(PLAN.cells), CELLS_PER_JOB)
    assert sorted(trained.values(), reverse=True) == [CELLS_PER_JOB] * full + [rest] * (rest > 0)
    for job in ended.jobs():
        assert (job.state, job.gpus, job.cpus, job.memory_mb) == ("COMPLETED", 1, 1, 8000)
        assert job.time_limit_minutes == 30 * trained[job.id]


def jobs_beside_training(ended: OnSlurm) -> dict[str, list[Job]]:
    """Return the other jobs of the run, by the profile's name of their group."""
    training = ended.jobs()
    run = {job.name for job in training}
    assert all(name.startswith("rethinking_") for name in run)
    found = defaultdict(list)
    for job in ended.cluster.jobs():
        if job not in training and job.name in run:
            found[job.comment.split("_")[1]].append(job)
    return found


def test_light_jobs_take_no_gpu_and_are_two(ended: OnSlurm) -> None:
    found = jobs_beside_training(ended)
    light = [job for group in ("results", "variants") for job in found[group]]
    assert found.keys() == {"results", "variants", "experiments", "networks"}
    assert [(job.state, job.gpus, job.cpus) for job in light] == [("COMPLETED", 0, 1)] * 2


def test_experiments_share_jobs_but_for_those_that_others_wait_for(ended: OnSlurm) -> None:
    """They ask for a GPU as cells do, unless all that share a job need none."""
    found = jobs_beside_training(ended)
    networks = sum(each.leaves_networks for each in EXPERIMENTS)
    assert len(found["networks"]) == networks > 0
    assert len(found["experiments"]) == math.ceil((len(EXPERIMENTS) - networks) / EXPERIMENTS_PER_JOB)
    for job in found["networks"]:
        assert (job.state, job.gpus, job.cpus) == ("COMPLETED", 1, 1)
    assert {(job.state, job.cpus) for job in found["experiments"]} == {("COMPLETED", 1)}
    assert {job.gpus for job in found["experiments"]} <= {0, 1}


def test_jobs_at_once_are_on_gpus_of_their_own(ended: OnSlurm) -> None:
    """What CUDA_VISIBLE_DEVICES says in each job, and when the jobs ran."""
    places = defaultdict(set)
    for node, gpu, job in re.findall(r"on (node\d), GPU (\S+), Slurm job (\d+)", ended.logs()):
        places[int(job)].add((node, gpu))
    assert all(len(place) == 1 for place in places.values())
    assert {place for job in places.values() for place in job} == {
        (node, gpu) for node in ended.cluster.nodes for gpu in "01"
    }
    times = {job: _times(ended.cluster, job) for job in places}
    for one, other in combinations(places, 2):
        if places[one] == places[other]:
            assert times[one][1] <= times[other][0] or times[other][1] <= times[one][0]


def _times(cluster: Cluster, job: int) -> tuple[str, str]:
    shown = cluster.command("scontrol", "show", "job", str(job))
    start, end = re.findall(r"(?:Start|End)Time=(\S+)", shown)[:2]
    return start, end


def test_there_is_nothing_left_to_do(ended: OnSlurm) -> None:
    assert ended.project.to_do("results", *CONFIG) == {}
    assert list(ended.project.root.glob("runs/**/.kept")) == []


def test_the_article_is_rendered_there_too(ended: OnSlurm, smoke_run: Project, tmp_path: Path) -> None:
    """With the tables and figures of all studies: those that were not carried out there are taken from here."""
    on_slurm = OnSlurm(ended.project.copy_of_all(tmp_path / "project"), ended.cluster)
    for kind in ("tables", "figures"):
        for path in smoke_run.root.glob(f"results/smoke/{kind}/*"):
            if not path.name.startswith(OWN):
                shutil.copy(path, on_slurm.project.root / path.relative_to(smoke_run.root))
    answer = on_slurm.run("articles/smoke/index.html", *CONFIG, "--allowed-rules", "article")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (on_slurm.project.root / "articles/smoke/index.html").exists()
