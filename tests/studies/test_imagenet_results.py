"""What is made of ImageNet's results, and without any: Table 2, Figure 2a, claims judged both ways, numbers."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from rethinking.data.imagenet import VARIABLE
from rethinking.experiments.records import ExperimentRecord, table_text, write_record, write_table
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.beside import AGREES, OTHER_DATA
from rethinking.results.drawing import OURS, PAPER
from rethinking.results.frame import Estimate, Results, load_results
from rethinking.results.outputs import make
from rethinking.studies.imagenet.claims import CLAIMS
from rethinking.studies.imagenet.design import Condition, experiments, paper_rows
from rethinking.studies.imagenet.figures.figure2a import DRAWING
from rethinking.studies.imagenet.measures import best, curve, last
from rethinking.studies.imagenet.tables import numbers, table2
from rethinking.studies.registry import STUDIES

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"
PAPER_PRESET = load_params(PARAMS_FILE, "paper")
COLUMNS = ("train_top1", "train_top5", "test_top1", "test_top5")
Run = list[tuple[float, float, float, float]]
"""COLUMNS at each evaluation."""


@pytest.fixture(autouse=True)
def no_folder_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def results(root: Path, runs: dict[Condition, list[Run]], params: Params = PAPER_PRESET, **changes: Any) -> Results:
    """Return results in which each condition was run with one seed a run, as `experiments` would have left them."""
    params = params.model_copy(update={"seeds": list(range(max(map(len, runs.values()), default=1)))})
    folder = root / "results" / params.preset
    for experiment in experiments(params):
        settings = experiment.settings
        found = runs.get(Condition(settings["corruption"], settings["regularizer"]), [])
        if settings["seed"] < len(found):
            run = found[settings["seed"]]
            rows = [
                {
                    "architecture": "inception_v3",
                    "corruption": settings["corruption"],
                    "regularizer": settings["regularizer"],
                    "seed": settings["seed"],
                    "classes": 1000,
                    "epoch": 10 * (number + 1),
                    **dict(zip(COLUMNS, values, strict=True)),
                    "status": "finished" if number == len(run) - 1 else "training",
                    **changes,
                }
                for number, values in enumerate(run)
            ]
            write_table(root / experiment.table_path(params.preset), table_text(rows))
            record = ExperimentRecord(
                study=experiment.study,
                kind=experiment.kind,
                unit=experiment.unit,
                preset=params.preset,
                digest=experiment.digest({}),
                settings={},
                cells={},
                variants={},
                table="",
                networks=None,
                seconds=1.0,
                code="",
                modules={},
                commit=None,
                uncommitted_changes=None,
                command="",
                provenance={"device": "cuda"},
            )
            write_record(root / experiment.record_path(params.preset), record)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("cells.csv", "histories.csv"):
        (folder / name).write_text("dataset,model,corruption,regularizer,seed\n")
    return load_results(params, folder, experiments(params))


def as_in_the_paper() -> dict[Condition, list[Run]]:
    """Return one run a row, which ends as the paper's and has its best before."""
    found: dict[Condition, list[Run]] = {}
    for row in paper_rows():
        if row.condition is not None:
            end = (row.train_top1, row.train_top5, row.test_top1, row.test_top5)
            before = (row.train_top1, row.train_top5, row.best_test_top1, row.best_test_top5)
            values = [tuple(value or 0.0 for value in each) for each in (before, end)]
            found[row.condition] = [values]  # type: ignore[list-item]
    return found


def judgements(found: Results) -> dict[str, str]:
    return {claim.key: claim.judge(found).judgement for claim in CLAIMS}


# --- nothing was run ---


def test_without_a_run_the_table_has_the_papers_rows_and_one_honest_line(tmp_path: Path) -> None:
    found = table2(results(tmp_path, {}))
    assert [row[0] for row in found.rows] == [
        *["paper"] * 4,
        "paper, of AlexNet (2012)",
        *["paper"] * 3,
        "ours: not run: no ImageNet folder was set (data.imagenet)",
    ]
    assert set(found.rows[-1][1:]) == {None}
    assert found.markdown().count("not run") == 1
    assert "| 95.20 |" in found.markdown()


def test_at_a_preset_without_imagenet_the_line_says_so(tmp_path: Path) -> None:
    digits = load_params(PARAMS_FILE, "digits")
    line = str(table2(results(tmp_path, {}, digits)).rows[-1][0])
    assert line.startswith("ours: not run: ")
    assert "digits" in line
    assert "data.imagenet" in line


def test_a_folder_without_a_run_is_no_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert str(table2(results(tmp_path, {})).rows[-1][0]) == "ours: not run"


def test_without_a_run_no_claim_is_judged_and_the_figure_shows_the_papers_curves(tmp_path: Path) -> None:
    found = results(tmp_path, {})
    assert set(judgements(found).values()) == {"not run"}
    points = DRAWING.points(found)
    assert set(points[points["source"] == OURS]["note"]) == {"not run: no ImageNet folder was set (data.imagenet)"}
    assert len(points[points["source"] == PAPER]) == 1199
    drawn = DRAWING.draw(points)
    assert isinstance(drawn, Figure)
    said = " ".join(text.get_text() for axes in drawn.axes for text in axes.texts)
    assert "no ImageNet folder was set" in said.replace("\n", " ")
    ours = numbers(found)["ours"]
    assert {value for entry in ours.values() for value in entry.values()} == {None}


# --- the paper's own values as ours ---


def test_results_like_the_papers_uphold_all_claims(tmp_path: Path) -> None:
    assert set(judgements(results(tmp_path, as_in_the_paper())).values()) == {"holds"}


def test_ours_stand_below_the_papers_row_by_row(tmp_path: Path) -> None:
    found = table2(results(tmp_path, as_in_the_paper()))
    assert [row[0] for row in found.rows].count("ours") == 7
    for paper, ours, difference in zip(found.rows, found.rows[1:], found.rows[2:], strict=False):
        if ours[0] == "ours":
            assert paper[1:5] == ours[1:5] == difference[1:5]
            for theirs, mine, apart in zip(paper[5:-1], ours[5:-1], difference[5:-1], strict=True):
                assert (theirs is None) == (apart is None)
                if theirs is not None:
                    assert isinstance(mine, Estimate)
                    assert mine.mean == pytest.approx(theirs)
                    assert apart == pytest.approx(0.0)
            assert ours[-1] == AGREES
    assert "| difference, points | true | yes | yes | yes | +0.00 | +0.00 |" in found.markdown()


def test_two_points_are_no_agreement_and_another_network_is_none_at_all(tmp_path: Path) -> None:
    runs = as_in_the_paper() | {Condition("true", "none"): [[(1, 1, 0.6316, 0.8449), (1, 1, 0.578, 0.80)]]}
    verdicts = {row[1:5]: row[-1] for row in map(tuple, table2(results(tmp_path, runs)).rows) if row[0] == "ours"}
    assert [named for named, said in verdicts.items() if said != AGREES] == [("true", "no", "no", "no")]
    other = table2(results(tmp_path / "other", as_in_the_paper(), architecture="resnet18", classes=10))
    assert {row[-1] for row in other.rows if str(row[0]).startswith("ours")} == {OTHER_DATA}


def test_numbers_hold_the_papers_values_and_ours(tmp_path: Path) -> None:
    found = numbers(results(tmp_path, as_in_the_paper()))
    assert found["paper"]["true_none"]["test_top5_accuracy"] == pytest.approx(0.8038)
    assert found["paper"]["alexnet_2012"]["test_top5_accuracy"] == pytest.approx(0.836)
    assert found["ours"]["random_dropout_wd"]["train_top1_accuracy"] == pytest.approx(0.9118)
    assert found["ours"]["true_wd"]["best_test_top1_accuracy"] == pytest.approx(0.7257)


def test_means_are_over_seeds_and_the_best_is_of_each_run(tmp_path: Path) -> None:
    condition = Condition("true", "none")
    runs: list[Run] = [[(0.9, 1, 0.6, 0.8), (1, 1, 0.5, 0.7)], [(0.9, 1, 0.4, 0.8), (1, 1, 0.7, 0.9)]]
    found = results(tmp_path, {condition: runs})
    end, peak = last(found, condition, "test_top1"), best(found, condition, "test_top1")
    assert isinstance(end, Estimate)
    assert isinstance(peak, Estimate)
    assert end.mean == pytest.approx(0.6)
    assert end.seeds == 2
    assert peak.mean == pytest.approx(0.65)
    assert {epoch: value.mean for epoch, value in curve(found, condition, "test_top1").items()} == {
        10: pytest.approx(0.5),
        20: pytest.approx(0.6),
    }


def test_a_part_of_the_rows_leaves_the_others_not_run(tmp_path: Path) -> None:
    condition = Condition("random-labels", "none")
    found = results(tmp_path, {condition: as_in_the_paper()[condition]})
    cells = [row[5] for row in table2(found).rows if row[0] == "ours"]
    assert cells.count("not run") == 6
    assert {key for key, judged in judgements(found).items() if judged == "holds"} == {
        "random-labels-fitted",
        "random-labels-at-chance",
    }
    points = DRAWING.points(found)
    assert set(points[points["source"] == OURS]["note"]) == {"not run"}


def test_another_network_or_data_set_is_named(tmp_path: Path) -> None:
    found = table2(results(tmp_path, as_in_the_paper(), architecture="resnet18", classes=10))
    assert {str(row[0]) for row in found.rows} >= {"ours, resnet18, 10 classes"}
    drawn = DRAWING.draw(DRAWING.points(results(tmp_path, as_in_the_paper(), architecture="resnet18", classes=10)))
    assert [axes.get_title() for axes in drawn.axes] == ["Paper", "Ours, resnet18, 10 classes"]


# --- claims that fail ---

WORSE: dict[str, dict[Condition, Run]] = {
    "augmentation-before-weight-decay": {Condition("true", "wd"): [(0.9, 1, 0.77, 0.9), (0.9, 1, 0.74, 0.9)]},
    "generalises-without-regularizers": {Condition("true", "none"): [(1, 1, 0.63, 0.8), (1, 1, 0.59, 0.78)]},
    "random-labels-fitted": {Condition("random-labels", "none"): [(0.94, 1, 0.001, 0.005)]},
    "random-labels-at-chance": {Condition("random-labels", "none"): [(1, 1, 0.003, 0.005)]},
    "regularizers-not-sufficient": {Condition("random-labels", "dropout+wd"): [(0.8, 1, 0.001, 0.005)]},
    "early-stopping-could-help": {Condition("true", "none"): [(1, 1, 0.61, 0.81), (1, 1, 0.60, 0.81)]},
}


@pytest.mark.parametrize("key", [claim.key for claim in CLAIMS])
def test_each_claim_fails_by_itself(tmp_path: Path, key: str) -> None:
    runs = as_in_the_paper() | {condition: [run] for condition, run in WORSE[key].items()}
    found = judgements(results(tmp_path, runs))
    assert [name for name, judged in found.items() if judged != "holds"] == [key]


def test_a_run_that_diverged_differs_and_says_so(tmp_path: Path) -> None:
    found = results(tmp_path, as_in_the_paper(), status="diverged")
    assert set(judgements(found).values()) == {"differs"}
    assert "diverged" in CLAIMS[0].judge(found).evidence
    assert [row[5] for row in table2(found).rows if row[0] == "ours"] == ["diverged"] * 7


def test_the_figure_draws_ours_beside_the_papers(tmp_path: Path) -> None:
    found = results(tmp_path, as_in_the_paper())
    points = DRAWING.points(found)
    ours: pd.DataFrame = points[points["source"] == OURS]
    assert set(ours["series"]) == {"augmentation+dropout+wd", "wd", "none"}
    assert (ours["note"] == "").all()
    drawn = DRAWING.draw(points)
    assert [len(axes.lines) for axes in drawn.axes] == [6, 6]
    made = make("figure", STUDIES["imagenet"], "figure2a", found)
    assert len(made.lineage.experiments) == 7, "the record names all that was read"
