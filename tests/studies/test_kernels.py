"""The study of linear models that interpolate: its experiments, and what is made of their results."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from rethinking.data.sources import DATASETS
from rethinking.errors import UserError
from rethinking.experiments.experiment import Experiment
from rethinking.experiments.laboratory import Laboratory
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.beside import AGREES, NOT_RUN
from rethinking.results.claims import Verdict
from rethinking.results.frame import Results
from rethinking.results.published import read_published
from rethinking.results.style import style, svg
from rethinking.studies.kernels import STUDY, convolutional, descent, interpolation, measuring, tables
from rethinking.studies.kernels.design import cells, experiments
from rethinking.studies.kernels.measures import System, published, systems
from rethinking.training.devices import choose

ROOT = Path(__file__).resolve().parents[2]
PARAMS = {name: load_params(ROOT / "params.yaml", name) for name in ("paper", "digits", "smoke")}
PAPER, DIGITS = PARAMS["paper"], PARAMS["digits"]
CLAIMS = {claim.key: claim for claim in STUDY.claims()}

Change = Callable[[dict[str, Any]], dict[str, Any]]


# --- design ---


@pytest.mark.parametrize("preset", PARAMS)
def test_every_system_is_solved_with_and_without_penalty_and_none_twice(preset: str) -> None:
    params = PARAMS[preset]
    assert cells(params) == []
    found = experiments(params)
    assert len({str(each) for each in found}) == len(found)
    solved = [
        (each.settings["dataset"], each.settings["features"], each.settings["gamma"], each.settings["penalty"])
        for each in found
        if each.kind == "interpolation"
    ]
    assert len(set(solved)) == len(solved)
    for system in systems(params):
        if system.filters is None:
            own = {
                (gamma, penalty)
                for data, name, gamma, penalty in solved
                if (data, name) == (system.dataset, system.features)
            }
            assert own == {(g, 0.0) for g in system.gammas} | {(system.gamma, p) for p in system.penalties}


def test_the_papers_systems_are_those_of_the_preset_paper() -> None:
    theirs = [(row["dataset"], row["features"]) for row in read_published("table3")]
    assert set(theirs) <= {(system.dataset, system.features) for system in systems(PAPER)}
    assert [published(system) for system in systems(PAPER)].count(None) == 2, "those of fewer filters"
    settings = {str(each): each.settings for each in experiments(PAPER)}
    pixels = settings["kernels/interpolation/mnist.pixels.smallest-norm"]
    assert (pixels["gamma"], pixels["examples"], pixels["train_examples"]) == (0.02, None, None)
    assert settings["kernels/convolutional/cifar10.filters-32000"]["patch"] == 6


@pytest.mark.parametrize("preset", PARAMS)
def test_every_number_of_filters_can_interpolate(preset: str) -> None:
    for each in experiments(PARAMS[preset]):
        if each.kind == "convolutional":
            examples = each.settings["examples"] or DATASETS[each.settings["dataset"]].n_train
            assert 2 * each.settings["filters"] * each.settings["regions"] ** 2 >= examples, each


def test_the_bank_of_wavelets_is_no_matter_of_systems_on_pixels() -> None:
    content = DIGITS.model_dump(mode="json")
    content["studies"]["kernels"]["gabor"]["orientations"] = 3
    changed = Params.model_validate(content)
    before, after = ({str(each): each.digest({}) for each in experiments(params)} for params in (DIGITS, changed))
    assert {name for name in before if before[name] != after[name]} == {name for name in before if ".gabor." in name}


def test_what_needs_double_precision_takes_a_gpu_but_apples(monkeypatch: pytest.MonkeyPatch) -> None:
    for system, kinds in (("Linux", {"descent"}), ("Darwin", {"descent", "interpolation", "convolutional"})):
        monkeypatch.setattr("platform.system", lambda system=system: system)
        assert {each.kind for each in experiments(PAPER) if each.on_cpu} == kinds


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (("interpolation", 0, "penalties"), [0.1, 0.01], "must rise from each to the next"),
        (("interpolation", 0, "further_gammas"), [0.01, 0.02], "found 0.02, which is gamma; name it once"),
        (("interpolation", 0, "gamma"), -1.0, "must be greater than 0"),
        (("interpolation", 0, "features"), "wavelets", "'pixels' or 'gabor'"),
        (("interpolation", 0, "dataset"), "cifar10", "found pixels of cifar10 twice"),
        (("convolutional", 0, "filters"), [200, 100], "must rise from each to the next"),
        (("convolutional", 0, "drawn_from"), "k-means", "'patches' or 'gaussian'"),
        (("gabor", "wavelengths"), [1.0], "must be at least 2"),
        (("descent", "learning_rate"), 2.0, "must be less than 2"),
    ],
)
def test_unsound_settings_are_named(tmp_path: Path, place: tuple[Any, ...], value: object, complaint: str) -> None:
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    section = content["studies"]["kernels"]
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = value
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(UserError) as error:
        load_params(tmp_path / "params.yaml", "paper")
    assert complaint in str(error.value)
    assert f"studies.kernels.{place[0]}" in str(error.value)


# --- experiments ---


@pytest.fixture
def laboratory(digits_root: Path, tmp_path: Path) -> Callable[..., Laboratory]:
    """Return the laboratory of an experiment of the preset smoke, with some settings changed."""
    (tmp_path / "data").symlink_to(digits_root)
    there = {f"{each.kind}/{each.unit}": each for each in experiments(PARAMS["smoke"])}

    def made(name: str, **changes: object) -> Laboratory:
        known = there[name]
        experiment = Experiment(known.study, known.kind, known.unit, {**known.settings, **changes}, (), known.variants)
        return Laboratory(experiment, "smoke", {}, choose("cpu", "float32", 1), tmp_path, "code")

    return made


def solved(laboratory: Laboratory) -> dict[str, Any]:
    (row,) = interpolation.run(laboratory)
    return dict(row)


@pytest.mark.parametrize("features", ["pixels", "gabor"])
def test_a_kernel_interpolates_and_learns(laboratory: Callable[..., Laboratory], features: str) -> None:
    row = solved(laboratory(f"interpolation/digits.{features}.smallest-norm", examples=None, train_examples=None))
    assert (row["examples"], row["train_error"]) == (1437, 0.0)
    assert row["largest_deviation"] <= 2e-4
    assert row["test_error"] < 0.03
    assert row["norm"] > row["norm_largest"] > row["norm_mean"] > 0
    assert row["peak_memory_bytes"] > 1e7
    assert row["dimensions"] == (64 if features == "pixels" else 4 * 16)


def test_a_penalty_gives_up_interpolation_for_a_smaller_norm(laboratory: Callable[..., Laboratory]) -> None:
    free, ridge = (
        solved(laboratory("interpolation/digits.pixels.smallest-norm", penalty=penalty)) for penalty in (0.0, 0.1)
    )
    assert ridge["norm"] < free["norm"]
    assert ridge["largest_deviation"] > 0.01 > free["largest_deviation"]


def test_random_filters_interpolate_and_a_penalty_is_a_row_of_its_own(laboratory: Callable[..., Laboratory]) -> None:
    rows = pd.DataFrame(convolutional.run(laboratory("convolutional/digits.filters-16")))
    assert rows["penalty"].tolist() == [0.0, 0.1]
    assert rows["train_error"][0] == 0
    assert rows["largest_deviation"][0] <= 2e-4 < rows["largest_deviation"][1]
    assert rows["seconds_features"].nunique() == 1
    again = pd.DataFrame(convolutional.run(laboratory("convolutional/digits.filters-16")))
    assert rows[["norm", "test_error"]].equals(again[["norm", "test_error"]]), "a seed means the same filters"
    other = pd.DataFrame(convolutional.run(laboratory("convolutional/digits.filters-16", seed=1)))
    assert rows["norm"][0] != other["norm"][0]


@pytest.mark.parametrize(
    ("name", "run", "limit"),
    [
        ("interpolation/digits.pixels.smallest-norm", interpolation.run, "the Gram matrix of 64 examples of digits"),
        ("convolutional/digits.filters-16", convolutional.run, "the Gram matrix of 64 examples of digits and its"),
    ],
)
def test_what_does_not_fit_into_memory_is_not_begun(
    laboratory: Callable[..., Laboratory],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    run: Callable[[Laboratory], Any],
    limit: str,
) -> None:
    monkeypatch.setattr(measuring, "available_memory", lambda device: 1e6)
    monkeypatch.setattr(measuring.Stopwatch, "time", lambda *_: pytest.fail("work was begun"))
    with pytest.raises(
        UserError, match=rf"{limit}.* needs 0\.\d GB of memory and 0\.0 GB are free on this machine; set"
    ):
        run(laboratory(name))


def test_too_few_filters_cannot_interpolate_and_are_refused(laboratory: Callable[..., Laboratory]) -> None:
    with pytest.raises(UserError, match=r"found 7, which give 56 features for 64 examples .* takes 8 filters or more"):
        convolutional.run(laboratory("convolutional/digits.filters-16", filters=7))


def test_more_examples_than_there_are_is_an_error_that_says_so(laboratory: Callable[..., Laboratory]) -> None:
    with pytest.raises(UserError, match="digits has 128 examples to train on, not 1000"):
        interpolation.run(laboratory("interpolation/digits.pixels.smallest-norm", examples=1000))


def test_descent_ends_where_it_must(laboratory: Callable[..., Laboratory]) -> None:
    rows = descent.run(laboratory("descent/digits", steps=8000))
    zero, elsewhere = ([dict[str, Any](row) for row in rows if row["start"] == start] for start in descent.STARTS)
    assert zero[-1]["to_smallest"] < 1e-3
    assert zero[-1]["norm"] == pytest.approx(1, abs=1e-3)
    assert elsewhere[-1]["to_nearest"] < 1e-3
    assert elsewhere[-1]["to_smallest"] > 0.1
    for way in (zero, elsewhere):
        assert way[-1]["outside_span"] == pytest.approx(way[0]["outside_span"], abs=1e-9)
        assert way[-1]["residual"] < 0.01


def test_as_many_equations_as_unknowns_are_no_such_system(laboratory: Callable[..., Laboratory]) -> None:
    with pytest.raises(UserError, match="found 49, must be below the 49 pixels of digits"):
        descent.run(laboratory("descent/digits", examples=49))


def test_mnist_is_interpolated_and_learned_from_a_part(mnist_mirror: Path, tmp_path: Path) -> None:
    from rethinking.data.sources import fetch

    fetch("mnist", tmp_path / "data", str(mnist_mirror))
    known = next(each for each in experiments(PAPER) if each.unit == "mnist.pixels.smallest-norm")
    part = Experiment(known.study, known.kind, known.unit, {**known.settings, "examples": 1000}, (), known.variants)
    row = solved(Laboratory(part, "paper", {}, choose("cpu", "float32", 1), tmp_path, "code"))
    assert row["train_error"] == 0
    assert 0.04 < row["test_error"] < 0.1


# --- results ---


class Measured(Results):
    """Results whose experiments left these tables."""

    def __init__(self, params: Params, found: dict[str, pd.DataFrame]) -> None:
        super().__init__(params, pd.DataFrame(), pd.DataFrame())
        self.found = found

    def experiment(self, study: str, kind: str) -> pd.DataFrame:
        assert study == "kernels"
        return self.found.get(kind, pd.DataFrame())


# Test error and norm of the smallest solution, and the error under the best penalty: the paper's, where it has any.
THE_PAPERS: dict[tuple[str, str], tuple[float, float, float]] = {
    ("mnist", "pixels"): (0.012, 220.0, 0.012),
    ("mnist", "gabor"): (0.006, 390.0, 0.006),
    ("cifar10", "pixels"): (0.46, 300.0, 0.45),
    ("cifar10", "convolutional"): (0.17, 300.0, 0.15),
}


def row_of(system: System, gamma: float | None, penalty: float) -> dict[str, Any]:
    error, norm, ridge = THE_PAPERS[system.dataset, system.features]
    if penalty:
        # The second of the penalties is the best.
        error = ridge + 0.01 * error * abs(system.penalties.index(penalty) - 1)
    elif gamma is not None and system.gamma is not None and gamma != system.gamma:
        # Smaller gammas have larger norms; the largest has the smallest one and errs more.
        error, norm = (1.05 * error, norm * system.gamma / gamma)
    return {
        "dataset": system.dataset,
        "features": system.features,
        "gamma": math.nan if gamma is None else gamma,
        "filters": math.nan if system.filters is None else float(system.filters),
        "dimensions": 784,
        "examples": DATASETS[system.dataset].n_train,
        "penalty": penalty,
        "train_error": 0.0,
        "test_error": error,
        "norm": norm,
        "norm_mean": norm / 10**0.5,
        "norm_largest": norm / 2,
        "largest_deviation": 0.3 if penalty else 1e-4,
        "residual": 1e-4,
        "shift": 1e-3,
        "steps": 5,
        **{f"seconds_{name}": 60.0 for name in ("features", "gram", "factorisation", "solution", "test")},
        "peak_memory_bytes": 8.5e9,
        "device": "cpu",
    }


def row_of_descent(start: str, step: int) -> dict[str, Any]:
    left, outside = 10.0 ** -(step / 20), 0.8 if start == "elsewhere" else 0.0
    return {
        "dataset": "cifar10",
        "examples": 100,
        "unknowns": 2352,
        "start": start,
        "step": step,
        "residual": left,
        "norm": 1 + outside,
        "to_smallest": left + outside,
        "to_nearest": left,
        "outside_span": outside,
    }


def results(change: Change = lambda row: row, keep: Callable[[dict[str, Any]], bool] = lambda row: True) -> Results:
    """What the paper finds, as if we had measured it; rows changed, and those that are not kept not run."""
    gaussian = [
        row_of(system, gamma, penalty)
        for system in systems(PAPER)
        if system.filters is None
        for gamma, penalty in [*((g, 0.0) for g in system.gammas), *((system.gamma, p) for p in system.penalties)]
    ]
    convolutional = [
        row_of(system, None, penalty)
        for system in systems(PAPER)
        if system.filters is not None
        for penalty in (0.0, *system.penalties)
    ]
    descent = [row_of_descent(start, step) for start in ("zero", "elsewhere") for step in (0, 10, 50, 100)]
    kinds = {"interpolation": gaussian, "convolutional": convolutional, "descent": descent}
    return Measured(
        PAPER, {kind: pd.DataFrame([change(row) for row in rows if keep(row)]) for kind, rows in kinds.items()}
    )


AS_PUBLISHED, NOTHING = results(), Measured(PAPER, {})
PIXELS_ALONE = results(keep=lambda row: row.get("features") == "pixels" and row["dataset"] == "mnist")
ANY = {"full": AS_PUBLISHED, "nothing": NOTHING, "pixels alone": PIXELS_ALONE}


def column(table: Any, heading: str) -> list[Any]:
    position = [each.heading for each in table.columns].index(heading)
    return [row[position] for row in table.rows]


def test_published_values_are_those_of_table_3_and_its_text() -> None:
    table = tables.errors(NOTHING)
    assert column(table, "Paper")[:4] == [0.012, 0.006, 0.46, 0.17]
    assert column(table, "Paper, ℓ2")[:4] == [None, None, None, 0.15]
    assert set(column(table, "Ours")) == {"not run"}
    norms = {row["features"]: row["norm"] for row in read_published("table3") if row["dataset"] == "mnist"}
    assert norms == {"pixels": "220", "gabor": "390"}


def test_ours_stand_beside_the_papers_and_others_below() -> None:
    table = tables.errors(AS_PUBLISHED)
    assert column(table, "Ours")[:4] == column(table, "Paper")[:4]
    assert column(table, "Ours, best ℓ2")[3] == pytest.approx(0.15)
    assert column(table, "its penalty")[0] == 0.01
    assert column(table, "Features")[4:] == [f"{n:,} random filters" for n in (8000, 16000)]
    assert column(table, "Δ")[:4] == pytest.approx([0.0] * 4)
    assert column(table, "Verdict") == [*[AGREES] * 4, None, None]
    assert set(column(tables.errors(NOTHING), "Verdict")) == {NOT_RUN, None}
    digits = tables.errors(Measured(DIGITS, {}))
    assert column(digits, "Data set") == ["MNIST", "MNIST", "CIFAR-10", "CIFAR-10", *["digits"] * 4]


def test_norms_stand_beside_the_papers_at_the_studys_own_gamma() -> None:
    table = tables.norms(AS_PUBLISHED)
    beside = {
        (row[1], row[2]): row[3] for row, theirs in zip(table.rows, column(table, "Paper"), strict=True) if theirs
    }
    assert beside == {("pixels", 0.02): 220.0, ("Gabor", 0.0035): 390.0}
    (gabor,) = [row for row in table.rows if row[8] is not None]
    assert list(gabor[7:10]) == [pytest.approx(390 / 220), pytest.approx(390 / 220), AGREES]


@pytest.mark.parametrize("name", STUDY.tables)
@pytest.mark.parametrize("found", ANY.values(), ids=ANY)
def test_every_table_can_be_made_of_any_results(name: str, found: Results) -> None:
    text = STUDY.table(name)(found).markdown()
    assert len({line.count("|") for line in text.splitlines()}) == 1
    assert ("not run" in text) == (found is not AS_PUBLISHED)


def test_names_of_tables_are_those_that_are_made() -> None:
    assert set(STUDY.tables) == set(tables.TABLES)


@pytest.mark.parametrize("name", STUDY.figures)
def test_every_figure_can_be_drawn_of_any_results(name: str) -> None:
    pictures = {}
    for key, found in ANY.items():
        drawing = STUDY.figure(name)
        points = drawing.points(found)
        columns = list(points)
        assert (columns[:3], columns[-3:]) == (["source", "dataset", "series"], ["half_width", "seeds", "note"])
        value = "value" if name == "descent" else "error"
        assert (points[value].isna() == (points["note"] != "")).all()
        with style():
            pictures[key] = svg(drawing.draw(points))
    assert len(set(pictures.values())) == (2 if name == "descent" else 3)


@pytest.mark.parametrize(("name", "x", "y"), [("norms", "norm", "error"), ("descent", "step", "value")])
def test_every_point_is_drawn_where_it_is(name: str, x: str, y: str) -> None:
    drawing = STUDY.figure(name)
    points = drawing.points(AS_PUBLISHED)
    with style():
        axes = drawing.draw(points).axes
    places = np.concatenate([np.asarray(line.get_xydata(), dtype=float) for panel in axes for line in panel.lines])
    shown = points[[x, y]].to_numpy()
    shown = shown[(shown[:, 0] > 0) & (shown[:, 1] > 1e-9)]
    assert len(shown) > 10
    assert np.abs(shown[:, None] - places[None]).max(axis=2).min(axis=1).max() < 1e-9


def test_headline_numbers_are_of_the_first_data_set_and_the_most_filters() -> None:
    found = tables.numbers(AS_PUBLISHED)
    assert (found["pixels"]["error"], found["pixels"]["norm"], found["gabor"]["norm"]) == (0.012, 220.0, 390.0)
    assert (found["pixels"]["minutes"], found["pixels"]["gigabytes"]) == (5.0, 8.5)
    assert found["pixels"]["norm_most_of_sweep"] == 220.0 * 0.02 / 0.0025
    assert found["convolutional"]["error_ridge"] == pytest.approx(0.15)
    assert found["descent"]["unknowns"] == 2352
    empty = tables.numbers(NOTHING)
    assert {name: set(values) for name, values in empty.items()} == {n: set(v) for n, v in found.items()}
    assert {value for values in empty.values() for value in values.values()} == {None}


# --- claims ---


def judged(key: str, found: Results) -> Verdict:
    return CLAIMS[key].judge(found)


@pytest.mark.parametrize("key", CLAIMS)
def test_every_claim_holds_on_what_the_paper_finds(key: str) -> None:
    found = judged(key, AS_PUBLISHED)
    assert found.judgement == "holds", found.evidence
    assert found.evidence


@pytest.mark.parametrize("key", CLAIMS)
def test_no_claim_is_judged_without_results(key: str) -> None:
    assert judged(key, NOTHING).judgement == "not run"


def changed(where: dict[str, Any], **values: object) -> Change:
    """Change the rows that agree with `where`."""
    return lambda row: row | values if all(row.get(key) == value for key, value in where.items()) else row


def constant_norm(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"norm": 200.0}


def smallest_is_best(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"test_error": 0.001 * row["norm"]} if "norm" in row and "gamma" in row else row


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("interpolates", changed({"dataset": "cifar10", "penalty": 0.0}, largest_deviation=0.01)),
        ("interpolates", changed({"dataset": "mnist", "penalty": 0.0}, train_error=0.001)),
        ("mnist-pixels", changed({"features": "pixels", "dataset": "mnist"}, test_error=0.0145)),
        ("mnist-gabor", changed({"features": "gabor"}, test_error=0.0085)),
        ("cifar10-pixels", changed({"features": "pixels", "dataset": "cifar10"}, test_error=0.42)),
        ("cifar10-filters", changed({"features": "convolutional"}, test_error=0.20)),
        ("cifar10-filters-ridge", changed({"features": "convolutional"}, test_error=0.18)),
        ("gabor-error", changed({"features": "gabor"}, test_error=0.009)),
        ("gabor-norm", changed({"features": "gabor"}, norm=230.0)),
        ("norm-by-width", constant_norm),
        ("smallest-not-best", smallest_is_best),
        ("ridge-kernels", changed({"features": "gabor", "penalty": 0.01}, test_error=0.001)),
        ("ridge-filters", changed({"features": "convolutional"}, test_error=0.17)),
        ("descent-from-zero", changed({"start": "zero"}, to_smallest=0.01)),
        ("descent-from-elsewhere", changed({"start": "elsewhere"}, to_nearest=0.01)),
        ("descent-from-elsewhere", changed({"start": "elsewhere"}, to_smallest=0.01)),
        ("descent-from-elsewhere", changed({"start": "elsewhere", "step": 100}, outside_span=0.5)),
    ],
)
def test_every_claim_can_differ(key: str, change: Change) -> None:
    assert judged(key, results(change)).judgement == "differs"


@pytest.mark.parametrize("key", ["mnist-pixels", "mnist-gabor", "cifar10-pixels", "cifar10-filters"])
def test_a_part_of_the_data_is_no_reproduction_of_the_whole(key: str) -> None:
    part = results(lambda row: row | {"examples": 10_000})
    assert judged(key, part).judgement == "not run"
