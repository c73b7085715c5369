"""The study of bounds: what is run, and what its tables, figure and claims make of results."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import save_file

from rethinking.cells import Cell
from rethinking.data.variants import corrupt
from rethinking.errors import UserError
from rethinking.experiments.laboratory import Laboratory
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.claims import Verdict
from rethinking.results.frame import IDENTITY, Results
from rethinking.results.style import style, svg
from rethinking.studies.bounds import STUDY, norms, twins
from rethinking.studies.bounds.design import cells, experiments, perceptrons
from rethinking.studies.bounds.measures import LabelBlind, by_norms, label_blind
from rethinking.studies.bounds.theory import TWO_CLASSES_GUESSED
from rethinking.studies.randomisation.design import cells as randomisation_cells
from rethinking.training.devices import choose
from rethinking.training.run import run

FILE = Path(__file__).resolve().parents[2] / "params.yaml"
PARAMS = {name: load_params(FILE, name) for name in ("paper", "digits", "smoke")}
DIGITS = PARAMS["digits"]
KEYS = [claim.key for claim in STUDY.claims()]
MODELS = DIGITS.studies.bounds.models
CPU = choose("cpu", "float32", 1)


class Invented(Results):
    """Results of runs and experiments that there never were."""

    def __init__(self, runs: pd.DataFrame, frames: dict[str, pd.DataFrame], params: Params = DIGITS) -> None:
        super().__init__(params, runs, pd.DataFrame())
        self.frames = frames

    def experiment(self, study: str, kind: str) -> pd.DataFrame:
        assert study == "bounds"
        return self.frames.get(kind, pd.DataFrame())


RUN = ["status", "epochs", "parameters", "train_examples", "train_accuracy", "test_accuracy"]


def runs(random_accuracy: float = 1.0, true_test: float = 0.97, status: str = "finished") -> pd.DataFrame:
    """Every model with true and with random labels; after random ones, test accuracy is that of guessing."""
    rows = []
    for model in MODELS:
        for corruption, train, test in (("true", 1.0, true_test), ("random-labels", random_accuracy, 0.1)):
            identity = dict(zip(IDENTITY, ("digits", model, corruption, "none", 0), strict=True))
            rows.append(identity | dict(zip(RUN, (status, 100, 30730, 1437, train, test), strict=True)))
    return pd.DataFrame(rows, columns=[*IDENTITY, *RUN])


def norm_rows(scale: float = 1.0, random: float = 3.0, margin: float = 2.0) -> pd.DataFrame:
    rows = []
    for model in perceptrons(DIGITS):
        for corruption, factor in (("true", 1.0), ("random-labels", random)):
            rows.append(
                {
                    "dataset": "digits",
                    "model": model,
                    "corruption": corruption,
                    "seed": 0,
                    "examples": 1437,
                    "layers": 2,
                    "largest_layer": 513,
                    "input_norm": scale * 268.0,
                    "margin": margin,
                    "inside_margin": 0.1,
                    "frobenius": factor * 20.0,
                    "output_rows": 10.0,
                    "spectral": factor * 12.0,
                    "distances": 5.0,
                }
            )
    return pd.DataFrame(rows)


def twin_rows(true: float = 0.03, random: float = 0.9) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for corruption, change in (("true", true), ("random-labels", random)):
        for number in range(10):
            rows.append(
                {
                    "dataset": "digits",
                    "model": "mlp-1x512",
                    "corruption": corruption,
                    "seed": 0,
                    "twin": number,
                    "lacking_error": change + 0.01 * (number % 2),
                    "lacking_loss": change + 0.01 * (number % 3),
                    "added_error": change,
                    "added_loss": change,
                    "elsewhere_mean": 0.01,
                    "elsewhere_largest": 0.5,
                }
            )
    return pd.DataFrame(rows)


def results(found: pd.DataFrame | None = None, **frames: pd.DataFrame) -> Results:
    return Invented(runs() if found is None else found, {"norms": norm_rows(), "twins": twin_rows()} | frames)


FOUND = results()
NOTHING = Invented(pd.DataFrame(columns=[*IDENTITY, *RUN]), {})


def verdict(key: str, found: Results) -> Verdict:
    (claim,) = [claim for claim in STUDY.claims() if claim.key == key]
    return claim.judge(found)


# --- what is run ---


@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
def test_no_cell_is_trained_for_bounds_alone(params: Params) -> None:
    assert set(cells(params)) <= set(randomisation_cells(params))
    found = experiments(params)
    assert {cell for each in found for cell in each.cells} <= set(cells(params))
    assert {each.cells[0].model for each in found if each.kind == "norms"} == set(perceptrons(params))


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (["models"], ["vgg"], "studies.bounds.models: found 'vgg', must be one of"),
        (["models"], ["alexnet", "alexnet"], "studies.bounds.models: found ['alexnet', 'alexnet'], must not name"),
        (["confidence"], 1.0, "studies.bounds.confidence"),
        (["twins", "model"], "vgg", "studies.bounds.twins.model: found 'vgg', must be one of"),
        (["twins", "count"], 1, "studies.bounds.twins.count"),
    ],
)
def test_bad_settings_are_told_of(tmp_path: Path, place: list[str], value: object, complaint: str) -> None:
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    section = content["studies"]["bounds"]
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = value
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(complaint)):
        load_params(tmp_path / "params.yaml", "paper")


@pytest.fixture(scope="module")
def laboratory(digits_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Laboratory]:
    """Gives the laboratory of an experiment on perceptrons that were trained for a few epochs."""
    root = tmp_path_factory.mktemp("bounds")
    (root / "data" / "digits").mkdir(parents=True)
    (root / "data" / "digits" / "true").symlink_to(digits_root / "digits" / "true")
    corrupt(root / "data", "digits", "random-labels", 1)
    params = PARAMS["smoke"]
    recipes = {}
    for corruption in ("true", "random-labels"):
        cell = Cell("digits", "mlp-1x512", corruption, "none", 0)
        recipes[cell] = params.recipe(cell).model_copy(update={"epochs": 40, "initial_learning_rate": 0.05})
        folder = root / cell.run_folder("smoke")
        folder.mkdir(parents=True)
        outcome = run(recipes[cell], root / "data", CPU, folder, "code", lambda epoch: None)
        path = root / cell.weights_path("smoke")
        path.parent.mkdir(parents=True)
        save_file({name: tensor.contiguous() for name, tensor in outcome.network.state_dict().items()}, path)

    def of(kind: str, corruption: str) -> Laboratory:
        (experiment,) = [
            each
            for each in experiments(params)
            if each.kind == kind and (each.cells[0].model, each.cells[0].corruption) == ("mlp-1x512", corruption)
        ]
        return Laboratory(experiment, "smoke", recipes, CPU, root, "code")

    return of


@pytest.mark.parametrize("corruption", ["true", "random-labels"])
def test_a_twin_that_lacks_nothing_is_the_network(
    laboratory: Callable[[str, str], Laboratory], corruption: str
) -> None:
    """Bit for bit, on a CPU: what twins differ in is then owed to the one example."""
    lab = laboratory("twins", corruption)
    (cell,) = lab.experiment.cells
    train = lab.examples(cell, "train")
    same = twins.with_another(train, 5, train.stored[5], train.labels[5])
    network, twin = lab.network(cell).state_dict(), twins.trained(lab, cell, same).state_dict()
    assert all(torch.equal(network[name], twin[name]) for name in network)


def test_another_example_replaces_one_and_leaves_the_original_alone(
    laboratory: Callable[[str, str], Laboratory],
) -> None:
    lab = laboratory("twins", "true")
    (cell,) = lab.experiment.cells
    train, test = lab.examples(cell, "train"), lab.examples(cell, "test")
    before = train.stored.clone()
    other = twins.with_another(train, 5, test.stored[0], (train.labels[5] + 1) % 10)
    assert torch.equal(train.stored, before)
    changed = (other.stored != train.stored).flatten(1).any(dim=1) | (other.labels != train.labels)
    assert changed.nonzero().flatten().tolist() == [5]
    assert torch.equal(other.stored[5], test.stored[0]), "images are not prepared twice"


@pytest.mark.parametrize("corruption", ["true", "random-labels"])
def test_twins_of_networks_that_memorise_differ_where_one_has_not_seen_the_example(
    laboratory: Callable[[str, str], Laboratory], corruption: str
) -> None:
    rows = pd.DataFrame(twins.run(laboratory("twins", corruption)))
    assert len(rows) == PARAMS["smoke"].studies.bounds.twins.count
    numbers = rows.drop(columns=["dataset", "model", "corruption", "seed", "twin"])
    assert (numbers.abs() <= 1).all(axis=None)
    assert (rows["elsewhere_mean"] <= rows["elsewhere_largest"]).all()
    assert (rows["elsewhere_mean"] > 0).all(), "a twin is another network"
    if corruption == "random-labels":
        assert rows[["lacking_loss", "added_loss"]].to_numpy().mean() > 0.4


def test_losses_are_what_the_label_lacks_in_probability() -> None:
    logits = torch.tensor([[0.0, 0.0], [np.log(3.0), 0.0]])
    assert twins.loss(logits, torch.tensor([0, 0])).tolist() == pytest.approx([0.5, 0.25])


def test_the_norms_of_a_trained_perceptron(laboratory: Callable[[str, str], Laboratory]) -> None:
    lab = laboratory("norms", "random-labels")
    (row,) = norms.run(lab)
    found = {name: row[name] for name in ("examples", "layers", "largest_layer")}
    assert found == {"examples": 128, "layers": 2, "largest_layer": 513}
    # A whitened image of 49 values has length 7, and the 1 that carries the biases is added.
    assert row["input_norm"] == pytest.approx((128 * 50) ** 0.5)
    (cell,) = lab.experiment.cells
    weights = [weight.detach().double().numpy() for weight in lab.network(cell).parameters()]
    frobenius = float(np.sqrt((weights[0] ** 2).sum() + (weights[1] ** 2).sum() + 1))
    assert row["frobenius"] == pytest.approx(frobenius)
    assert row["output_rows"] == pytest.approx(np.sqrt((weights[2] ** 2).sum(axis=1) + weights[3] ** 2).sum())
    assert row["inside_margin"] == pytest.approx(0.1, abs=0.01)
    assert 0 < row["spectral"] < row["frobenius"] * row["output_rows"]  # type: ignore[operator]


# --- what it comes to ---


def test_label_blind_bounds_of_networks_that_fit_everything() -> None:
    for model in MODELS:
        found = label_blind(FOUND, model)
        assert isinstance(found, LabelBlind)
        assert found.complexity == 1
        assert min(found.bounds.values()) > 1
        assert found.vc_at_least < found.examples
        assert (found.vc_at_most is None) == (model not in perceptrons(DIGITS))
        assert found.vc_at_most is None or found.vc_at_most > found.examples


def test_a_network_that_diverged_has_no_bound() -> None:
    assert label_blind(results(runs(status="diverged")), "alexnet") == "diverged"
    assert "diverged" in STUDY.table("label-blind")(results(runs(status="diverged"))).markdown()


def test_a_margin_that_is_not_positive_gives_no_bound() -> None:
    found = by_norms(results(norms=norm_rows(margin=-1.0)), "mlp-1x512", "true")
    assert found is not None
    assert (found.frobenius, found.spectral) == (float("inf"), float("inf"))
    assert "no margin" in STUDY.table("norms")(results(norms=norm_rows(margin=-1.0))).markdown()
    assert "no margin, no bound" in verdict("norms-vacuous", results(norms=norm_rows(margin=-1.0))).evidence


@pytest.mark.parametrize("key", KEYS)
def test_every_claim_holds_where_networks_memorise_and_generalise(key: str) -> None:
    found = verdict(key, FOUND)
    assert found.judgement == "holds", found
    assert found.evidence


@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
def test_every_claim_is_open_without_results(params: Params) -> None:
    nothing = Invented(pd.DataFrame(columns=[*IDENTITY, *RUN]), {}, params)
    assert {verdict(key, nothing) for key in KEYS} == {("not run", "")}


CHANCE = runs(random_accuracy=0.12)
"""Networks that could not fit random labels: the theory would say something."""


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("rademacher-near-one", results(CHANCE)),
        ("label-blind-vacuous", results(CHANCE)),
        ("no-label-blind-bound", results(CHANCE)),
        ("gap-smaller", results(runs(true_test=0.1))),
        ("norms-vacuous", results(norms=norm_rows(scale=1e-6))),
        ("norms-see-labels", results(norms=norm_rows(random=0.9))),
        ("norms-see-labels", results(norms=norm_rows(margin=0.0))),
        ("unstable", results(twins=twin_rows(random=0.3))),
        ("more-stable", results(twins=twin_rows(true=0.8))),
        ("instability-is-gap", results(twins=twin_rows(random=0.6))),
        ("instability-is-gap", results(twins=twin_rows(true=0.3))),
    ],
)
def test_claims_differ_where_it_is_otherwise(key: str, found: Results) -> None:
    assert verdict(key, found).judgement == "differs"


def test_networks_that_cannot_fit_random_labels_have_a_bound_that_says_something() -> None:
    found = label_blind(results(CHANCE), "inception")
    assert isinstance(found, LabelBlind)
    assert found.rademacher < TWO_CLASSES_GUESSED


@pytest.mark.parametrize("name", STUDY.tables)
def test_tables_say_so_where_nothing_was_run(name: str) -> None:
    assert "not run" in STUDY.table(name)(NOTHING).markdown()
    assert "not run" not in STUDY.table(name)(FOUND).markdown()


def test_numbers_are_the_extremes_of_all_models() -> None:
    numbers = STUDY.numbers(FOUND)
    assert numbers["least_complexity"] == 1
    assert numbers["largest_gap_true"] == pytest.approx(0.03)
    assert numbers["least_gap_random"] == pytest.approx(0.9)
    assert numbers["unseen_random"] == pytest.approx(0.9045, abs=0.001)
    assert STUDY.numbers(NOTHING)["least_bound"] is None


@pytest.mark.parametrize("found", [FOUND, NOTHING, results(norms=norm_rows(margin=0.0))])
def test_the_figure_is_drawn_from_its_points(found: Results) -> None:
    drawing = STUDY.figure("bounds")
    points = drawing.points(found)
    with style():
        assert svg(drawing.draw(points)).startswith("<?xml")
    assert ("not run" in set(points["note"])) == (found is NOTHING)
    assert np.isfinite(points["value"][points["note"] == ""]).all()


def test_a_study_on_one_model_alone_is_possible() -> None:
    study = DIGITS.studies.bounds.model_copy(update={"models": ["alexnet"]})
    params = DIGITS.model_copy(update={"studies": DIGITS.studies.model_copy(update={"bounds": study})})
    found = Invented(runs(), {}, params)
    assert len(STUDY.table("label-blind")(found).rows) == 1
    assert [each.kind for each in experiments(params)] == ["twins", "twins"]
