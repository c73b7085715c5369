"""A table or figure on disk, and the record beside it of what it is made of."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recorded import record
from rethinking.cells import Cell
from rethinking.cli import main
from rethinking.errors import UserError
from rethinking.fingerprint import fingerprint
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.frame import Results, collect, load_results, write_results
from rethinking.results.lineage import Lineage, read_lineage, write_lineage
from rethinking.results.outputs import make, write
from rethinking.results.published import published_digest
from rethinking.studies.registry import STUDIES, require_output

ROOT = Path(__file__).resolve().parents[2]
PARAMS = load_params(ROOT / "params.yaml", "smoke")
STUDY = STUDIES["randomisation"]
CELLS = [
    Cell("digits", model, corruption, "none", 0)
    for model in ("inception", "mlp-1x512")
    for corruption in ("true", "random-labels", "gaussian")
]


def results_of(root: Path, cells: list[Cell], params: Params = PARAMS) -> Results:
    found, epochs, _ = collect(params, cells, root)
    write_results(root / "results" / params.preset, found, epochs)
    return load_results(params, root / "results" / params.preset)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    root = tmp_path_factory.mktemp("runs")
    for cell in CELLS:
        record(root, PARAMS, cell, 2.3, 0.04)
    return results_of(root, CELLS)


@pytest.mark.parametrize(
    ("kind", "name", "used"),
    [
        ("figure", "figure1a", [cell for cell in CELLS if cell.model == "inception"]),
        ("figure", "overview", [cell for cell in CELLS if cell.corruption != "gaussian"]),
        ("table", "convergence", [cell for cell in CELLS if cell.model == "inception"]),
        ("table", "early-stopping", [cell for cell in CELLS if (cell.model, cell.corruption) == ("inception", "true")]),
        ("table", "table4", []),
    ],
)
def test_a_record_names_the_runs_that_were_shown_and_no_other(
    results: Results, kind: str, name: str, used: list[Cell]
) -> None:
    lineage = make(kind, STUDY, name, results).lineage  # type: ignore[arg-type]
    assert [run.cell for run in lineage.runs] == [str(cell) for cell in used]
    assert [run.recipe_digest for run in lineage.runs] == [PARAMS.recipe(cell).digest() for cell in used]
    assert [run.command for run in lineage.runs] == [f"rethinking train {cell} --preset smoke" for cell in used]


def test_a_record_says_of_each_run_what_it_was(results: Results) -> None:
    run = make("figure", STUDY, "figure1a", results).lineage.runs[0]
    assert (run.cell, run.seed, run.device, run.device_name) == (str(CELLS[0]), 0, "cpu", "a processor")
    assert (run.precision, run.threads, run.variant) == ("float32", 1, "feed")
    assert (run.commit, run.uncommitted_changes) == ("0123456789abcdef0123456789abcdef01234567", False)


def test_a_record_says_what_made_it(results: Results) -> None:
    lineage = make("figure", STUDY, "figure1a", results).lineage
    assert (lineage.module, lineage.function) == ("rethinking.studies.randomisation.figures.figure1a", "draw")
    assert lineage.command == "rethinking figure randomisation figure1a --preset smoke"
    assert lineage.code == fingerprint(
        "rethinking.studies.randomisation.figures.figure1a", "rethinking.results.outputs"
    )
    assert lineage.published == published_digest()


def test_making_one_after_the_other_does_not_mix_their_runs(results: Results) -> None:
    make("figure", STUDY, "figure1a", results)
    assert make("table", STUDY, "table4", results).lineage.runs == []


@pytest.mark.parametrize(("kind", "name"), [("figure", "figure1b"), ("table", "table1"), ("table", "claims")])
def test_what_is_written_is_what_the_record_says(results: Results, tmp_path: Path, kind: str, name: str) -> None:
    write(kind, STUDY, name, results, tmp_path)  # type: ignore[arg-type]
    folder = tmp_path / f"{kind}s"
    lineage = read_lineage(folder / f"randomisation-{name}.json")
    assert {path.name for path in folder.iterdir()} == {*lineage.files, f"randomisation-{name}.json"}
    for file, digest in lineage.files.items():
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
    assert lineage == make(kind, STUDY, name, results).lineage  # type: ignore[arg-type]


def test_settings_that_a_figure_reads_count_and_others_do_not(results: Results) -> None:
    def settings(name: str, **changes: object) -> str:
        params = results.params.model_copy(update=changes)
        other = Results(params, results.cells, results.histories)
        return make("table", STUDY, name, other).lineage.settings

    studies = PARAMS.studies.model_copy(
        update={"randomisation": PARAMS.studies.randomisation.model_copy(update={"label_corruption": [0.0, 1.0]})}
    )
    execution = PARAMS.execution.model_copy(update={"runs_per_gpu": 7})
    for name in ("test-error", "claims"):
        assert settings(name) == settings(name, execution=execution) != settings(name, studies=studies)


def test_a_record_has_a_line_for_each_run(results: Results, tmp_path: Path) -> None:
    """So that Git shows which runs have changed."""
    lineage = make("figure", STUDY, "figure1a", results).lineage
    write_lineage(tmp_path / "a.json", lineage)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert Lineage.model_validate(json.loads(text)) == lineage
    assert sum('"recipe_digest"' in line for line in text.splitlines()) == text.count('"recipe_digest"') == 3
    write_lineage(tmp_path / "b.json", lineage.model_copy(update={"runs": []}))
    assert read_lineage(tmp_path / "b.json").runs == []


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_text("{}"), "is damaged"),
        (lambda path: path.write_text("{"), "is damaged"),
        (lambda path: path.write_bytes(b"\xff\x00"), "is damaged"),
    ],
)
def test_a_record_that_cannot_be_read_is_one_sentence(
    results: Results, tmp_path: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    path = tmp_path / "a.json"
    write_lineage(path, make("table", STUDY, "table4", results).lineage)
    spoil(path)
    with pytest.raises(UserError, match=rf"a\.json {sentence}") as said:
        read_lineage(path)
    assert "\n" not in str(said.value)


def test_only_what_a_study_makes_can_be_asked_for() -> None:
    assert require_output("table", "randomisation", "claims") is STUDY
    for kind, study, name, sentence in (
        ("table", "rndomisation", "table1", "study: found 'rndomisation', must be one of randomisation"),
        ("table", "randomisation", "figure1a", "randomisation has no table 'figure1a', it has table1, table4"),
        ("figure", "randomisation", "claims", "randomisation has no figure 'claims', it has overview, figure1a"),
    ):
        with pytest.raises(UserError, match=sentence):
            require_output(kind, study, name)  # type: ignore[arg-type]


def test_the_commands_make_what_they_are_recorded_with(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    for cell in CELLS:
        record(tmp_path, PARAMS, cell, 2.3, 0.04)
    results_of(tmp_path, CELLS)
    for kind, name in (("figure", "figure2b"), ("table", "test-error"), ("table", "claims")):
        made = make(kind, STUDY, name, results)  # type: ignore[arg-type]
        main(made.lineage.command.split()[1:])
        assert read_lineage(Path(f"results/smoke/{kind}s/randomisation-{name}.json")).files == made.lineage.files
