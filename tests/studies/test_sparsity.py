"""The study of pruning: what is run, what its tables and figures say, and what its claims are judged by."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from rethinking.errors import UserError
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.plan import make_plan
from rethinking.results.claims import Verdict
from rethinking.results.frame import Estimate, Results
from rethinking.results.published import read_published
from rethinking.results.style import style, svg
from rethinking.studies.randomisation.design import cells as randomisation_cells
from rethinking.studies.sparsity import STUDY, figures, tables
from rethinking.studies.sparsity.curves import METHODS, accuracy_by_fraction, curve, gain, kept, kept_by, ways
from rethinking.studies.sparsity.design import cells, experiments
from rethinking.studies.sparsity.vocabulary import (
    CORRUPTIONS,
    DENSE,
    GLOBAL,
    ITERATIVE,
    LAYER_WISE,
    ONE_SHOT,
    RANDOM_MASK,
    REINITIALISED,
    RETRAINING,
    TICKET,
)

FILE = Path(__file__).resolve().parents[2] / "params.yaml"
PARAMS = {name: load_params(FILE, name) for name in ("paper", "digits", "smoke")}
DIGITS = PARAMS["digits"]
MODELS = ("inception", "alexnet", "mlp-1x512")

Kept = dict[tuple[str, str, str], float]
"""(method, model, corruption): the fraction from which accuracy falls."""

KEPT: Kept = {
    (method, model, corruption): fraction
    for method, true, random in ((ONE_SHOT, 0.2, 0.4), (RETRAINING, 0.05, 0.18), (ITERATIVE, 0.02, 0.16))
    for model in MODELS
    for corruption, fraction in (("true", true), ("random-labels", random))
}

TRIALS = {
    "true": {1: {DENSE: 0.9, TICKET: 0.95, REINITIALISED: 0.9, RANDOM_MASK: 0.6}, 5: {DENSE: 0.97}},
    "random-labels": {1: {DENSE: 0.15}, 60: {DENSE: 0.99, TICKET: 0.98, REINITIALISED: 0.8, RANDOM_MASK: 0.5}},
}
"""Accuracy by epoch and method; what is missing is that of the whole network."""


class Invented(Results):
    """Results of experiments that were never run."""

    def __init__(self, frames: dict[str, pd.DataFrame], params: Params = DIGITS) -> None:
        super().__init__(params, pd.DataFrame(), pd.DataFrame())
        self.frames = frames

    def experiment(self, study: str, kind: str) -> pd.DataFrame:
        return self.frames.get(kind, pd.DataFrame())


def accuracy(fraction: float, kept_to: float) -> float:
    """All of it down to a fraction, then falling with its logarithm, to that of guessing at a fortieth of it."""
    return 1.0 if fraction >= kept_to else max(0.1, 1 + 0.9 * math.log(fraction / kept_to) / math.log(40))


def pruned_rows(kept_to: Kept, layer_wise: float = 0.6, seeds: int = 1, unmeasured: float = 0.4) -> dict[str, Any]:
    """Rows of the first three kinds: layer-wise pruning fails at a larger fraction, and so do old statistics."""
    fractions = (1.0, 0.8, 0.64, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)
    frames: dict[str, list[dict[str, Any]]] = {}
    for (method, model, corruption), limit in kept_to.items():
        for seed in range(seeds):
            for scope in (GLOBAL, LAYER_WISE):
                for fraction in fractions:
                    for anew in (False, True) if (method, model) == (ONE_SHOT, "inception") else (False,):
                        own = limit if scope == GLOBAL else limit / layer_wise
                        old = (method, model) == (ONE_SHOT, "inception") and not anew
                        value = accuracy(fraction, min(1.0, own / unmeasured if old else own)) - 0.001 * seed
                        row = {
                            "model": model,
                            "corruption": corruption,
                            "seed": seed,
                            "method": method,
                            "scope": scope,
                            "round": 0 if fraction == 1 else 1,
                            "fraction_left": fraction,
                            "weights_left": round(1000 * fraction),
                            "weights": 1000,
                            "train_accuracy": value,
                            "test_accuracy": 0.98 * value if corruption == "true" else 0.1,
                            "epochs": 0,
                            "status": "finished",
                        }
                        frames.setdefault(method, []).append(
                            row | ({"recalibrated": anew} if method == ONE_SHOT else {})
                        )
    return {method: pd.DataFrame(rows) for method, rows in frames.items()}


def ticket_rows(changes: dict[tuple[str, int, str], float] | None = None, fall: float = 0.02) -> pd.DataFrame:
    """Rows of tickets; controls lose the whole network's final test accuracy at a quarter, tickets at `fall`."""
    rows = []
    for corruption, by_epoch in TRIALS.items():
        last = max(by_epoch)
        for seed in (101, 102):
            for round_ in range(8):
                for method in (DENSE,) if round_ == 0 else (TICKET, REINITIALISED, RANDOM_MASK):
                    for epoch, values in by_epoch.items():
                        value = (changes or {}).get((corruption, epoch, method), values.get(method, values[DENSE]))
                        fraction = 0.5**round_
                        if (corruption, epoch) == ("true", last):
                            value -= 0.05 if fraction <= (fall if method == TICKET else 0.26) else 0.0
                        rows.append(
                            {
                                "model": "mlp-1x512",
                                "corruption": corruption,
                                "seed": seed,
                                "method": method,
                                "scope": GLOBAL,
                                "round": round_,
                                "fraction_left": fraction,
                                "weights_left": round(1024 * fraction),
                                "weights": 1024,
                                "draw": 0,
                                "train_accuracy": value + 0.001 * (seed - 101),
                                "test_accuracy": value + 0.001 * (seed - 101),
                                "epoch": epoch,
                                "epochs": last,
                                "status": "finished",
                            }
                        )
    return pd.DataFrame(rows)


def invented(kept_to: dict[tuple[str, str, str], float] | None = None, **options: Any) -> Results:
    trials = ticket_rows(options.pop("trials", None), options.pop("fall", 0.02))
    return Invented({**pruned_rows(KEPT | (kept_to or {}), **options), "tickets": trials})


FOUND = invented()
NOTHING = Invented({})


# --- what is run ---


@pytest.mark.parametrize("preset", PARAMS)
def test_no_network_is_trained_for_pruning_alone(preset: str) -> None:
    assert set(cells(PARAMS[preset])) <= set(randomisation_cells(PARAMS[preset]))


@pytest.mark.parametrize("preset", PARAMS)
def test_experiments_have_names_of_their_own_and_settings_that_json_holds(preset: str) -> None:
    found = experiments(PARAMS[preset])
    assert len({str(each) for each in found}) == len(found)
    for each in found:
        assert json.loads(json.dumps(each.settings)) == each.settings
        assert set(each.cells) <= set(cells(PARAMS[preset]))
        assert each.leaves_networks == (each.kind == ITERATIVE)
    assert {each.kind for each in found} == {*METHODS, "tickets"}


def test_trials_of_tickets_share_no_seed_with_the_networks_that_are_pruned() -> None:
    for params in PARAMS.values():
        assert all(set(part.seeds).isdisjoint(params.seeds) for part in params.studies.sparsity.tickets)


def test_networks_are_pruned_side_by_side() -> None:
    """Whatever is done to a network that learned is done to one that memorised."""
    for kind in METHODS:
        units = [each.unit for each in experiments(DIGITS) if each.kind == kind]
        by_label = [{unit.replace(name, "") for unit in units if f".{name}." in unit} for name in CORRUPTIONS]
        assert by_label[0] == by_label[1]
        assert by_label[0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"fractions_left": [0.5, 0.8]}, r"fractions_left: found \[0.5, 0.8\], must fall from each to the next"),
        ({"fractions_left": [1.0, 0.5]}, "must be less than 1"),
        ({"models": ["vgg"]}, "studies.sparsity.models: found 'vgg', must be one of"),
        (
            {"iterative": [{"models": ["alexnet", "alexnet"], "pruned_per_round": 0.2, "rounds": 1}]},
            "iterative.*is missing|found alexnet twice",
        ),
        ({"accuracy_lost": 0}, "must be greater than 0|must be a number"),
    ],
    ids=["order", "whole", "model", "twice", "nothing"],
)
def test_bad_settings_are_told_of(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    content["presets"]["digits"]["studies"]["sparsity"].update(change)
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(UserError, match=complaint):
        make_plan({"preset": "digits"}, path)


def test_a_model_or_a_trial_is_named_once(tmp_path: Path) -> None:
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    study = content["presets"]["digits"]["studies"]["sparsity"]
    for key, complaint in (
        ("retraining", "retraining: found mlp-1x512 twice"),
        ("iterative", "iterative: found mlp-1x512 twice"),
        ("tickets", "tickets: found mlp-1x512 with true twice"),
    ):
        whole = study[key]
        study[key] = [*whole, next(entry for entry in whole if "mlp-1x512" in entry["models"])]
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        study[key] = whole
        with pytest.raises(UserError, match=complaint):
            load_params(path, "digits")


# --- what is read out ---


def values(**by_percent: float) -> dict[float, Estimate | str]:
    return {float(name[1:]) / 100: Estimate(value, None, 1) for name, value in by_percent.items()}


def test_accuracy_is_kept_down_to_where_it_crosses_on_a_logarithmic_axis() -> None:
    found = kept(values(p100=1.0, p10=1.0, p1=0.8), 0.1)
    assert found is not None
    assert found.fraction == pytest.approx(10**-1.5)
    assert (found.at_most, found.text) == (False, "3.2 %")


def test_the_first_loss_ends_the_search() -> None:
    """What comes back below is no longer the same network's accuracy kept."""
    found = kept(values(p100=1.0, p50=0.5, p10=1.0), 0.01)
    assert found is not None
    assert 0.5 < found.fraction < 1


def test_accuracy_that_is_kept_to_the_end_is_kept_at_most_to_there() -> None:
    found = kept(values(p100=0.9, p10=0.895, p1=0.891), 0.01)
    assert found is not None
    assert (found.fraction, found.at_most, found.text) == (0.01, True, "≤ 1.0 %")


def test_what_diverged_has_lost_everything() -> None:
    found = kept({**values(p100=1.0, p50=1.0), 0.1: "diverged"}, 0.01)
    assert found is not None
    assert 0.49 < found.fraction < 0.5


@pytest.mark.parametrize("found", [{}, values(p100=1.0), values(p50=1.0, p10=0.5)], ids=str)
def test_nothing_is_kept_where_the_whole_network_or_the_pruned_ones_are_missing(
    found: dict[float, Estimate | str],
) -> None:
    assert kept(found, 0.01) is None


def test_curves_take_the_statistics_that_were_measured_anew() -> None:
    found = curve(FOUND, ONE_SHOT, "inception", "true")
    assert found[0.2] == Estimate(1.0, None, 1)
    assert len(curve(FOUND, ONE_SHOT, "alexnet", "true")) == 11


def test_seeds_are_averaged_and_one_that_diverged_shows() -> None:
    several = invented(seeds=3)
    value = curve(several, ITERATIVE, "alexnet", "true")[0.5]
    assert isinstance(value, Estimate)
    assert value.mean == pytest.approx(0.999)
    assert value.seeds == 3
    frame = several.experiment("sparsity", ITERATIVE)
    frame.loc[(frame["fraction_left"] == 0.05) & (frame["seed"] == 1), "status"] = "diverged"
    assert curve(several, ITERATIVE, "alexnet", "true")[0.05] == "diverged"
    left = kept_by(several, ITERATIVE, "alexnet", "true")
    assert left is not None
    assert left.fraction > 0.09


def test_accuracy_by_fraction_has_a_line_for_every_network_and_way_to_prune_it() -> None:
    found = accuracy_by_fraction(invented(seeds=2))
    assert len(found) == 3 * 3 * 2 * 2 * 11
    line = found[
        (found["model"] == "inception")
        & (found["corruption"] == "true")
        & (found["method"] == ONE_SHOT)
        & (found["scope"] == GLOBAL)
        & (found["fraction_left"] == 0.2)
    ]
    assert line["train_accuracy"].tolist() == pytest.approx([0.9995])
    assert line["seeds"].tolist() == [2]
    assert list(accuracy_by_fraction(NOTHING)) == list(found)
    assert accuracy_by_fraction(NOTHING).empty


def test_a_gain_is_that_of_small_tickets_over_their_own_controls() -> None:
    found = gain(FOUND, "mlp-1x512", "true", REINITIALISED, "test_accuracy", 1, 0.25)
    assert found is not None
    assert found.mean == pytest.approx(0.05)
    assert found.seeds == 2
    rows = ticket_rows()
    rows.loc[(rows["method"] == TICKET) & (rows["fraction_left"] > 0.25), "test_accuracy"] = 0.0
    assert gain(Invented({"tickets": rows}), "mlp-1x512", "true", REINITIALISED, "test_accuracy", 1, 0.25) == found
    assert gain(NOTHING, "mlp-1x512", "true", REINITIALISED, "test_accuracy", 1, 0.25) is None
    assert gain(FOUND, "alexnet", "true", REINITIALISED, "test_accuracy", 1, 0.25) is None


# --- tables and figures ---


@pytest.mark.parametrize("name", STUDY.tables)
@pytest.mark.parametrize("found", [FOUND, NOTHING], ids=["full", "nothing"])
def test_every_table_can_be_made_of_any_results(name: str, found: Results) -> None:
    table = STUDY.table(name)(found)
    assert len(table.rows) > 0
    assert len({line.count("|") for line in table.markdown().splitlines()}) == 1
    assert (tables.MISSING in table.markdown()) == (found is NOTHING)


def test_names_of_tables_and_figures_are_those_that_are_made() -> None:
    assert set(STUDY.tables) == set(tables.TABLES)
    folder = Path(figures.__file__).parent
    made = {path.stem for path in folder.glob("*.py") if path.stem not in ("__init__", "shared")}
    assert {name.replace("-", "_") for name in STUDY.figures} == made


def test_the_comparison_says_what_each_needs_and_how_many_times() -> None:
    rows = {(row[0], row[1]): row[2:] for row in tables.prunability(FOUND).rows}
    assert len(rows) == len(ways(DIGITS)) == 8
    weights, true, random, ratio = rows["AlexNet", "at once"]
    assert (weights, true, random) == (1000, "19.2", "38.4")  # 40 ** (-0.01 / 0.9) of 0.2 and of 0.4
    assert ratio == pytest.approx(2.0)
    numbers = tables.numbers(FOUND)["alexnet"]["one_shot"]
    assert numbers == {"percent_left_true": 19.2, "percent_left_random": 38.4}


def test_the_papers_values_are_as_printed() -> None:
    rows = {str(row["network"]): row for row in read_published("table1", paper="han2015")}
    factors = {name: round(int(row["parameters"]) / int(row["parameters_left"])) for name, row in rows.items()}
    assert factors == {"LeNet-300-100": 12, "LeNet-5": 12, "AlexNet": 9, "VGG-16": 13}
    left = {row[0]: row[4] for row in tables.published(FOUND).rows}
    assert left["Frankle & Carbin 2019, own first weights"] == "2.9"
    assert left["Frankle & Carbin 2019, new first weights"] == "21.1"


@pytest.mark.parametrize("name", STUDY.figures)
@pytest.mark.parametrize(
    "found",
    [FOUND, NOTHING, invented(seeds=3), Invented({"tickets": ticket_rows()}), Invented({}, PARAMS["paper"])],
    ids=["full", "nothing", "seeds", "tickets", "paper"],
)
def test_every_figure_can_be_drawn_of_any_results(name: str, found: Results) -> None:
    drawing = STUDY.figure(name)
    points = drawing.points(found)
    columns = list(points)
    assert (columns[:3], columns[-3:]) == (["source", "dataset", "series"], ["half_width", "seeds", "note"])
    assert points[columns[-4]].isna().equals(points["note"] != "")
    if found.experiment("sparsity", "tickets").empty and found.experiment("sparsity", ONE_SHOT).empty:
        assert (points["note"] == tables.MISSING).all()
    with style():
        assert drawing.draw(points).axes


@pytest.mark.parametrize("name", STUDY.figures)
def test_a_figure_shows_the_results(name: str) -> None:
    drawing = STUDY.figure(name)
    with style():
        full, nothing = (svg(drawing.draw(drawing.points(found))) for found in (FOUND, NOTHING))
    assert full != nothing
    assert all(text.startswith("<?xml") for text in (full, nothing))


# --- claims ---

CLAIMS = {claim.key: claim for claim in STUDY.claims()}


def judged(key: str, found: Results) -> Verdict:
    return CLAIMS[key].judge(found)


@pytest.mark.parametrize("key", CLAIMS)
def test_results_like_the_papers_bear_out_every_claim(key: str) -> None:
    found = judged(key, FOUND)
    assert found.judgement == "holds"
    assert found.evidence


@pytest.mark.parametrize("key", CLAIMS)
def test_nothing_is_claimed_of_what_was_not_run(key: str) -> None:
    assert judged(key, NOTHING) == Verdict("not run", "")


def every_model(method: str, corruption: str, fraction: float) -> Results:
    return invented({(method, model, corruption): fraction for model in MODELS})


NEVER_FALLS = pruned_rows(KEPT)
NEVER_FALLS[ONE_SHOT]["train_accuracy"] = 1.0

DIFFERING: dict[str, list[Results]] = {
    "pruning-has-a-knee": [
        invented({(ONE_SHOT, "alexnet", "true"): 0.7}),
        Invented(NEVER_FALLS),
    ],
    "statistics-matter": [invented(unmeasured=1.0)],
    "memorising-needs-more": [invented({(ONE_SHOT, "alexnet", "random-labels"): 0.25})],
    "one-threshold-is-as-good": [invented(layer_wise=1.5)],
    "training-on-moves-the-knee": [invented({(RETRAINING, "alexnet", "true"): 0.15})],
    "rounds-go-as-far": [invented({(ITERATIVE, "mlp-1x512", "random-labels"): 0.3})],
    "memorising-needs-more-in-rounds": [invented({(ITERATIVE, "inception", "true"): 0.08})],
    "a-tenth-is-enough": [invented({(ITERATIVE, "inception", "true"): 0.3})],
    "tickets-learn-sooner": [invented(trials={("true", 1, TICKET): 0.905})],
    "tickets-memorise-better": [invented(trials={("random-labels", 60, REINITIALISED): 0.98})],
    "random-masks-are-worse": [
        invented(trials={("true", 1, RANDOM_MASK): 0.95}),
        invented(trials={("random-labels", 60, RANDOM_MASK): 0.98}),
    ],
    "tickets-keep-accuracy-further": [invented(fall=0.26)],
}


def test_every_claim_has_results_that_it_differs_from() -> None:
    assert set(DIFFERING) == set(CLAIMS)


@pytest.mark.parametrize("key", DIFFERING)
def test_a_claim_differs_where_one_network_speaks_against_it(key: str) -> None:
    for found in DIFFERING[key]:
        answer = judged(key, found)
        assert answer.judgement == "differs"
        assert answer.evidence


def test_claims_are_judged_on_the_networks_that_were_run() -> None:
    rows = pruned_rows({key: value for key, value in KEPT.items() if key[1] == "mlp-1x512"})
    found = judged("memorising-needs-more", Invented(rows))
    assert found.judgement == "holds"
    assert found.evidence.startswith("MLP 1×512 ")
    assert "AlexNet" not in found.evidence
    assert judged("statistics-matter", Invented(rows)).judgement == "not run"


def test_the_article_section_names_every_claim_table_and_figure() -> None:
    text = (FILE.parent / "report" / "sections" / "_sparsity.qmd").read_text(encoding="utf-8")
    for key in CLAIMS:
        assert f"{{{{< var verdict.sparsity.{key} >}}}}" in text
    for name in STUDY.tables:
        assert f"_generated/tables/sparsity-{name}.md" in text
    for name in STUDY.figures:
        assert f"_generated/figures/sparsity-{name}.svg" in text
