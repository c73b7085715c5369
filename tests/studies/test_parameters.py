"""The study of parameters against data: its cells, and what its tables, figures and claims make of results."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rethinking.cells import Cell
from rethinking.errors import UserError
from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.claims import Verdict
from rethinking.results.frame import IDENTITY, Estimate, Results
from rethinking.results.published import read_published
from rethinking.results.style import style, svg
from rethinking.studies.parameters import STUDY
from rethinking.studies.parameters.catalogue import EXAMPLES, NETWORKS
from rethinking.studies.parameters.design import RANDOM, TRUE, cells
from rethinking.studies.parameters.measures import (
    Printed,
    counts,
    of_1990,
    perceptrons_by_width,
    perceptrons_of_1990,
    printed,
    trained_here,
)
from rethinking.studies.parameters.tables import numbers

ROOT = Path(__file__).resolve().parents[2]
PARAMS = {name: load_params(ROOT / "params.yaml", name) for name in ("paper", "digits", "smoke")}
DIGITS = PARAMS["digits"]
EXAMPLES_HERE = 1437
COLUMNS = [*IDENTITY, "status", "parameters", "train_examples", "train_accuracy", "test_accuracy"]

Accuracy = Callable[[float, str], tuple[float, float]]
"""Train and test accuracy by parameters an example and corruption."""

COUNTED = {
    "inception": 1_649_402,
    "alexnet": 1_387_786,
    "mlp-1x512": 1_209_866,
    "mlp-3x512": 1_735_178,
    "wrn-28-1": 369_498,
    "wrn-40-4": 8_949_210,
    "wrn-28-10": 36_479_194,
    "inception-v3": 23_834_568,
    "inception-v3-auxiliary": 27_161_264,
    "inception-v3-1008": 23_850_960,
    "alexnet-imagenet": 61_100_840,
    "resnet18-imagenet": 11_689_512,
    "resnet152": 60_192_808,
    "vgg11": 132_863_336,
    "vgg19": 143_667_240,
}


class Measured(Results):
    """Results whose counting left this table."""

    def __init__(self, params: Params, runs: list[dict[str, Any]], counted: dict[str, int]) -> None:
        super().__init__(params, pd.DataFrame(runs, columns=COLUMNS), pd.DataFrame())
        self.counted = counted

    def experiment(self, study: str, kind: str) -> pd.DataFrame:
        assert (study, kind) == ("parameters", "counting")
        rows = [
            {"network": name, "parameters": count, "running_statistics": 34_432 if "v3" in name else 0}
            for name, count in self.counted.items()
        ]
        return pd.DataFrame(rows)


def line(cell: Cell, parameters: int, train: float, test: float, **other: Any) -> dict[str, Any]:
    identity = {name: getattr(cell, name) for name in IDENTITY}
    measures = {"status": "finished", "parameters": parameters, "train_examples": EXAMPLES_HERE}
    return identity | measures | {"train_accuracy": train, "test_accuracy": test} | other


def as_in_1990(ratio: float, corruption: str) -> tuple[float, float]:
    """Rise to one parameter an example and fall beyond; random labels by the number of parameters."""
    if corruption == RANDOM:
        return min(1.0, 0.1 + 0.15 * ratio), 0.1
    return min(0.9, 0.7 + 0.1 * ratio), 0.6 - 0.02 * abs(ratio - 1)


def ever_better(ratio: float, corruption: str) -> tuple[float, float]:
    train, test = as_in_1990(ratio, corruption)
    return train, 0.6 + 0.01 * ratio if corruption == TRUE else test


LARGE = {
    "inception": (104_000, 0.99),
    "alexnet": (60_000, 0.98),
    "mlp-3x512": (556_000, 0.97),
    "mlp-1x512": (30_730, 0.96),
}


def results(
    accuracy: Accuracy | None = as_in_1990,
    counted: dict[str, int] = COUNTED,  # never changed
    large: dict[str, tuple[int, float]] = LARGE,
    params: Params = DIGITS,
) -> Measured:
    runs = []
    for cell in cells(params) if accuracy else []:
        assert accuracy is not None
        width = int(cell.model.rpartition("-k")[2])
        parameters = 60 * width + 10
        train, test = accuracy(parameters / EXAMPLES_HERE, cell.corruption)
        runs.append(line(cell, parameters, train, test))
    for model, (parameters, test) in large.items():
        runs.append(line(Cell("digits", model, TRUE, "none", 0), parameters, 1.0, test))
        runs.append(line(Cell("digits", model, TRUE, "wd", 0), parameters, 1.0, 0.0))
        runs.append(line(Cell("digits", model, RANDOM, "none", 0), parameters, 1.0, 0.1))
    return Measured(params, runs, counted)


def runs_of(found: Results) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in run.items()} for run in found.of().to_dict("records")]


FULL, NOTHING = results(), results(None, {}, {})


def verdict(key: str, found: Results) -> Verdict:
    (claim,) = [claim for claim in STUDY.claims() if claim.key == key]
    return claim.judge(found)


# --- design and settings ---


def test_the_hidden_units_of_1990_have_their_ratios_of_1990_on_cifar10() -> None:
    """2352 inputs and ten classes: 2363 parameters a unit, and ten."""
    study = PARAMS["paper"].studies.parameters
    ratios = {width: (2363 * width + 10) / EXAMPLES["cifar10"] for width in study.widths}
    for row in perceptrons_of_1990():
        assert row.hidden_units is not None
        assert ratios[row.hidden_units] == pytest.approx(row.ratio, rel=0.03)


@pytest.mark.parametrize(("name", "per_unit", "examples"), [("paper", 2363, 50_000), ("digits", 60, EXAMPLES_HERE)])
def test_widths_go_from_a_fifth_of_a_parameter_an_example_to_ten(name: str, per_unit: int, examples: int) -> None:
    widths = PARAMS[name].studies.parameters.widths
    first, last = ((per_unit * width + 10) / examples for width in (widths[0], widths[-1]))
    assert 0.19 <= first <= 0.25
    assert 9 <= last <= 10.5


def test_a_width_that_the_summary_trains_too_is_the_same_cell() -> None:
    from rethinking.studies.implications import STUDY as SUMMARY

    shared = set(cells(DIGITS)) & set(SUMMARY.cells(DIGITS))
    assert {(cell.model, cell.corruption) for cell in shared} >= {
        (f"mlp-1x512-k{width}", corruption) for width in (8, 16, 32, 64, 128) for corruption in (TRUE, RANDOM)
    }


def test_random_labels_have_seeds_of_their_own() -> None:
    seeds = {
        corruption: {cell.seed for cell in cells(DIGITS) if cell.corruption == corruption}
        for corruption in (TRUE, RANDOM)
    }
    assert seeds == {TRUE: {0, 1, 2}, RANDOM: {0}}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "widths: [5, 10, 20,",
            "widths: [10, 5, 20,",
            "studies.parameters.widths: found [10, 5, 20, 50, 100, 200], must",
        ),
        ("seeds: [0, 1, 2, 3, 4] #", "seeds: [0, 0] #", "studies.parameters.seeds: found [0, 0], must rise from each"),
        (
            "model: mlp-1x512 # at",
            "model: mlp-3x512 # at",
            "found 'mlp-3x512', must be a perceptron (mlp) with a depth",
        ),
        ("model: mlp-1x512 # at", "model: alexnet # at", "studies.parameters.model: found 'alexnet', must be a percep"),
    ],
)
def test_settings_that_make_no_table_are_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_params(path, "paper")
    assert complaint in str(caught.value)


# --- published values ---


def test_every_printed_count_is_of_a_network_that_is_counted() -> None:
    names = [network.name for network in NETWORKS]
    assert len(set(names)) == len(names)
    assert set(printed()) == {network.name for network in NETWORKS if not network.variant}


def test_the_talks_ratios_are_its_counts_over_the_examples_that_it_says_there_are() -> None:
    examples = {"cifar10": 50_000, "imagenet": 1_200_000}
    for row in read_published("parameters", paper="several"):
        if row["parameters_per_example"]:
            ratio = int(row["parameters"]) / examples[row["dataset"]]
            # VGG-11's 110.7 is printed as 110, ResNet-18's 9.7 as 10.
            assert abs(ratio - int(row["parameters_per_example"])) < 1


def test_the_table_of_1990_has_its_best_test_accuracy_near_one_parameter_a_pattern() -> None:
    rows = perceptrons_of_1990()
    assert [row.hidden_units for row in rows] == [5, 20, 50, 200]
    assert max(rows, key=lambda row: row.test).ratio == 0.93
    assert rows[-1].test == pytest.approx(0.594)
    assert len(of_1990()) == 7


@pytest.mark.parametrize(
    ("value", "digits", "counted", "agrees"),
    [
        (1_387_786, 7, 1_387_786, True),
        (1_387_786, 7, 1_387_780, False),
        (36_500_000, 3, 36_479_194, True),
        (36_500_000, 3, 36_550_001, False),
        (8_900_000, 2, 8_949_210, True),
        (8_900_000, 2, 8_950_001, False),
    ],
)
def test_a_count_agrees_in_the_digits_that_are_printed(value: int, digits: int, counted: int, agrees: bool) -> None:
    assert Printed(value, digits, None).agrees(counted) is agrees


# --- measures, tables, figures ---


def test_perceptrons_are_averaged_over_their_own_seeds_alone() -> None:
    found = results()
    others = line(Cell("digits", "mlp-1x512-k5", RANDOM, "none", 7), 310, 0.0, 0.0)
    found = Measured(DIGITS, [*runs_of(found), others], COUNTED)
    first, *_ = perceptrons_by_width(found, RANDOM)
    assert first.ratio == pytest.approx(310 / EXAMPLES_HERE)
    assert isinstance(first.train, Estimate)
    assert first.train.mean == pytest.approx(0.1 + 0.15 * 310 / EXAMPLES_HERE)
    assert first.train.seeds == 1


def test_networks_trained_here_are_those_at_full_width_on_true_labels() -> None:
    found = trained_here(results())
    assert {each.model: (each.parameters, each.test_accuracy) for each in found} == LARGE
    assert trained_here(NOTHING) == []


def test_a_diverged_network_leaves_no_number() -> None:
    runs = runs_of(results())
    for run in runs:
        if run["model"] == "mlp-1x512-k240" and run["seed"] == 1:
            run["status"] = "diverged"
    found = Measured(DIGITS, runs, COUNTED)
    assert perceptrons_by_width(found, TRUE)[-1].test == "diverged"
    assert verdict("test-falls", found).judgement == "not run"
    assert "diverged" in STUDY.table("hidden-units")(found).markdown()


def test_the_table_of_counts_has_printed_and_counted_side_by_side() -> None:
    table = STUDY.table("counts")(FULL).markdown()
    assert "| AlexNet | CIFAR-10 | 50,000 | 1,387,786 | 1,387,786 | +0.0 % | ✓\u00a0agrees | 28 | 27.8 |" in table
    assert "| AlexNet | ImageNet | 1,281,167 | 61,100,840 | 61,100,840 | +0.0 % | ✓\u00a0agrees | 51 | 47.7 |" in table
    assert (
        "| Wide ResNet 28-10 | CIFAR-10 | 50,000 | 36.5 million | 36,479,194 | −0.1 % | ✓\u00a0agrees | – | 730 |"
        in table
    )
    assert (
        "| Inception V3 | ImageNet | 1,281,167 | 23,885,392 | 23,834,568 | −0.2 % | ✗\u00a0differs | 20 | 18.6 |"
        in table
    )
    assert (
        "| Inception V3, 1008 outputs, running statistics | ImageNet | 1,281,167 | – | 23,885,392 | – | – | – | 18.6 |"
        in table
    )


def test_the_table_of_hidden_units_has_1990_above_ours() -> None:
    rows = STUDY.table("hidden-units")(FULL).markdown().splitlines()[2:]
    assert rows[0] == "| SPICOS, 1990 | perceptron | 5 | 0.23 | 62.80 | 54.20 | – |"
    assert rows[4] == "| SPICOS, 1990 | Markov model, maximum likelihood | – | 0.25 | 45.90 | 44.80 | – |"
    assert len(rows) == 7 + len(DIGITS.studies.parameters.widths)
    assert rows[-1].startswith("| digits | perceptron | 240 | 10.03 | 90.00 ± 0 | 41.94 ± 0 | 100.00 |")


def test_numbers_say_where_the_best_network_is() -> None:
    found = numbers(FULL)
    assert found["ratios"]["vgg19"] == pytest.approx(112, abs=0.5)
    assert found["trained"]["mlp-1x512"] == pytest.approx(21.4, abs=0.05)
    assert found["in_1990"] == {
        "best_ratio": 0.93,
        "best_test_accuracy": 0.627,
        "most_ratio": 9.3,
        "most_test_accuracy": 0.594,
    }
    # 970 and 1930 parameters are 0.675 and 1.34 for each example: the latter is nearer to one than the former.
    assert found["hidden_units"]["best_ratio"] == 0.675
    assert numbers(results(ever_better))["hidden_units"]["best_ratio"] == 10.0
    assert numbers(NOTHING)["hidden_units"]["best_ratio"] is None


def test_the_figure_of_ratios_has_a_row_for_every_network() -> None:
    points = STUDY.figure("ratios").points(FULL)
    ours = points[points["source"] == "ours"]
    published = [network.title for network in NETWORKS if not network.variant]
    assert ours[ours["group"] == "published"]["series"].tolist() == published
    trained = ours[ours["group"] == "trained here"]["series"].tolist()
    assert trained == ["Inception", "AlexNet", "MLP 3×512", "MLP 1×512", "perceptron, 5 units", "perceptron, 240 units"]
    assert len(points[points["source"] == "paper"]) == 9
    assert counts(FULL)[0].ratio == pytest.approx(32.988, abs=1e-3)


@pytest.mark.parametrize("name", STUDY.figures)
@pytest.mark.parametrize("found", [FULL, NOTHING, results(None), results(as_in_1990, {})])
def test_every_figure_can_be_drawn_of_any_results(name: str, found: Results) -> None:
    drawing = STUDY.figure(name)
    points = drawing.points(found)
    with style():
        assert svg(drawing.draw(points)).startswith("<?xml")
    if found is NOTHING:
        assert set(points[points["source"] == "ours"]["note"]) == {"not run"}


@pytest.mark.parametrize("name", STUDY.tables)
def test_every_table_says_what_was_not_run(name: str) -> None:
    table = STUDY.table(name)(NOTHING)
    assert "not run" in table.markdown()
    assert len({line.count("|") for line in table.markdown().splitlines()}) == 1


# --- claims ---


def test_claims_that_hold_where_networks_behave_as_published() -> None:
    assert {claim.key: claim.judge(FULL).judgement for claim in STUDY.claims()} == {
        "counts-agree": "holds",
        "inception-v3": "holds",
        "more-parameters": "holds",
        "more-parameters-here": "holds",
        "no-order": "holds",
        "train-rises": "holds",
        "test-falls": "holds",
        "random-labels": "holds",
        "true-labels": "holds",
    }


def chance(ratio: float, corruption: str) -> tuple[float, float]:
    return 0.1, 0.1


def falling(ratio: float, corruption: str) -> tuple[float, float]:
    return 0.9 - 0.02 * ratio, 0.5


def memory(ratio: float, corruption: str) -> tuple[float, float]:
    return 0.99, 0.1


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("counts-agree", results(counted=COUNTED | {"alexnet": 1_387_780})),
        ("counts-agree", results(counted=COUNTED | {"wrn-40-4": 8_960_000})),
        ("inception-v3", results(counted=COUNTED | {"inception-v3-1008": 23_834_568})),
        ("inception-v3", results(counted=COUNTED | {"inception-v3": 23_885_392})),
        ("more-parameters", results(counted=COUNTED | {"wrn-28-1": 249_999})),
        ("more-parameters-here", results(large=LARGE | {"mlp-1x512": (1436, 0.9)})),
        ("no-order", results(large={name: (count, count / 1e6) for name, (count, _) in LARGE.items()})),
        ("no-order", results(large={name: (count, 1 - count / 1e6) for name, (count, _) in LARGE.items()})),
        ("train-rises", results(falling)),
        ("test-falls", results(ever_better)),
        ("random-labels", results(chance)),
        ("random-labels", results(memory)),
        ("true-labels", results(memory)),
    ],
)
def test_a_claim_differs_where_it_is_otherwise(key: str, found: Results) -> None:
    assert verdict(key, found).judgement == "differs"


def test_nothing_is_claimed_of_what_was_not_run() -> None:
    assert {claim.judge(NOTHING).judgement for claim in STUDY.claims()} == {"not run"}


def test_a_width_that_is_missing_leaves_its_curve_unjudged() -> None:
    runs = [run for run in runs_of(results()) if run["model"] != "mlp-1x512-k5"]
    found = Measured(DIGITS, runs, COUNTED)
    judged = {key: verdict(key, found).judgement for key in ("train-rises", "test-falls", "random-labels", "no-order")}
    assert judged == {
        "train-rises": "not run",
        "test-falls": "not run",
        "random-labels": "not run",
        "no-order": "holds",
    }


def test_evidence_names_accuracy_and_parameters_an_example() -> None:
    assert verdict("test-falls", FULL).evidence == (
        "59.4 % at 0.675 parameters an example, 41.9 % at 10 parameters an example"
    )
    assert verdict("more-parameters", FULL).evidence == ("from 7.39 (Wide ResNet 28-1) to 730 (Wide ResNet 28-10)")
