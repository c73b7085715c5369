"""After a whole run: what a change makes run again, and that nothing else does. Read from Snakemake's dry runs."""

import ast
import os
from pathlib import Path

import pytest

from project import Project

pytestmark = pytest.mark.slow

SMOKE = ("--config", "preset=smoke")
RESULTS = {"collect": 1, "table": 7, "figure": 5, "summary": 1, "article": 1}


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


def test_nothing_is_left_to_do(finished: Project, all_cells: set[str]) -> None:
    assert len(all_cells) == 31
    assert finished.to_do(*SMOKE) == {}


def test_comments_and_docstrings_anywhere_run_nothing(finished: Project, tmp_path: Path) -> None:
    project = finished.copy_of_all(tmp_path / "commented")
    for path in (project.root / "src").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                node.value.value = "Documented otherwise."
        path.write_text(f"# A new comment, and another layout.\n\n\n{ast.unparse(tree)}\n", encoding="utf-8")
    for name in ("Snakefile", "params.yaml", "dvc.yaml", "profiles/default/profile.yaml"):
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
    with finished.edited("src/rethinking/models/alexnet.py", "kernel_size=5, padding=2", "kernel_size=3, padding=1"):
        assert finished.cells_to_train(*SMOKE) == of(all_cells, model="alexnet")
        assert len(of(all_cells, model="alexnet")) == 4 + 1 + 1 + 1  # Table 1 twice, Table 4, the sweep's p = 0.5


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("training/loop.py", "    optimiser.step()", "    optimiser.step(); optimiser.step()"),
        ("training/optimiser.py", "momentum", "impetus"),
        ("data/images.py", "correction=0", "correction=1"),
    ],
)
def test_training_code_trains_every_cell(
    finished: Project, all_cells: set[str], module: str, old: str, new: str
) -> None:
    with finished.edited(f"src/rethinking/{module}", old, new):
        assert finished.cells_to_train(*SMOKE) == all_cells


def test_a_models_weight_decay_trains_its_cells_with_weight_decay(finished: Project, all_cells: set[str]) -> None:
    with finished.edited("params.yaml", "weight_decay: 0.004 #", "weight_decay: 0.002 #"):
        changed = finished.cells_to_train(*SMOKE)
        assert finished.to_do(*SMOKE) == RESULTS | {"train": 3}
    # Table 1 with true labels, with and without crops, and Table 4 with random ones.
    assert changed == of(all_cells, model="alexnet", regularizer="wd")
    assert len(changed) == 3


def test_a_new_seed_trains_the_new_cells(finished: Project, all_cells: set[str]) -> None:
    with finished.edited("params.yaml", "seeds: [0]", "seeds: [0, 1]"):
        assert finished.cells_to_train(*SMOKE) == {cell.replace("seed-0", "seed-1") for cell in all_cells}
        assert finished.to_do(*SMOKE) == RESULTS | {"train": 31}


def test_a_new_corruption_level_trains_the_new_cells(finished: Project) -> None:
    with finished.edited("params.yaml", "label_corruption: [0.0, 0.5, 1.0]", "label_corruption: [0.0, 0.2, 0.5, 1.0]"):
        assert finished.cells_to_train(*SMOKE) == {
            f"digits/{model}/labels-p20/none/seed-0" for model in ("inception", "alexnet", "mlp-1x512")
        }
        assert finished.to_do(*SMOKE) == RESULTS | {"corrupt_labels": 1, "train": 3}


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
            assert finished.cells_to_train(*SMOKE) == {
                f"digits/mlp-2x64/{labels}/none/seed-0" for labels in ("true", "random-labels")
            }
            assert finished.to_do(*SMOKE) == RESULTS | {"train": 2}


def test_a_new_architecture_trains_nothing_else(finished: Project) -> None:
    path = finished.root / "src/rethinking/models/linear.py"
    path.write_text("def build(image_shape, classes, *, dropout):\n    return None\n")
    assert finished.to_do(*SMOKE) == {}
    path.unlink()


def test_a_setting_of_the_results_trains_nothing(finished: Project) -> None:
    with finished.edited("params.yaml", "overfit_loss: 0.05", "overfit_loss: 0.06"):
        assert finished.to_do(*SMOKE) == RESULTS


def test_plot_style_draws_the_figures(finished: Project) -> None:
    with finished.edited("src/rethinking/results/style.py", '"svg.fonttype": "path"', '"svg.fonttype": "none"'):
        assert finished.to_do(*SMOKE) == {"figure": 5, "article": 1}


def test_the_style_of_one_figure_draws_that_figure(finished: Project) -> None:
    path = "src/rethinking/studies/randomisation/figures/overview.py"
    with finished.edited(path, "linewidth=1.2", "linewidth=2.2"):
        assert finished.to_do(*SMOKE) == {"figure": 1, "article": 1}
        answer = finished.snakemake("-n", *SMOKE)
        assert "figures/randomisation-overview.svg" in answer.stdout


def test_prose_renders_the_article_alone(finished: Project) -> None:
    with finished.edited("report/sections/_introduction.qmd", "credit a regularizer", "credit some regularizer"):
        assert finished.to_do(*SMOKE) == {"article": 1}


def test_changing_back_leaves_nothing_to_do(finished: Project) -> None:
    """All the edits above, taken back: no trace is left of them."""
    assert finished.to_do(*SMOKE) == {}
