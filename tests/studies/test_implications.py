"""The summary over all studies, on invented networks."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rethinking.params_file import load_params
from rethinking.results.claims import Verdict
from rethinking.results.frame import Results
from rethinking.results.style import style, svg
from rethinking.studies.implications import STUDY
from rethinking.studies.implications.sizes import BOTH, DENSE, PRUNED, ROUNDED, by_width, compressed, pairs, smallest

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "digits")
MODEL = PARAMS.studies.implications.model
WHOLE = 100_000.0  # bytes


class Measured(Results):
    """Results whose quantisation study left these rows."""

    def __init__(self, cells: pd.DataFrame, combined: pd.DataFrame, weights: pd.DataFrame) -> None:
        super().__init__(PARAMS, cells, pd.DataFrame())
        self.found = {"combined": combined, "weights": weights}

    def experiment(self, study: str, kind: str) -> pd.DataFrame:
        assert study == "quantisation"
        return self.found[kind]


def cell(model: str, corruption: str, parameters: int, test: float, **other: Any) -> dict[str, Any]:
    row = {"dataset": "digits", "model": model, "corruption": corruption, "regularizer": "none", "seed": 0}
    row |= {"status": "finished", "parameters": parameters, "train_examples": 1437}
    return row | {"train_accuracy": 1.0, "test_accuracy": test} | other


def combined(corruption: str, test: float, keeps: int) -> list[dict[str, Any]]:
    """Return a network pruned by half in each of ten rounds, in 32, 4 and 2 bits, that keeps all up to a round.

    Two bits are too few for either.
    """
    return [
        {"model": MODEL, "corruption": corruption, "seed": 0, "round": round_, "bits": bits}
        | {"bytes": WHOLE * 0.5**round_ * bits / 32}
        | (
            {"train_accuracy": 1.0, "test_accuracy": test}
            if round_ <= keeps and bits > 2
            else {"train_accuracy": 0.5, "test_accuracy": min(test, 0.3)}
        )
        for round_ in range(11)
        for bits in (32, 4, 2)
    ]


def results(*, learned: int = 6, memorised: int = 2, small: float = 0.9, aware: bool = False) -> Measured:
    cells = [
        cell(MODEL, "true", 25_000, 0.97),
        cell(MODEL, "random-labels", 25_000, 0.1),
        *(cell(f"{MODEL}-k{width}", "true", 60 * width, small) for width in PARAMS.studies.implications.widths),
        cell("cnn-k4", "wrong-labels-p20", 5_000, 0.7, dataset="digits-part1of2", train_examples=718),
        cell("cnn-k4", "wrong-labels-p20", 5_000, 0.8, dataset="digits-part2of2", train_examples=718, seed=1),
        cell("cnn-k4", "true", 5_000, 0.9, regularizer="wd"),
        cell("cnn-k8", "true", 5_000, 0.9, status="diverged"),
    ]
    rows = [*combined("true", 0.97, learned), *combined("random-labels", 0.1, memorised)]
    trained_on = [{**rows[0], "method": "aware", "bits": 3, "bytes": 9_000.0}] if aware else []
    return Measured(pd.DataFrame(cells), pd.DataFrame(rows), pd.DataFrame(trained_on))


def nothing() -> Measured:
    cells = pd.DataFrame(columns=list(cell(MODEL, "true", 1, 0.0)))
    return Measured(cells, pd.DataFrame(), pd.DataFrame())


def verdicts(found: Results) -> dict[str, Verdict]:
    return {claim.key: claim.judge(found) for claim in STUDY.claims()}


def test_forms_are_told_by_rounds_of_pruning_and_bits() -> None:
    found = compressed(results(aware=True))
    assert found["form"].value_counts().to_dict() == {DENSE: 2, PRUNED: 20, ROUNDED: 5, BOTH: 40}
    assert 9_000.0 in set(found[found["form"] == ROUNDED]["bytes"])


def test_the_smallest_file_is_the_smallest_that_keeps_train_accuracy() -> None:
    both = pairs(results())[MODEL]
    assert both["true"].dense == WHOLE
    assert both["true"].by_form == {PRUNED: WHOLE / 2**6, ROUNDED: WHOLE / 8, BOTH: WHOLE / 2**9}
    assert both["random-labels"].best == WHOLE / 2**5
    assert both["true"].best == WHOLE / 2**9


def test_a_form_that_keeps_nothing_has_no_smallest_file() -> None:
    (true, _) = smallest(results(learned=0))
    assert true.by_form == {ROUNDED: WHOLE / 8}


def test_sweeps_over_widths_are_averaged_over_parts_and_seeds() -> None:
    found = by_width(results())
    cnn = found[found["model"] == "cnn"].to_dict("records")
    assert len(cnn) == 1, "neither under weight decay nor diverged"
    assert cnn[0]["test_accuracy"] == pytest.approx(0.75)
    assert (cnn[0]["examples"], cnn[0]["bytes"], cnn[0]["networks"]) == (718, 20_000, 2)
    assert len(found) == 1 + len(PARAMS.studies.implications.widths), "full width is no part of a sweep"


def test_all_claims_hold_where_networks_behave_as_in_the_papers() -> None:
    assert {key: found.judgement for key, found in verdicts(results()).items()} == {
        "size-does-not-decide": "holds",
        "large-is-no-worse": "holds",
        "a-tenth-is-enough": "holds",
        "memorising-takes-more": "holds",
        "large-then-small": "holds",
    }


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"memorised": 6}, "memorising-takes-more"),
        ({"learned": 0, "memorised": 0}, "a-tenth-is-enough"),
        ({"small": 0.99}, "large-is-no-worse"),
        ({"small": 0.99}, "large-then-small"),
    ],
)
def test_a_claim_differs_where_networks_behave_otherwise(changed: dict[str, Any], key: str) -> None:
    assert verdicts(results(**changed))[key].judgement == "differs"


def test_a_gap_that_labels_do_not_change_contradicts_the_paper() -> None:
    found = results()
    found.found["combined"]["test_accuracy"] = found.found["combined"]["train_accuracy"]
    assert verdicts(found)["size-does-not-decide"].judgement == "differs"


def test_where_nothing_was_run_everything_says_so() -> None:
    assert {found.judgement for found in verdicts(nothing()).values()} == {"not run"}
    assert "not run" in STUDY.table("sizes")(nothing()).markdown()
    drawing = STUDY.figure("sizes")
    points = drawing.points(nothing())
    assert points["note"].tolist() == ["not run"]
    with style():
        assert svg(drawing.draw(points)).startswith("<?xml")
    assert STUDY.numbers(nothing()) == {}


def test_table_numbers_and_figure_show_the_same_sizes() -> None:
    found = results()
    table = STUDY.table("sizes")(found).markdown()
    assert "| MLP 1×512 | true labels | 100 | 1.56 | 12.5 | 0.195 | 512 | 1.09 |" in table
    assert STUDY.numbers(found)[MODEL]["memorised_over_learned"] == 16
    points = STUDY.figure("sizes").points(found)
    assert set(points["measure"]) == {"test_accuracy", "gap"}
    assert len(points) == 2 * (66 + 1 + len(PARAMS.studies.implications.widths))
    with style():
        assert "<path" in svg(STUDY.figure("sizes").draw(points))
