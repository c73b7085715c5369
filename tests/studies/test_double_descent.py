"""The study of double descent: its cells, and what its tables, figures and claims make of results."""

import io
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.figure import Figure

from rethinking.cells import Cell
from rethinking.data.sources import DATASETS
from rethinking.errors import UserError
from rethinking.experiments.laboratory import Laboratory
from rethinking.names import subset_slice
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.beside import AGREES, DIFFERS
from rethinking.results.claims import Verdict
from rethinking.results.frame import IDENTITY, Results
from rethinking.results.style import style, svg
from rethinking.studies.double_descent import STUDY, random_features
from rethinking.studies.double_descent.curves import noisy_error, peak
from rethinking.studies.double_descent.design import cells, experiments, networks, sweep_networks
from rethinking.studies.double_descent.tables import PAPERS_NOISE, numbers, papers_curve, papers_numbers
from rethinking.training.devices import choose

ROOT = Path(__file__).resolve().parents[2]
PARAMS = {name: load_params(ROOT / "params.yaml", name) for name in ("paper", "digits", "smoke")}
DIGITS = PARAMS["digits"]
STUDY_DIGITS = DIGITS.studies.double_descent
KEYS = [claim.key for claim in STUDY.claims()]

Errors = Callable[[Cell], tuple[float, float, float]]
"""Train error, test error at the end and lowest test error of a cell's run."""


class Fixed(Results):
    """Results whose experiments are a table made up here."""

    def __init__(self, params: Params, runs: pd.DataFrame, histories: pd.DataFrame, features: pd.DataFrame) -> None:
        super().__init__(params, runs, histories)
        self.features = features

    def experiment(self, study: str, kind: str) -> pd.DataFrame:
        assert (study, kind) == ("double_descent", "random-features")
        return self.features


def results(errors: Errors | None, features: pd.DataFrame | None = None, params: Params = DIGITS) -> Results:
    """Lay out runs of ten epochs: five with the lowest error, then five with that at the end."""
    lines, epochs = [], []
    for cell in cells(params) if errors else []:
        assert errors is not None
        train, test, stopped = errors(cell)
        identity = {name: getattr(cell, name) for name in IDENTITY}
        part = re.search(r"of(\d+)", cell.dataset)
        examples = 1437 // int(part[1]) if part else 1437
        measures = {"train_accuracy": 1 - train, "test_accuracy": 1 - test, "best_test_accuracy": 1 - stopped}
        lines.append({**identity, **measures, "status": "finished", "train_examples": examples})
        path = [0.9, 0.5, *np.linspace(0.5, stopped, 5), *[stopped] * 5, *np.linspace(stopped, test + 0.1, 10)]
        for number, error in enumerate([*path, *np.linspace(test + 0.1, test, 10), *[test] * 5]):
            epochs.append({**identity, "epoch": number + 1, "train_accuracy": 1 - train, "test_accuracy": 1 - error})
    measured = ["train_accuracy", "test_accuracy", "best_test_accuracy", "status", "train_examples"]
    return Fixed(
        params,
        pd.DataFrame(lines, columns=[*IDENTITY, *measured]),
        pd.DataFrame(epochs, columns=[*IDENTITY, "epoch", "train_accuracy", "test_accuracy"]),
        pd.DataFrame() if features is None else features,
    )


def double_descent(cell: Cell) -> tuple[float, float, float]:
    """What the papers find, as if we had measured it, in widths of ours."""
    width = int(cell.model.rpartition("k")[2])
    threshold = 64 if cell.model.startswith("perceptron") else 4
    near = 1 / (1 + (np.log2(width / threshold) / 0.8) ** 4)
    noisy, decayed = cell.corruption != "true", cell.regularizer.startswith("wd")
    train = 0.05 if width >= threshold else 0.4
    fall = 0.2 / (1 + width)
    full = 0.1 if noisy and cell.dataset.endswith("of4") else 0.0
    return train, fall + full + (0.2 * near if noisy and not decayed else 0.0), fall


def features(peak_at: int | None = 500, ridge: float = 0.03) -> pd.DataFrame:
    """Rows as the experiment leaves them: the error is 0.9 at the peak and falls to either side."""
    study = STUDY_DIGITS.random_features
    rows: list[dict[str, Any]] = []
    sweeps = [(study.examples, n) for n in study.features]
    sweeps += [(n, study.examples) for n in study.example_sweep if n != study.examples]
    for seed in study.seeds:
        for examples, count in sweeps:
            for noise in study.label_noise:
                for penalty in (0.0, *study.penalties):
                    place = count if examples == study.examples else examples
                    top = not penalty and place == peak_at
                    error = 0.9 if top else 0.05 if place < 500 else ridge
                    rows.append(
                        {
                            "dataset": "digits",
                            "seed": seed,
                            "examples": examples,
                            "features": count,
                            "label_noise": noise,
                            "penalty": penalty,
                            "train_error": 0.0,
                            "train_squared_error": 0.0,
                            "test_error": error,
                            "test_squared_error": 900.0 if top else error,
                            "norm": 10.0,
                        }
                    )
    return pd.DataFrame(rows)


AS_PUBLISHED = results(double_descent, features())
NOTHING = results(None)


def verdict(key: str, found: Results) -> Verdict:
    (claim,) = [claim for claim in STUDY.claims() if claim.key == key]
    return claim.judge(found)


# --- design ---


@pytest.mark.parametrize("name", PARAMS)
def test_every_cell_has_a_recipe_and_data(name: str) -> None:
    params = PARAMS[name]
    for cell in cells(params):
        recipe = params.recipe(cell)
        subset_slice(recipe.train_subset, recipe.train_examples or DATASETS[recipe.dataset].n_train)
        assert recipe.model["width"] == int(cell.model.rpartition("k")[2])


def test_the_paper_preset_has_the_settings_of_nakkiran_et_al() -> None:
    params = PARAMS["paper"]
    for width, noise in ((1, "true"), (64, "wrong-labels-p15")):
        recipe = params.recipe(Cell("cifar10", f"resnet18-k{width}", noise, "crop+flip", 0))
        assert (recipe.optimiser, recipe.initial_learning_rate, recipe.epochs) == ("adam", 1e-4, 4000)
        assert (recipe.batch_size, recipe.weight_decay, recipe.random_crop, recipe.flip) == (128, 0, True, True)
    noises = {sweep.model: sweep.label_noise for sweep in params.studies.double_descent.width_sweeps}
    assert noises["resnet18"] == [0.0, 0.1, 0.15, 0.2]


@pytest.mark.parametrize("name", ["paper", "digits"])
def test_the_sample_wise_networks_take_equally_many_steps(name: str) -> None:
    params = PARAMS[name]
    sweep = params.studies.double_descent.sample_wise
    steps = set()
    for parts in sweep.parts:
        for cell in networks(params, sweep, sweep.widths[0], sweep.label_noise, parts, sweep.networks):
            recipe = params.recipe(cell)
            part = subset_slice(recipe.train_subset, DATASETS[recipe.dataset].n_train)
            steps.add(recipe.epochs * -(-(part.stop - part.start) // recipe.batch_size))
    assert max(steps) <= 1.03 * min(steps)


def test_networks_are_on_parts_in_turn_and_then_with_other_seeds() -> None:
    (sweep, *_) = STUDY_DIGITS.width_sweeps
    found = sweep_networks(DIGITS, sweep, 4, 0.2)
    assert [(cell.dataset, cell.seed) for cell in found] == [
        ("digits-part1of2", 0),
        ("digits-part2of2", 0),
        ("digits-part1of2", 1),
        ("digits-part2of2", 1),
    ]
    assert {cell.corruption for cell in found} == {"wrong-labels-p20"}
    assert {cell.regularizer for cell in sweep_networks(DIGITS, sweep, 4, 0.2, 0.005)} == {"wd0.005"}


WIDTHS = "studies.double_descent.width_sweeps"


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (["random_features", "features"], [10, 100, 20000], "must hold the number of examples, 10000"),
        (["random_features", "penalties"], [1.0, 0.1], "must rise from each to the next"),
        (["sample_wise", "parts"], [1, 2], "parts: found [1, 2], must fall from each to the next"),
        (["width_sweeps", 1, "networks"], [1], f"{WIDTHS}.1.networks: found [1], must be one number for each of"),
        (["width_sweeps", 1, "weight_decay_widths"], [2, 5, 8], "weight_decay_widths: found [2, 5, 8], must be"),
        (["width_sweeps", 0, "weight_decay"], [0.1], "must be at least three of"),
        (["width_sweeps", 1, "model"], "resnet18", "found 'resnet18' in two sweeps"),
        (["epoch_wise", "model"], "lenet", "studies.double_descent.epoch_wise.model: found 'lenet', must be one of"),
        (
            ["epoch_wise", "regularizer"],
            "flip+crop",
            "studies.double_descent.epoch_wise.regularizer: 'flip+crop' is no",
        ),
        (["sample_wise", "label_noise"], 0.123, "sample_wise.label_noise: found 0.123, must be in whole percents"),
        (["dataset"], "svhn", "studies.double_descent.dataset: found 'svhn', must be one of"),
    ],
)
def test_a_bad_setting_is_refused_with_its_key(
    place: list[str | int], value: object, complaint: str, tmp_path: Path
) -> None:
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    section = content["studies"]["double_descent"]
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = value
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(complaint)):
        load_params(tmp_path / "params.yaml", "paper")


# --- the experiment ---


@pytest.fixture
def laboratory(digits_root: Path, tmp_path: Path) -> Laboratory:
    (tmp_path / "data").symlink_to(digits_root)
    (experiment,) = experiments(PARAMS["smoke"])
    clean = type(experiment)(**{**experiment.__dict__, "settings": {**experiment.settings, "label_noise": [0.0]}})
    return Laboratory(clean, "smoke", {}, choose("cpu", "float32", 1), tmp_path, "code")


def test_random_features_interpolate_from_as_many_features_as_examples(laboratory: Laboratory) -> None:
    rows = pd.DataFrame(random_features.run(laboratory))
    free = rows[rows["penalty"] == 0]
    interpolating = free[free["features"] >= free["examples"]]
    assert len(interpolating) >= 2
    assert interpolating["train_squared_error"].max() < 1e-10
    assert (interpolating["train_error"] == 0).all()
    assert free[free["features"] < free["examples"]]["train_squared_error"].min() > 1e-4
    norms = rows.set_index(["examples", "features", "penalty"])["norm"]
    assert norms[32, 32, 0.1] < norms[32, 32, 0.0]
    assert rows.equals(pd.DataFrame(random_features.run(laboratory))), "a seed means the same numbers"


def test_more_examples_than_there_are_is_an_error_that_says_so(laboratory: Laboratory) -> None:
    laboratory.experiment = type(laboratory.experiment)(
        **{**laboratory.experiment.__dict__, "settings": {**laboratory.settings, "example_sweep": [8, 32, 1000]}}
    )
    with pytest.raises(UserError, match="digits has 128 examples to train on, not 1000"):
        random_features.run(laboratory)


# --- claims ---


@pytest.mark.parametrize("key", KEYS)
def test_every_claim_holds_on_what_the_papers_find(key: str) -> None:
    found = verdict(key, AS_PUBLISHED)
    assert found.judgement == "holds", found


@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
def test_every_claim_is_open_without_results(params: Params) -> None:
    found = results(None, params=params)
    assert {verdict(key, found) for key in KEYS} == {("not run", "")}


@cache
def with_errors(errors: Errors) -> Results:
    """The same results for all claims that are judged on them."""
    return results(errors)


def monotone(cell: Cell) -> tuple[float, float, float]:
    """The classical hope: wider is better, at every level of noise."""
    width = int(cell.model.rpartition("k")[2])
    return (0.0 if width >= 4 else 0.4), 0.3 / width, 0.3 / width


def classical(cell: Cell) -> tuple[float, float, float]:
    """The classical fear: past the optimum wider is worse, with and without noise, decay and stopping."""
    width = int(cell.model.rpartition("k")[2])
    error = 0.1 + 0.02 * abs(np.log2(width / 4)) + (0.05 if width > 4 else 0.0)
    return 0.0 if width >= 64 else 0.3, error, error


@pytest.mark.parametrize(
    ("key", "errors"),
    [
        ("model-wise", monotone),
        ("peak-at-interpolation", monotone),
        ("noise-makes-the-peak", monotone),
        ("noisy-test-labels", monotone),
        ("unnormalised-model-wise", monotone),
        ("sample-wise", monotone),
        ("widest-best", monotone),
        ("widest-best", classical),
        ("weight-decay", classical),
        ("weight-decay-unnormalised", classical),
        ("early-stopping", classical),
    ],
)
def test_claims_about_networks_differ_where_the_phenomenon_is_absent(key: str, errors: Errors) -> None:
    assert verdict(key, with_errors(errors)).judgement == "differs"


def test_the_epoch_wise_claim_differs_where_the_error_stays_up() -> None:
    found = results(double_descent)
    found._histories.loc[found._histories["epoch"] > 20, "test_accuracy"] = 0.5
    assert verdict("epoch-wise", found).judgement == "differs"


@pytest.mark.parametrize(
    ("key", "table"),
    [
        ("features-peak", features(peak_at=800)),
        ("features-second-descent", features(ridge=0.06)),
        ("features-sample-wise", features(peak_at=None)),
        ("ridge", features().assign(test_error=lambda rows: np.where(rows["features"] == 500, 0.9, 0.1))),
    ],
)
def test_claims_about_features_differ_where_the_phenomenon_is_absent(key: str, table: pd.DataFrame) -> None:
    assert verdict(key, results(None, table)).judgement == "differs"


# --- tables, numbers, figures ---


def test_the_papers_curve_has_its_peak_where_the_noisy_labels_begin_to_be_fitted() -> None:
    """PAPER_FACTS: minimum at k = 4, peak at 10, in the noisy errors as in those on true labels."""
    widths, noisy = papers_curve("test")
    assert (widths, len(noisy)) == (list(range(1, 65)), 64)
    for errors in (noisy, papers_numbers().test):
        found = peak(errors)
        assert (widths[found.before], widths[found.top]) == (4, 10)
    assert noisy_error(papers_numbers().test[0], PAPERS_NOISE) == pytest.approx(noisy[0])
    rows = STUDY.table("peaks")(NOTHING).rows
    assert rows[0][2] == 10, "fitted from width"


@pytest.mark.parametrize(("higher", "said"), [(0.0, AGREES), (0.04, DIFFERS)])
def test_our_resnet18_stands_beside_the_papers_at_its_noise(higher: float, said: str) -> None:
    papers = papers_numbers()

    def ours(cell: Cell) -> tuple[float, float, float]:
        place = papers.sizes.index(int(cell.model.rpartition("k")[2])) if "-k" in cell.model else 63
        return papers.train[place], papers.test[place] + higher, papers.test[place]

    rows = STUDY.table("peaks")(results(ours, params=PARAMS["paper"])).rows
    beside = {(row[0], row[1]): tuple(row[-4:]) for row in rows}
    found = beside.pop(("ResNet18", PAPERS_NOISE))
    assert list(found[:3]) == [pytest.approx(100 * higher), pytest.approx(100 * higher), said]
    assert found[3] == pytest.approx(100 * higher, abs=0.5), "at widths between ours it is taken as linear"
    assert set(beside.values()) == {(None, None, None, None)}, "the paper has no other"


@pytest.mark.parametrize("name", STUDY.tables)
def test_tables_say_so_where_nothing_was_run(name: str) -> None:
    assert "not run" in STUDY.table(name)(NOTHING).markdown()
    assert "not run" not in STUDY.table(name)(AS_PUBLISHED).markdown()


def test_the_regularised_table_names_the_best_of_the_sweep() -> None:
    rows = {(row[0], row[1]): row for row in STUDY.table("regularised")(AS_PUBLISHED).rows}
    assert rows["CNN", 4][4] == 0.005, "the first of two that are equally good, and better than none"


def test_numbers_are_numbers_or_none_under_the_same_keys() -> None:
    with_runs, without = numbers(AS_PUBLISHED), numbers(NOTHING)
    assert {key: set(inner) for key, inner in with_runs.items()} == {key: set(inner) for key, inner in without.items()}
    assert with_runs["cnn"]["peak_width"] == 4
    assert with_runs["random_features"]["error_peak"] == pytest.approx(0.9)
    assert without["cnn"]["peak_width"] is None
    assert without["epoch_wise"]["error_peak"] is None


@pytest.mark.parametrize("name", STUDY.figures)
@pytest.mark.parametrize("found", [AS_PUBLISHED, NOTHING], ids=["as published", "nothing"])
def test_figures_draw_their_points_and_nothing_else(name: str, found: Results) -> None:
    drawing = STUDY.figure(name)
    points = drawing.points(found)
    assert {"source", "dataset", "series", "half_width", "seeds", "note"} <= set(points.columns)
    ours = points[points["source"] == "ours"]
    assert (ours["note"] == "").any() == (found is AS_PUBLISHED)
    with style():
        drawn: Figure = drawing.draw(points)
        assert svg(drawn).startswith("<?xml")
    said = [text.get_text() for axes in drawn.axes for text in (*axes.texts, axes.title)] + [drawn.get_supxlabel()]
    assert any("not run" in text for text in said) == (found is NOTHING or name == "model-wise")


@pytest.mark.parametrize("params", [PARAMS["paper"], PARAMS["smoke"]], ids=["paper", "smoke"])
def test_tables_and_figures_of_other_scales_can_be_made_without_results(params: Params) -> None:
    found = results(None, params=params)
    with style():
        for name in STUDY.figures:
            STUDY.figure(name).texts(found)
    for name in STUDY.tables:
        assert STUDY.table(name)(found).csv()


def names_in(section: str, prefix: str) -> Iterable[str]:
    return re.findall(rf"{{{{< var {re.escape(prefix)}\.([a-z0-9_.-]+) >}}}}", section)


def test_the_section_reads_every_verdict_and_only_numbers_that_every_scale_has() -> None:
    section = (ROOT / "report" / "sections" / "_double_descent.qmd").read_text(encoding="utf-8")
    assert set(names_in(section, "verdict.double_descent")) == set(KEYS)
    read = list(names_in(section, "double_descent"))
    assert read
    for params in PARAMS.values():
        there = numbers(results(None, params=params))
        for name in read:
            group, key = name.split(".")
            assert key in there[group], name
    for kind, made, ending in (("figures", STUDY.figures, "svg"), ("tables", STUDY.tables, "md")):
        assert all(f"_generated/{kind}/double_descent-{name}.{ending}" in section for name in made)


def test_points_survive_being_written() -> None:
    texts = STUDY.figure("sample-wise").texts(AS_PUBLISHED)
    read = pd.read_csv(io.StringIO(texts[".csv"]))
    assert set(read["series"]) == {"random-features", "cnn"}
