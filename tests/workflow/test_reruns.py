"""After a whole run: what a change makes run again, and that nothing else does. Read from Snakemake's dry runs."""

import ast
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from project import SOURCE, Project
from rethinking.experiments.identity import recipes_of
from rethinking.plan import Plan, make_plan
from rethinking.studies.registry import STUDIES

pytestmark = pytest.mark.slow

SMOKE = ("--config", "preset=smoke")
PLAN = make_plan({"preset": "smoke"}, SOURCE / "params.yaml")
FIGURES = {f"figure {study.name}-{name}" for study in STUDIES.values() for name in study.figures}
TABLES = {f"table {study.name}-{name}" for study in STUDIES.values() for name in study.tables}
RESULTS = {"collect": 1, "table": len(TABLES), "figure": len(FIGURES), "summary": 1, "article": 1}


@pytest.fixture(scope="module")
def finished(smoke_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose smoke preset has run to its end. Tests put back what they change."""
    return smoke_run.copy_of_all(tmp_path_factory.mktemp("reruns") / "project")


@pytest.fixture(scope="module")
def all_cells(finished: Project) -> set[str]:
    root = finished.root / "runs/smoke"
    return {str(path.parent.relative_to(root)) for path in root.glob("**/seed-*/metrics.json")}


def of(cells: set[str], *, model: str = "", regularizer: str = "") -> set[str]:
    """Return the cells of a model whose regularizer holds the given one."""
    parts = {cell: cell.split("/") for cell in cells}
    return {cell for cell, part in parts.items() if part[1].startswith(model) and regularizer in part[3]}


def following(cells: set[str], plan: Plan = PLAN) -> set[str]:
    """Return the experiments that start from the networks of any of these cells, at once or after others."""
    return {str(each) for each in plan.experiments if not cells.isdisjoint(map(str, each.all_cells()))}


def jobs_of(experiments: Iterable[str], plan: Plan = PLAN) -> dict[str, int]:
    """Return how many jobs of each rule carry out these experiments."""
    leaving = {str(each) for each in plan.experiments if each.leaves_networks}
    return dict(Counter("experiment_with_networks" if name in leaving else "experiment" for name in experiments))


def showing(experiments: set[str]) -> set[str]:
    """Return the tables and figures of the studies that these experiments belong to, or that show them."""
    of = {name.partition("/")[0] for name in experiments}
    return {
        f"{kind} {study.name}-{name}"
        for study in STUDIES.values()
        if not of.isdisjoint({study.name, *study.shows})
        for kind, names in (("table", study.tables), ("figure", study.figures))
        for name in names
    }


def test_nothing_is_left_to_do(finished: Project, all_cells: set[str]) -> None:
    assert all_cells == set(map(str, PLAN.cells))
    assert finished.to_do(*SMOKE) == {}


def test_comments_and_docstrings_anywhere_run_nothing(finished: Project, tmp_path: Path) -> None:
    project = finished.copy_of_all(tmp_path / "commented")
    for path in (project.root / "src").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                node.value.value = "Documented otherwise."
        path.write_text(f"# A new comment, and another layout.\n\n\n{ast.unparse(tree)}\n", encoding="utf-8")
    for name in ("workflow/Snakefile", "params.yaml", "dvc.yaml", "profiles/default/profile.yaml"):
        with open(project.root / name, "a", encoding="utf-8") as file:
            file.write("\n# One more comment.\n")
    for path in (project.root / "workflow/rules").glob("*.smk"):
        path.write_text(f"# One more comment.\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    assert project.to_do(*SMOKE) == {}


def test_touched_files_run_nothing(finished: Project) -> None:
    """Results first, then what they are made of: every input becomes newer than every output."""
    made = ("articles", "results", "runs", "weights", "data")
    files = [path for path in finished.root.rglob("*") if path.is_file() and ".snakemake" not in path.parts]
    places = {path: str(path.relative_to(finished.root)) for path in files}
    order = {
        path: next((i for i, top in enumerate(made) if place.startswith(top)), 9) for path, place in places.items()
    }
    for path in sorted(files, key=lambda path: order[path]):
        os.utime(path)
    assert finished.to_do(*SMOKE) == {}


def test_an_architecture_trains_its_own_models(finished: Project, all_cells: set[str]) -> None:
    alexnet = of(all_cells, model="alexnet")
    with finished.edited("src/rethinking/models/alexnet.py", "kernel_size=5, padding=2", "kernel_size=3, padding=1"):
        found = finished.announced(*SMOKE)
    assert found.cells == alexnet
    assert found.experiments == following(alexnet) | {"parameters/counting/all"}  # which builds all architectures
    of_tables = of({str(cell) for cell in STUDIES["randomisation"].cells(PLAN.params)}, model="alexnet")
    assert len(of_tables) == 4 + 1 + 1 + 1  # Table 1 twice, Table 4, the sweep's p = 0.5
    assert of_tables <= alexnet


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("training/steps.py", "    optimiser.step()", "    optimiser.step(); optimiser.step()"),
        ("training/optimiser.py", "momentum", "impetus"),
        ("data/images.py", "correction=0", "correction=1"),
    ],
)
def test_training_code_trains_every_cell(
    finished: Project, all_cells: set[str], module: str, old: str, new: str
) -> None:
    """And carries out every experiment: they train and evaluate by the same code."""
    with finished.edited(f"src/rethinking/{module}", old, new):
        found = finished.announced(*SMOKE)
    assert found.cells == all_cells
    assert found.experiments == set(map(str, PLAN.experiments))


def test_a_models_weight_decay_trains_its_cells_with_weight_decay(finished: Project, all_cells: set[str]) -> None:
    with finished.edited("params.yaml", "weight_decay: 0.004 #", "weight_decay: 0.002 #"):
        found = finished.announced(*SMOKE)
    # Table 1 with true labels, with and without crops, and Table 4 with random ones.
    assert found.cells == of(all_cells, model="alexnet", regularizer="wd")
    assert found.jobs == RESULTS | {"train": 3}


def test_a_new_seed_trains_the_new_cells(finished: Project, all_cells: set[str]) -> None:
    """And carries out the experiments that start from them."""
    with finished.edited("params.yaml", "\nseeds: [0]", "\nseeds: [0, 1]"):
        wider = finished.plan("preset=smoke")
        found = finished.announced(*SMOKE)
    assert found.cells == set(map(str, wider.cells)) - all_cells
    of_tables = {str(cell) for cell in STUDIES["randomisation"].cells(PLAN.params)}
    assert {cell.replace("seed-0", "seed-1") for cell in of_tables} <= found.cells
    assert found.experiments == following(found.cells, wider) != set()
    assert found.jobs == RESULTS | {"train": len(found.cells)} | jobs_of(found.experiments, wider)


def test_a_new_corruption_level_trains_the_new_cells(finished: Project) -> None:
    with finished.edited("params.yaml", "label_corruption: [0.0, 0.5, 1.0]", "label_corruption: [0.0, 0.2, 0.5, 1.0]"):
        found = finished.announced(*SMOKE)
    assert found.cells == {f"digits/{model}/labels-p20/none/seed-0" for model in ("inception", "alexnet", "mlp-1x512")}
    assert found.jobs == RESULTS | {"corrupt_labels": 1, "train": 3}


NEW_MODEL = """
  mlp-2x64:
    architecture: mlp
    depth: 2
    width: 64
    initialisation: he
    initial_learning_rate: 0.01
    weight_decay: 0.0005

augmentation:
"""


def test_a_new_model_trains_its_own_cells(finished: Project) -> None:
    with finished.edited("params.yaml", "\naugmentation:\n", NEW_MODEL):
        # Nobody asks for it yet, but the article's table of settings lists it.
        assert finished.to_do(*SMOKE) == {"summary": 1, "article": 1}
        with finished.edited("params.yaml", "further_models: []", "further_models: [mlp-2x64]"):
            found = finished.announced(*SMOKE)
    assert found.cells == {f"digits/mlp-2x64/{labels}/none/seed-0" for labels in ("true", "random-labels")}
    assert found.jobs == RESULTS | {"train": 2}


def test_a_new_architecture_trains_nothing_else(finished: Project) -> None:
    path = finished.root / "src/rethinking/models/linear.py"
    path.write_text("def build(image_shape, classes, *, dropout):\n    return None\n")
    assert finished.to_do(*SMOKE) == {}
    path.unlink()


def test_a_setting_of_the_results_trains_nothing(finished: Project) -> None:
    with finished.edited("params.yaml", "overfit_loss: 0.05", "overfit_loss: 0.06"):
        assert finished.to_do(*SMOKE) == RESULTS


# Experiments.


def changed(after: Plan) -> set[str]:
    """Return the experiments whose settings, or those of experiments before them, are not those of PLAN."""
    old, new = (
        {str(each): each.digest(recipes_of(plan.params, each)) for each in plan.experiments} for plan in (PLAN, after)
    )
    return {name for name in new if new[name] != old.get(name)}


@pytest.mark.parametrize(
    ("old", "new", "among_them"),
    [
        ("repetitions: 10\n", "repetitions: 11\n", {"bias_variance/regression/all"}),
        # Others go on from the networks that these leave.
        (
            "rounds: 2\n",
            "rounds: 3\n",
            {"sparsity/iterative/mlp-1x512.true.seed-0", "quantisation/combined/mlp-1x512"},
        ),
    ],
)
def test_a_setting_of_an_experiment_carries_it_out_and_makes_what_shows_it(
    finished: Project, old: str, new: str, among_them: set[str]
) -> None:
    with finished.edited("params.yaml", old, new):
        expected = changed(finished.plan("preset=smoke"))
        found = finished.announced(*SMOKE)
    assert among_them <= expected < set(map(str, PLAN.experiments))
    assert found.experiments == expected
    assert found.results == showing(expected) < TABLES | FIGURES
    made = {
        "table": len(found.results & TABLES),
        "figure": len(found.results & FIGURES),
        "summary": 1,
        "article": 1,
    }
    assert found.jobs == jobs_of(expected) | made


def test_the_code_of_an_experiment_carries_out_those_of_its_kind(finished: Project) -> None:
    module = "studies/sparsity/one_shot.py"
    with finished.edited(f"src/rethinking/{module}", "def run(", "EDITED = True\n\n\ndef run("):
        found = finished.announced(*SMOKE)
    expected = {str(each) for each in PLAN.experiments if (each.study, each.kind) == ("sparsity", "one-shot")}
    assert found.experiments == expected != set()
    assert found.results == showing(expected)
    assert found.jobs.keys() == {"experiment", "table", "figure", "summary", "article"}


def test_without_any_weights_there_is_nothing_to_do(finished: Project) -> None:
    """Those of cells, and the networks that experiments have left for others."""
    aside = finished.root / "aside"
    shutil.move(finished.root / "weights", aside)
    found = finished.to_do(*SMOKE)
    shutil.move(aside, finished.root / "weights")
    assert found == {}


def test_a_cell_that_is_trained_again_carries_out_what_starts_from_its_network(finished: Project) -> None:
    cell = "digits/mlp-1x512/true/none/seed-0"
    run = finished.root / "runs/smoke" / cell
    aside = finished.root / "aside"
    shutil.move(run, aside)
    found = finished.announced(*SMOKE)
    shutil.move(aside, run)
    assert found.cells == {cell}
    assert found.experiments == following({cell}) < set(map(str, PLAN.experiments))
    assert any(each.after and str(each) in found.experiments for each in PLAN.experiments)
    assert found.jobs == RESULTS | {"train": 1} | jobs_of(found.experiments)


def test_plot_style_draws_the_figures(finished: Project) -> None:
    with finished.edited("src/rethinking/results/style.py", '"svg.fonttype": "path"', '"svg.fonttype": "none"'):
        found = finished.announced(*SMOKE)
    assert found.results == FIGURES
    assert found.jobs == {"figure": len(FIGURES), "article": 1}


def test_the_style_of_one_figure_draws_that_figure(finished: Project) -> None:
    path = "src/rethinking/studies/randomisation/figures/overview.py"
    with finished.edited(path, "linewidth=1.2", "linewidth=2.2"):
        found = finished.announced(*SMOKE)
    assert found.results == {"figure randomisation-overview"}
    assert found.jobs == {"figure": 1, "article": 1}


def test_prose_renders_the_article_alone(finished: Project) -> None:
    with finished.edited("report/sections/_introduction.qmd", "credit a regularizer", "credit some regularizer"):
        assert finished.to_do(*SMOKE) == {"article": 1}


def test_changing_back_leaves_nothing_to_do(finished: Project) -> None:
    """All the edits above, taken back: no trace is left of them."""
    assert finished.to_do(*SMOKE) == {}
