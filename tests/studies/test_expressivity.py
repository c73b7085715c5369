"""The study of finite-sample expressivity: what is run, and what its tables, figure and claims make of it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from rethinking.data.sources import fetch
from rethinking.data.variants import corrupt, load_variant
from rethinking.errors import UserError
from rethinking.experiments.laboratory import Laboratory
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.claims import Verdict
from rethinking.results.frame import IDENTITY, Results
from rethinking.results.style import style, svg
from rethinking.studies.expressivity import STUDY, labelling, scaling
from rethinking.studies.expressivity.design import cells, experiments
from rethinking.studies.expressivity.measures import promised_growth
from rethinking.studies.expressivity.theorem import exact_error, represent, separated
from rethinking.training.devices import choose

FILE = Path(__file__).resolve().parents[2] / "params.yaml"
PARAMS = {name: load_params(FILE, name) for name in ("paper", "digits", "smoke")}
DIGITS = PARAMS["digits"]
KEYS = [claim.key for claim in STUDY.claims()]

Change = Callable[[pd.DataFrame], pd.DataFrame]


class Invented(Results):
    """Results of experiments that were never run."""

    def __init__(self, frames: dict[str, pd.DataFrame], runs: pd.DataFrame, params: Params = DIGITS) -> None:
        super().__init__(params, runs, pd.DataFrame())
        self.frames = frames

    def experiment(self, study: str, kind: str) -> pd.DataFrame:
        assert study == "expressivity"
        return self.frames.get(kind, pd.DataFrame())


def labelling_rows() -> pd.DataFrame:
    """As the theorem has it: alternating thresholds on pixels have no error, all else a little."""
    rows: list[dict[str, Any]] = []
    for corruption in ("true", "random-labels"):
        common = {
            "dataset": "digits",
            "corruption": corruption,
            "examples": 1437,
            "duplicates": 0,
            "values": 49,
            "smallest_gap": 3.0,
            "relative_gap": 1e-7,
            "smallest_eigenvalue": 1.0,
            "accuracy": 1.0,
            "unit_accuracy": 1.0,
            "seconds": 0.01,
        }
        for inputs in ("pixels", "whitened"):
            for thresholds in ("alternating", "midway"):
                error = 0.0 if (inputs, thresholds) == ("pixels", "alternating") else 1e-6
                errors = {"largest_error": error, "exact_error": error, "unit_error": 100 * error}
                shape = {"inputs": inputs, "thresholds": thresholds, "depth": 2, "width": 1437, "weights": 2923}
                rows.append(common | shape | errors)
        for depth in (3, 10):
            shape = {"depth": depth, "width": -(-1437 // (depth - 2)) + 3, "weights": 3 * 1437 + 49 + depth}
            free: dict[str, float | None] = {"largest_error": 0.0, "exact_error": None, "unit_error": 0.0}
            rows.append(common | {"inputs": "pixels", "thresholds": "alternating"} | shape | free)
    return pd.DataFrame(rows)


def scaling_rows(exponent: float = 1.0) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for size in (10, 100, 300, 1437):
        for inputs in ("pixels", "whitened"):
            for thresholds in ("alternating", "midway"):
                rows.append(
                    {
                        "dataset": "digits",
                        "examples": size,
                        "values": 49,
                        "inputs": inputs,
                        "thresholds": thresholds,
                        "solver": "substitution",
                        "largest_error": 0.0 if (inputs, thresholds) == ("pixels", "alternating") else 1e-9 * size,
                        "relative_gap": 1 / size**2,
                        "seconds_project": 1e-7 * size**exponent,
                        "seconds_solve": 1e-7 * size**exponent,
                        "seconds_evaluate": 1e-7 * size**exponent,
                        "bytes": round(100 * size**exponent),
                    }
                )
        rows.append(rows[-4] | {"solver": "matrix", "seconds_solve": 1e-8 * size**2})
    return pd.DataFrame(rows)


def trained(parameters: int = 30730) -> pd.DataFrame:
    identity = dict(zip(IDENTITY, ("digits", "mlp-1x512", "random-labels", "none", 0), strict=True))
    return pd.DataFrame([identity | {"parameters": parameters}, identity | {"model": "cnn-k4", "parameters": 5}])


def results(change: Change = lambda rows: rows, exponent: float = 1.0, parameters: int = 30730) -> Results:
    frames = {"labelling": change(labelling_rows()), "scaling": scaling_rows(exponent)}
    return Invented(frames, trained(parameters))


FOUND = results()
NOTHING = Invented({}, pd.DataFrame(columns=[*IDENTITY, "parameters"]))


def verdict(key: str, found: Results) -> Verdict:
    (claim,) = [claim for claim in STUDY.claims() if claim.key == key]
    return claim.judge(found)


def where(rows: pd.DataFrame, column: str, value: float, **conditions: object) -> pd.DataFrame:
    """The same rows with another value where all conditions hold."""
    chosen = pd.Series(True, index=rows.index)
    for name, wanted in conditions.items():
        chosen &= rows[name] == wanted
    assert chosen.any()
    return rows.assign(**{column: rows[column].where(~chosen, value)})


# --- what is run ---


@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
def test_it_trains_nothing_and_asks_for_no_gpu(params: Params) -> None:
    assert cells(params) == []
    assert all(each.on_cpu and not each.cells for each in experiments(params))


def test_the_paper_preset_represents_all_of_cifar_10() -> None:
    names = [str(each) for each in experiments(PARAMS["paper"])]
    assert "expressivity/labelling/cifar10.random-labels" in names
    assert "expressivity/scaling/cifar10" in names
    assert PARAMS["paper"].datasets["cifar10"].train_examples is None


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("depths", [10, 3], "depths: found [10, 3], must rise from each to the next"),
        ("depths", [2], "studies.expressivity.depths"),
        ("corruptions", ["gaussian"], "studies.expressivity.corruptions"),
        ("sizes", [30, 30], "sizes: found [30, 30], must rise"),
        ("datasets", ["cifar10", "cifar10"], "must not name one twice"),
        ("datasets", ["svhn"], "studies.expressivity.datasets: found 'svhn', must be one of"),
    ],
)
def test_bad_settings_are_told_of(tmp_path: Path, key: str, value: object, complaint: str) -> None:
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    content["studies"]["expressivity"][key] = value
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(complaint)):
        load_params(tmp_path / "params.yaml", "paper")


@pytest.fixture
def root(digits_root: Path, tmp_path: Path) -> Path:
    (tmp_path / "data" / "digits").mkdir(parents=True)
    (tmp_path / "data" / "digits" / "true").symlink_to(digits_root / "digits" / "true")
    corrupt(tmp_path / "data", "digits", "random-labels", 1)
    return tmp_path


def test_the_labelling_experiment_finds_networks_without_error(root: Path) -> None:
    for experiment in experiments(PARAMS["smoke"]):
        if experiment.kind == "labelling":
            rows = pd.DataFrame(
                labelling.run(Laboratory(experiment, "smoke", {}, choose("cpu", "float32", 1), root, "code"))
            )
            assert len(rows) == 4 + len(PARAMS["smoke"].studies.expressivity.depths)
            exact = rows[(rows["inputs"] == "pixels") & (rows["thresholds"] == "alternating")]
            assert (exact[["largest_error", "unit_error"]] == 0).all(axis=None)
            assert set(exact[exact["depth"] == 2]["weights"]) == {2 * 128 + 49}
            assert (rows["accuracy"] == 1).all()
            assert (rows["smallest_eigenvalue"] > 0).all()


def test_the_scaling_experiment_measures_every_size_and_the_matrix_at_some(root: Path) -> None:
    (experiment,) = [each for each in experiments(PARAMS["smoke"]) if each.kind == "scaling"]
    small = type(experiment)(**{**experiment.__dict__, "settings": {**experiment.settings, "dense_up_to": 64}})
    rows = pd.DataFrame(scaling.run(Laboratory(small, "smoke", {}, choose("cpu", "float32", 1), root, "code")))
    assert sorted(rows["examples"].unique()) == [16, 64, 128]
    assert list(rows[rows["solver"] == "matrix"]["examples"]) == [16, 64]
    # SciPy's solution for the same thresholds has no larger error than the few digits that it loses.
    assert rows[rows["inputs"] == "pixels"]["largest_error"].max() < 1e-3
    assert (rows["bytes"] > 0).all()


def test_random_labels_of_all_of_cifar_10_take_102352_weights_and_have_no_error(
    cifar10_mirror: Path, tmp_path: Path
) -> None:
    """The paper's own case: 50,000 images of 28 x 28 x 3 values, in seconds."""
    fetch("cifar10", tmp_path, str(cifar10_mirror))
    images = load_variant(tmp_path, "cifar10", "true", verify=False).train_images
    points = np.ascontiguousarray(images[:, :, 2:30, 2:30]).reshape(len(images), -1)
    labels = np.random.default_rng(0).integers(10, size=len(points))
    sample = separated(points, labels, np.random.default_rng(0))
    network = represent(sample)
    assert network.parameters == 102_352
    assert (network.along(sample.positions) == sample.values).all()
    assert exact_error(network, sample) == 0
    assert (network(points[:500]) == labels[:500]).all()


# --- claims ---


@pytest.mark.parametrize("key", KEYS)
def test_every_claim_holds_where_the_theorem_does(key: str) -> None:
    found = verdict(key, FOUND)
    assert found.judgement == "holds", found
    assert found.evidence


@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
def test_every_claim_is_open_without_results(params: Params) -> None:
    nothing = Invented({}, pd.DataFrame(columns=[*IDENTITY, "parameters"]), params)
    assert {verdict(key, nothing) for key in KEYS} == {("not run", "")}


EXACT = {"inputs": "pixels", "thresholds": "alternating", "corruption": "random-labels"}


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("any-labelling", results(lambda rows: where(rows, "exact_error", 1e-12, depth=2, **EXACT))),
        ("any-labelling", results(lambda rows: where(rows, "unit_error", 1e-12, depth=2, **EXACT))),
        ("any-labelling", results(lambda rows: where(rows, "weights", 2924, depth=2, **EXACT))),
        ("any-labelling", results(lambda rows: where(rows, "accuracy", 0.999, depth=2, **EXACT))),
        ("few-weights", results(parameters=29229)),
        ("linear-time", results(exponent=2.0)),
        ("depth", results(lambda rows: where(rows, "largest_error", 1e-9, depth=10))),
        ("depth", results(lambda rows: where(rows, "width", 1437, depth=10))),
        ("depth", results(lambda rows: where(rows, "weights", 14370, depth=10))),
        ("thresholds", results(lambda rows: where(rows, "unit_error", 0.0, thresholds="midway"))),
        ("rounding", results(lambda rows: where(rows, "accuracy", 0.999, inputs="whitened"))),
        ("rounding", results(lambda rows: where(rows, "largest_error", 0.6, inputs="whitened"))),
        ("rounding", results(lambda rows: where(rows, "unit_error", 0.0, inputs="whitened"))),
    ],
)
def test_claims_differ_where_it_is_otherwise(key: str, found: Results) -> None:
    assert verdict(key, found).judgement == "differs"


def test_what_is_promised_is_projecting_and_sorting() -> None:
    small, large = (pd.Series({"examples": n, "values": 10}) for n in (16, 1024))
    assert promised_growth(small, large) == pytest.approx(1024 * 20 / (16 * 14))


# --- tables, numbers, figure ---


@pytest.mark.parametrize("name", STUDY.tables)
def test_tables_say_so_where_nothing_was_run(name: str) -> None:
    assert "not run" in STUDY.table(name)(NOTHING).markdown()
    assert "not run" not in STUDY.table(name)(FOUND).markdown()


def test_the_counts_are_the_papers() -> None:
    rows = {row[0]: row[1:] for row in STUDY.table("counts")(FOUND).rows}
    assert rows["Theorem 1, 2n + d (paper, CIFAR-10)"] == [50_000, 2352, 102_352, pytest.approx(2.04704)]
    assert rows["Bound before it, of the order of dn (paper, CIFAR-10)"][2] == 117_600_000
    assert rows["Inception (paper, CIFAR-10)"][2] == 1_649_402
    assert rows["MLP 1×512 (paper, CIFAR-10)"][2] == 1_209_866
    assert rows["Theorem 1, digits"][2] == 2923
    assert rows["MLP 1×512, digits"] == [1437, 49, 30730, pytest.approx(30730 / 1437)]
    assert not [name for name in rows if "cnn" in str(name).lower()]


def test_numbers_are_those_of_random_labels() -> None:
    numbers = STUDY.numbers(results(lambda rows: where(rows, "unit_error", 9.0, corruption="true")))
    assert (numbers["examples"], numbers["values"], numbers["weights"]) == (1437, 49, 2923)
    assert numbers["pixels_alternating"] == {"off_in_order": 0.0, "off_by_unit": 0.0}
    assert numbers["whitened_midway"] == {"off_in_order": 1e-6, "off_by_unit": 1e-4}
    assert STUDY.numbers(NOTHING)["weights"] is None
    assert STUDY.numbers(NOTHING)["paper_weights"] == 102_352


@pytest.mark.parametrize("found", [FOUND, NOTHING], ids=["found", "nothing"])
def test_the_figure_is_drawn_from_its_points(found: Results) -> None:
    drawing = STUDY.figure("scaling")
    points = drawing.points(found)
    with style():
        assert svg(drawing.draw(points)).startswith("<?xml")
    assert ("not run" in set(points["note"])) == (found is NOTHING)
    if found is FOUND:
        errors = points[points["series"] == "pixels, alternating"]
        assert (errors["value"] == 0).all()
        assert set(points["series"]) >= {"solve as a matrix", "project and sort", "find weights and evaluate"}
