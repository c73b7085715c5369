"""The whole pipeline on the smoke preset, for real: from originals to the rendered article, and what runs again."""

import csv
import json
import shutil
import time
from pathlib import Path

import pytest

from project import SOURCE, Project
from rethinking.cells import Cell
from rethinking.data.sources import DATASETS
from rethinking.experiments.identity import recipes_of
from rethinking.experiments.records import read_record
from rethinking.files import checksum
from rethinking.names import subset, subset_slice
from rethinking.plan import make_plan
from rethinking.studies.registry import STUDIES

pytestmark = pytest.mark.slow

SMOKE = ("--config", "preset=smoke")
PLAN = make_plan({"preset": "smoke"}, SOURCE / "params.yaml")


@pytest.fixture(scope="module")
def finished(smoke_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose smoke preset has run to its end. Tests that change it put things back."""
    return smoke_run.copy_of_all(tmp_path_factory.mktemp("smoke") / "project")


def test_every_cell_leaves_a_whole_run(finished: Project) -> None:
    with open(finished.root / "results/smoke/cells.csv") as file:
        lines = list(csv.DictReader(file))
    cells = [
        Cell(line["dataset"], line["model"], line["corruption"], line["regularizer"], int(line["seed"]))
        for line in lines
    ]
    assert cells == PLAN.cells
    for cell in cells:
        run = finished.root / cell.run_folder("smoke")
        assert sorted(path.name for path in run.iterdir()) == [".snakemake", "history.csv", "metrics.json"]
        assert (finished.root / cell.weights_path("smoke")).stat().st_size > 0
        metrics = json.loads((run / "metrics.json").read_text())
        assert metrics["epochs"] == 2
        part = subset_slice(subset(cell.dataset), 128)
        assert metrics["train_examples"] == part.stop - part.start


def test_every_experiment_leaves_its_results_and_how_they_came_about(finished: Project) -> None:
    for experiment in PLAN.experiments:
        table = finished.root / experiment.table_path("smoke")
        with open(table, encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) > 0, experiment
        record = read_record(finished.root / experiment.record_path("smoke"))
        assert f"{record.study}/{record.kind}/{record.unit}" == str(experiment)
        assert record.digest == experiment.digest(recipes_of(PLAN.params, experiment))
        assert record.settings == json.loads(json.dumps(experiment.settings))
        assert record.table == checksum(table)
        # What it read, as it is here: all its networks, and those of the experiments before it.
        weights = {str(cell): cell.weights_path("smoke") for cell in experiment.cells}
        weights |= {str(other): other.networks_path("smoke") for other in experiment.after}
        assert set(record.cells) <= set(weights), experiment
        assert set(map(str, experiment.after)) <= set(record.cells), experiment
        assert record.cells == {name: checksum(finished.root / weights[name]) for name in record.cells}
        assert set(record.variants) <= {"/".join(variant) for variant in experiment.all_variants()}
        networks = finished.root / experiment.networks_path("smoke")
        assert record.networks == (checksum(networks) if experiment.leaves_networks else None)
        assert networks.exists() == experiment.leaves_networks
        assert not (finished.root / experiment.scratch_folder("smoke")).exists()
    assert any(experiment.leaves_networks for experiment in PLAN.experiments)


def test_variants_are_those_that_cells_and_experiments_read(finished: Project) -> None:
    data = finished.root / "data"
    found = {path.parent.relative_to(data).parts for path in data.glob("*/*/manifest.json")}
    assert found == PLAN.all_variants
    assert {dataset for dataset, _ in found} <= set(DATASETS)


def test_results_and_article_are_complete(finished: Project) -> None:
    results = finished.root / "results/smoke"
    for study in STUDIES.values():
        for name in (*study.tables, "claims"):
            assert (results / f"tables/{study.name}-{name}.md").stat().st_size > 0
        for name in study.figures:
            assert (results / f"figures/{study.name}-{name}.svg").read_text().count("<path") > 10
    page = (finished.root / "articles/smoke/index.html").read_text(encoding="utf-8")
    for row in ("Inception", "AlexNet", "MLP 3×512", "MLP 1×512"):
        assert row in page
    assert (finished.root / "articles/smoke/index.pdf").read_bytes().startswith(b"%PDF")


def test_originals_are_stored_once(finished: Project) -> None:
    images = [path.parent.name for path in (finished.root / "data/digits").glob("*/train_images.npy")]
    assert sorted(images) == ["gaussian", "random-pixels", "shuffled-pixels", "true"]


def test_a_second_run_does_nothing_and_quickly(finished: Project) -> None:
    started = time.monotonic()
    answer = finished.snakemake(*SMOKE)
    assert "Nothing to do" in answer.stderr
    assert time.monotonic() - started < 30  # ten seconds is the aim; CI machines are shared


def test_a_clone_with_recorded_results_still_trains(finished: Project, tmp_path: Path) -> None:
    """Results are in git, runs are not: what `make` shows in a fresh clone was computed there.

    But for experiments that read neither networks nor data, of which nothing is missing: they are deterministic.
    """
    project = Project.copy_to(tmp_path)
    shutil.copytree(finished.root / "results", project.root / "results")
    found = project.announced(*SMOKE)
    assert found.cells == set(map(str, PLAN.cells))
    assert found.experiments == {str(each) for each in PLAN.experiments if each.all_cells() or each.all_variants()}
    assert found.jobs["collect"] == 1
    assert found.jobs["article"] == 1


def test_a_narrowed_run_keeps_the_results_of_the_others(finished: Project) -> None:
    before = (finished.root / "results/smoke/cells.csv").read_text()
    answer = finished.snakemake("results/smoke/cells.csv", *SMOKE, "models=mlp-1x512")
    assert answer.returncode == 0, answer.stderr
    assert (finished.root / "results/smoke/cells.csv").read_text() == before


def test_damaged_data_are_refused_and_the_run_goes_on_once_they_are_right(finished: Project, tmp_path: Path) -> None:
    """The cell that needs the damaged array fails with the file's name; the repaired project needs only that cell."""
    project = finished.copy_of_all(tmp_path / "copy")
    labels = project.root / "data/digits/labels-p50/train_labels.npy"
    whole = labels.read_bytes()
    labels.write_bytes(whole[:-100])
    run = project.root / "runs/smoke/digits/mlp-1x512/labels-p50/none/seed-0"
    shutil.rmtree(run)

    answer = project.snakemake(f"{run.relative_to(project.root)}/metrics.json", *SMOKE)
    assert answer.returncode != 0
    assert "labels-p50/train_labels.npy" in answer.stderr
    assert not (run / "metrics.json").exists()

    labels.write_bytes(whole)
    assert project.to_do(*SMOKE)["train"] == 1


def test_a_diverging_cell_is_recorded_and_stops_nothing(finished: Project, tmp_path: Path) -> None:
    project = finished.copy_of_all(tmp_path / "copy")
    params = (project.root / "params.yaml").read_text()
    one_hidden_layer = params.index("  mlp-1x512:")
    edited = params[one_hidden_layer:].replace("initial_learning_rate: 0.01", "initial_learning_rate: 1000000.0", 1)
    (project.root / "params.yaml").write_text(params[:one_hidden_layer] + edited)

    table = "results/smoke/tables/randomisation-table1.md"
    answer = project.snakemake(table, *SMOKE, "models=mlp-1x512")
    assert answer.returncode == 0, answer.stderr
    with open(project.root / "results/smoke/cells.csv") as file:
        statuses = {(line["model"], line["status"]) for line in csv.DictReader(file)}
    assert ("mlp-1x512", "diverged") in statuses
    assert ("mlp-3x512", "finished") in statuses
    rows = (project.root / table).read_text(encoding="utf-8").splitlines()
    assert all(("diverged" in row) == ("MLP 1×512" in row) for row in rows[2:])
