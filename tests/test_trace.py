"""Where a result comes from, asked of results on disk: recorded runs, collected, shown in tables and figures."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recorded import record
from rethinking.cells import Cell
from rethinking.cli import main
from rethinking.data.variants import load_variant
from rethinking.errors import UserError
from rethinking.files import checksum
from rethinking.params_file import load_params
from rethinking.provenance import Checkout, run_command, train_command
from rethinking.records import read_metrics, write_metrics
from rethinking.results.frame import collect, load_results, write_results
from rethinking.results.outputs import write
from rethinking.studies.registry import STUDIES
from rethinking.trace.report import trace

PARAMS_FILE = Path(__file__).resolve().parents[1] / "params.yaml"
PARAMS = load_params(PARAMS_FILE, "smoke")
STUDY = STUDIES["randomisation"]
TRUE, RANDOM, OTHER = (
    Cell("digits", model, corruption, "none", 0)
    for model, corruption in (("inception", "true"), ("inception", "random-labels"), ("alexnet", "true"))
)
FIGURE = "results/smoke/figures/randomisation-figure1a.svg"
TABLE = "results/smoke/tables/randomisation-convergence.md"
UNCHANGED = "Nothing has changed since"


def recollect(root: Path, *cells: Cell) -> None:
    found, epochs, _ = collect(PARAMS, list(cells), root)
    write_results(root / "results" / "smoke", found, epochs)


def retrain(root: Path, cell: Cell, **provenance: Any) -> None:
    record(root, PARAMS, cell, 2.3, 0.03, provenance={"commit": "f" * 40} | provenance)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three runs, of which Figure 1a and its table show two."""
    root = tmp_path_factory.mktemp("made")
    (root / "params.yaml").write_bytes(PARAMS_FILE.read_bytes())
    for cell in (TRUE, RANDOM, OTHER):
        record(root, PARAMS, cell, 2.3, 0.04)
    recollect(root, TRUE, RANDOM, OTHER)
    results = load_results(PARAMS, root / "results" / "smoke")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rethinking.provenance.checkout", lambda: Checkout("a" * 40, False))
        write("figure", STUDY, "figure1a", results, root / "results" / "smoke")
        write("table", STUDY, "convergence", results, root / "results" / "smoke")
        write("table", STUDY, "claims", results, root / "results" / "smoke")
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "root"))


def traced(root: Path, file: str) -> str:
    return "\n".join(trace(os.fspath(root / file), root))


# --- tables and figures ---


@pytest.mark.parametrize("ending", [".svg", ".csv", ".json"])
def test_a_figure_names_its_runs_each_with_its_command(root: Path, ending: str) -> None:
    text = traced(root, FIGURE.replace(".svg", ending))
    assert "the figure figure1a of the study randomisation, preset smoke" in text
    assert "made by draw in rethinking.studies.randomisation.figures.figure1a" in text
    assert "rethinking figure randomisation figure1a --preset smoke" in text
    assert "from 2 runs:" in text
    for cell in (TRUE, RANDOM):
        assert train_command(cell, "smoke") in text
        assert f"recipe {PARAMS.recipe(cell).digest()}" in text
    assert str(OTHER) not in text
    assert "commit 0123456789ab, cpu (a processor), float32, 1 thread" in text
    assert "commit aaaaaaaaaaaa\n" in text
    assert UNCHANGED in text


def test_tables_and_claims_are_traced_as_figures_are(root: Path) -> None:
    assert "made by convergence in rethinking.studies.randomisation.tables" in traced(root, TABLE)
    claims = traced(root, "results/smoke/tables/randomisation-claims.csv")
    assert "made by CLAIMS in rethinking.studies.randomisation.claims" in claims
    assert "from 3 runs:" in claims


def test_a_commit_that_does_not_hold_the_code_is_remarked(root: Path) -> None:
    assert "uncommitted" not in traced(root, TABLE)
    retrain(root, TRUE, uncommitted_changes=True)
    recollect(root, TRUE, RANDOM)
    write("table", STUDY, "convergence", load_results(PARAMS, root / "results/smoke"), root / "results/smoke")
    text = traced(root, TABLE)
    assert "commit ffffffffffff with uncommitted changes, cpu" in text
    assert text.splitlines()[-1].startswith("Where there were uncommitted changes, the commit alone may not")


def test_a_run_collected_again_under_another_recipe_is_said(root: Path) -> None:
    old = PARAMS.recipe(TRUE).digest()
    for name in ("cells.csv", "histories.csv"):
        path = root / "results/smoke" / name
        path.write_text(path.read_text().replace(old, "0" * 16))
    text = traced(root, FIGURE)
    assert "made from other runs than those collected now" in text
    assert f"{TRUE}: recipe_digest {old} then, {'0' * 16} now" in text
    assert "Made again now, its numbers would be the same." in text
    assert UNCHANGED not in text


def test_runs_that_came_and_went_are_said(root: Path) -> None:
    new = Cell("digits", "inception", "gaussian", "none", 0)
    record(root, PARAMS, new, 2.3, 0.04)
    recollect(root, TRUE, new)
    text = traced(root, FIGURE)
    assert f"{RANDOM}: not collected any more" in text
    assert f"{new}: collected since" in text
    assert "Made again now, its numbers would be others." in text


def test_a_run_trained_again_and_not_collected_is_said(root: Path) -> None:
    retrain(root, TRUE)
    text = traced(root, FIGURE)
    assert "Runs trained again and not collected since (`rethinking collect --preset smoke` does):" in text
    assert text.splitlines()[-1] == f"  {TRUE}"


def test_a_file_that_was_edited_or_is_gone_is_said(root: Path) -> None:
    (root / FIGURE).write_text("<svg/>")
    (root / FIGURE).with_suffix(".csv").unlink()
    text = traced(root, FIGURE)
    assert f"{FIGURE} is not the file that was made then" in text
    assert f"{FIGURE.replace('.svg', '.csv')} is missing." in text


def test_other_code_settings_and_values_are_said(root: Path) -> None:
    record_path = (root / TABLE).with_suffix(".json")
    text = record_path.read_text()
    for key in ("code", "settings", "published"):
        start = text.index(f'  "{key}": "') + len(f'  "{key}": "')
        text = text[:start] + "0" * 16 + text[start + 16 :]
    record_path.write_text(text)
    found = traced(root, TABLE)
    assert "made by other code" in found
    assert "under other settings" in found
    assert "other values of the papers" in found
    assert "its numbers would be the same" in found


def test_without_collected_results_the_record_still_speaks(root: Path) -> None:
    (root / "results/smoke/cells.csv").unlink()
    text = traced(root, FIGURE)
    assert train_command(TRUE, "smoke") in text
    assert "What it would be made of now cannot be told" in text
    assert "cells.csv is missing" in text


@pytest.mark.parametrize("name", ["cells.csv", "histories.csv", "curves.csv", "metrics.json", "plots/figure1c.csv"])
def test_files_that_sum_up_the_runs_name_all_of_them(root: Path, name: str) -> None:
    for path in (root / "results/smoke" / file for file in ("curves.csv", "metrics.json", "plots/figure1c.csv")):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    text = traced(root, f"results/smoke/{name}")
    assert f"made again by: rethinking {'collect' if 's.csv' in name else 'summary'} --preset smoke" in text
    assert "from 3 runs:" in text


# --- runs ---


@pytest.mark.parametrize("file", ["", "/metrics.json", "/history.csv"])
def test_a_run_says_what_it_is_and_how_it_is_trained_again(root: Path, file: str) -> None:
    text = traced(root, f"{TRUE.run_folder('smoke')}{file}")
    assert f"the run of {TRUE}, preset smoke" in text
    assert "finished after 2 epochs: train accuracy 33.33%, test accuracy 25.00%" in text
    assert "data: digits/true, checksum feed" in text
    assert f"recipe {PARAMS.recipe(TRUE).digest()}:" in text
    assert "  momentum: 0.9" in text
    assert f"trained again by: {train_command(TRUE, 'smoke')}" in text
    assert f"where its data are missing: {run_command(TRUE, 'smoke')}" in text


def test_weights_are_traced_to_their_run_and_known_by_their_checksum(root: Path) -> None:
    weights = TRUE.weights_path("smoke")
    assert f"Its weights are not here ({weights})." in traced(root, os.fspath(weights))
    (root / weights).parent.mkdir(parents=True)
    (root / weights).write_bytes(b"weights")
    record(root, PARAMS, TRUE, 2.3, 0.04, provenance={"weights": checksum(root / weights)})
    assert UNCHANGED in traced(root, os.fspath(weights))
    (root / weights).write_bytes(b"others")
    assert "are not the weights that this run left" in traced(root, os.fspath(weights))


def test_a_run_whose_files_are_elsewhere_is_traced_from_the_collected_results(root: Path) -> None:
    """A fresh clone has the results and not the runs."""
    (root / TRUE.run_folder("smoke") / "metrics.json").unlink()
    text = traced(root, os.fspath(TRUE.run_folder("smoke")))
    assert "Its own record is not here: this is what results/smoke/cells.csv holds of it." in text
    assert train_command(TRUE, "smoke") in text
    assert "Nothing has changed since: code and settings." in text


def test_a_run_that_params_would_train_otherwise_is_said(root: Path) -> None:
    params = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(params.replace("momentum: 0.9", "momentum: 0.5"))
    assert "params.yaml would train it otherwise now: momentum 0.9 -> 0.5." in traced(
        root, os.fspath(TRUE.run_folder("smoke"))
    )
    (root / TRUE.run_folder("smoke") / "metrics.json").unlink()
    assert "params.yaml would train it otherwise now: its recipe is" in traced(
        root, os.fspath(TRUE.run_folder("smoke"))
    )


def test_code_that_changed_is_named(root: Path) -> None:
    path = root / TRUE.run_folder("smoke") / "metrics.json"
    text = path.read_text()
    start = text.index('"rethinking.training.loop": "') + len('"rethinking.training.loop": "')
    path.write_text(text[:start] + "00000000" + text[start + 8 :])
    assert "The code that trains it has changed since: rethinking.training.loop." in traced(root, str(path.parent))


def test_other_data_are_said(root: Path, digits_root: Path) -> None:
    (root / "data").symlink_to(digits_root)
    folder = os.fspath(TRUE.run_folder("smoke"))
    digest = load_variant(digits_root, "digits", "true").digest
    assert f"data/digits/true are other data now, checksum {digest}." in traced(root, folder)
    record(root, PARAMS, TRUE, 2.3, 0.04, provenance={"variant": digest})
    assert "other data" not in traced(root, folder)


def test_a_run_that_is_not_the_collected_one_is_said(root: Path) -> None:
    retrain(root, TRUE)
    text = traced(root, os.fspath(TRUE.run_folder("smoke")))
    assert f"The collected results hold another run of this cell: commit {'0123456789abcdef' * 2}01234567." in text
    recollect(root, RANDOM)
    assert "It is not among the collected results" in traced(root, os.fspath(TRUE.run_folder("smoke")))


def test_a_history_that_is_not_the_runs_is_said(root: Path) -> None:
    path = root / TRUE.run_folder("smoke") / "history.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:2]) + "\n")
    assert "history.csv has 1 epochs, the record speaks of 2." in traced(root, os.fspath(path))


def test_a_record_from_before_there_was_so_much_provenance_is_traced(root: Path) -> None:
    provenance = {"commit": None, "command": train_command(TRUE, "smoke"), "code": "c", "variant": "v"}
    path = root / TRUE.run_folder("smoke") / "metrics.json"
    write_metrics(path, read_metrics(path).model_copy(update={"provenance": provenance}))
    text = traced(root, os.fspath(path))
    assert "code c, no commit recorded" in text
    assert "device not recorded" in text
    assert run_command(TRUE, "smoke") in text


# --- what is no result ---


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("params.yaml", "is no result of this project"),
        ("", "is no result of this project"),
        ("../elsewhere.svg", "is no result of this project"),
        ("results/smoke", "is no result of this project"),
        ("results/smoke/nothing.csv", "is no result of this project"),
        ("runs/smoke", "is no result of this project"),
        (f"runs/smoke/{TRUE}/checkpoint.pt", "is no result of this project"),
        ("runs/smoke/digits/inception/true/none/first", "'digits/inception/true/none/first' does not name a cell"),
        (
            "runs/smoke/digits/inception/true/none/seed-7",
            r"metrics\.json is missing and .* has no line for it; `snakemake",
        ),
        ("runs/huge/digits/inception/true/none/seed-0", "preset: found 'huge', must be one of paper, digits, smoke"),
        (
            "results/smoke/figures/randomisation-figure1b.svg",
            r"figure1b\.json is missing.*`rethinking figure randomisation",
        ),
        ("results/smoke/figures/randomisation-figure9.svg", "randomisation has no figure 'figure9', it has overview"),
        ("results/smoke/tables/notes.txt", "study: found 'notes', must be one of randomisation"),
    ],
)
def test_what_cannot_be_traced_is_one_sentence(root: Path, file: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as said:
        traced(root, file)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("file", [FIGURE.replace(".svg", ".json"), "results/smoke/cells.csv"])
def test_a_damaged_record_is_one_sentence(root: Path, file: str) -> None:
    (root / file).write_bytes(b"\xff\x00{")
    with pytest.raises(UserError, match="is damaged") as said:
        traced(root, file)
    assert "\n" not in str(said.value)


def test_a_place_is_meant_from_where_one_stands(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(root)
    main(["trace", FIGURE])
    assert capsys.readouterr().out.startswith(f"{FIGURE}: the figure figure1a")
    with pytest.raises(SystemExit):
        main(["trace", "params.yaml"])
    assert capsys.readouterr().err.startswith("rethinking: 'params.yaml' is no result of this project")


def test_tracing_starts_without_torch(root: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from rethinking.trace.report import trace\n"
        "for file in sys.argv[1:]: trace(file)\n"
        "sys.exit('torch' in sys.modules)"
    )
    files = [FIGURE, TABLE, os.fspath(TRUE.run_folder("smoke"))]
    assert subprocess.run([sys.executable, "-c", program, *files], cwd=root).returncode == 0
