"""The study of bias and variance: its tables, figures and claims, on the papers' curves and others."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rethinking.params import Params
from rethinking.params_file import load_params
from rethinking.results.beside import AGREES, NOT_RUN
from rethinking.results.claims import Verdict
from rethinking.results.frame import Estimate, Results
from rethinking.results.style import style, svg
from rethinking.studies.bias_variance import STUDY, tables
from rethinking.studies.bias_variance.measures import networks

ROOT = Path(__file__).resolve().parents[2]
PAPER = load_params(ROOT / "params.yaml", "paper")
WIDTHS = PAPER.studies.bias_variance.widths
DEGREES = PAPER.studies.bias_variance.regression.degrees

Curves = dict[tuple[float, str], list[float]]
"""By label noise and measure: a value a width."""


class Measured(Results):
    """Results whose experiments left these tables."""

    def __init__(self, params: Params, found: dict[str, pd.DataFrame]) -> None:
        super().__init__(params, pd.DataFrame(), pd.DataFrame())
        self.found = found

    def experiment(self, study: str, kind: str) -> pd.DataFrame:
        assert study == "bias_variance"
        return self.found.get(kind, pd.DataFrame())


def bump(first: float, peak: float, at: int, last: float) -> list[float]:
    """A curve over WIDTHS that rises to `peak` at the width `at` and falls again."""
    return [float(value) for value in np.interp(np.log(WIDTHS), np.log([2, at, 64]), [first, peak, last])]


def the_papers_curves() -> Curves:
    """Yang et al.'s bias and variance, read by eye, with a variance that is split as Neal et al. describe."""
    shapes = {0.0: (0.293, 0.109, 0.08, 0.12, 5, 0.071), 0.1: (0.318, 0.138, 0.08, 0.139, 12, 0.118)}
    shapes[0.2] = (0.351, 0.177, 0.08, 0.196, 12, 0.169)
    curves: Curves = {}
    for noise, (bias_first, bias_last, first, peak, at, last) in shapes.items():
        # Most of the bias is gone early, which leaves the variance's peak in the risk.
        bias = np.interp(np.log(WIDTHS), np.log([2, 4, 64]), [bias_first, 1.15 * bias_last, bias_last])
        variance = np.array(bump(first, peak, at, last))
        sampling = 0.6 * np.minimum(variance, last)
        curves[noise, "bias_squared"] = bias.tolist()
        curves[noise, "variance"] = variance.tolist()
        curves[noise, "risk"] = (bias + variance).tolist()
        curves[noise, "sampling_variance"] = sampling.tolist()
        curves[noise, "optimisation_variance"] = (variance - sampling).tolist()
        curves[noise, "test_error"] = (bias + variance).tolist()
        curves[noise, "train_error"] = [0.0] * len(WIDTHS)
    return curves


def the_textbooks_curves() -> dict[str, list[float]]:
    bias = [0.5 * 0.5**degree for degree in DEGREES]
    variance = [0.01 * 1.6**degree for degree in DEGREES]
    risk = [b + v + 0.25 for b, v in zip(bias, variance, strict=True)]
    return {"bias_squared": bias, "variance": variance, "risk": risk}


def results(
    curves: Curves, regression: dict[str, list[float]], params: Params = PAPER, error: float = 0.001
) -> Results:
    found: dict[str, pd.DataFrame] = {}
    rows: list[dict[str, Any]] = [
        {"label_noise": noise, "width": width, "measure": measure, "value": value, "standard_error": error}
        for (noise, measure), values in curves.items()
        for width, value in zip(params.studies.bias_variance.widths, values, strict=True)
    ]
    if rows:
        found["decomposition"] = pd.DataFrame(rows)
    if regression:
        found["regression"] = pd.DataFrame(
            {"degree": degree, "measure": measure, "value": value, "standard_error": error}
            for measure, values in regression.items()
            for degree, value in zip(DEGREES, values, strict=True)
        )
    return Measured(params, found)


THE_PAPERS = results(the_papers_curves(), the_textbooks_curves())
NOTHING = Measured(PAPER, {})
DIVERGED = results(
    {key: [*values[:-1], math.nan] if key[0] == 0.2 else values for key, values in the_papers_curves().items()},
    the_textbooks_curves(),
)
ONE_A_PART = results(
    {
        key: [math.nan] * len(values) if key[1] in ("sampling_variance", "optimisation_variance") else values
        for key, values in the_papers_curves().items()
    },
    the_textbooks_curves(),
    error=math.nan,
)
ANY = {"full": THE_PAPERS, "nothing": NOTHING, "diverged": DIVERGED, "one a part": ONE_A_PART}


def column(table: Any, heading: str) -> list[Any]:
    position = [c.heading for c in table.columns].index(heading)
    return [row[position] for row in table.rows]


# --- tables, figures, numbers ---


def test_the_published_values_are_yangs() -> None:
    table = tables.shape(NOTHING)
    assert column(table, "Variance, peak")[:4] == [0.084, 0.12, 0.139, 0.196]
    assert column(table, "at width")[:4] == [7, 5, 12, 12]
    assert column(table, "Variance, narrowest")[1] is None
    assert column(table, "Variance, peak")[4:] == ["not run"] * 3


def test_the_shape_of_curves_is_read_where_it_is() -> None:
    table = tables.shape(THE_PAPERS)
    assert column(table, "at width")[4:] == [5, 12, 12]
    ours = [value.mean for value in column(table, "Variance, peak")[4:]]
    assert ours == pytest.approx([0.12, 0.139, 0.196])
    assert column(table, "Bias², widest")[-1].mean == pytest.approx(0.177)


def test_ours_stand_beside_yangs_of_as_many_examples() -> None:
    table = tables.shape(THE_PAPERS)
    verdicts = column(table, "Verdict, within 25 %")
    assert verdicts == [None] * 4 + [AGREES] * 3
    assert column(table, "Δ variance, peak")[4:] == pytest.approx([0.0] * 3, abs=1e-9)
    assert column(tables.shape(NOTHING), "Verdict, within 25 %")[4:] == [NOT_RUN] * 3
    digits = tables.shape(Measured(load_params(ROOT / "params.yaml", "digits"), {}))
    assert set(column(digits, "Verdict, within 25 %")) == {None}, "other networks on other data"


@pytest.mark.parametrize("name", STUDY.tables)
@pytest.mark.parametrize("found", ANY.values(), ids=ANY)
def test_every_table_can_be_made_of_any_results(name: str, found: Results) -> None:
    table = STUDY.table(name)(found)
    assert len({line.count("|") for line in table.markdown().splitlines()}) == 1
    if found is NOTHING:
        assert "not run" in table.markdown()
    if found is DIVERGED and name != "classical":
        assert "diverged" in table.markdown()


def test_the_two_parts_of_the_variance_are_not_measured_by_one_network_a_part() -> None:
    curves = networks(ONE_A_PART)[0.2]
    assert set(curves["sampling_variance"].values()) == {"one network a part"}
    assert isinstance(curves["variance"][64], Estimate)
    assert set(networks(DIVERGED)[0.2]["sampling_variance"].values()) > {"diverged"}


def test_intervals_are_students_over_parts() -> None:
    value = networks(THE_PAPERS)[0.2]["variance"][64]
    assert isinstance(value, Estimate)
    assert value.half_width == pytest.approx(2.776445 * 0.001)  # four degrees of freedom


def test_names_of_tables_are_those_that_are_made() -> None:
    assert set(STUDY.tables) == set(tables.TABLES)


def drawn(name: str, found: Results) -> str:
    drawing = STUDY.figure(name)
    with style():
        return svg(drawing.draw(drawing.points(found)))


@pytest.mark.parametrize("name", STUDY.figures)
def test_every_figure_can_be_drawn_of_any_results(name: str) -> None:
    pictures = {key: drawn(name, found) for key, found in ANY.items()}
    assert all(picture.startswith("<?xml") for picture in pictures.values())
    assert pictures["full"] == drawn(name, THE_PAPERS)
    assert pictures["nothing"] != pictures["full"]


@pytest.mark.parametrize("name", STUDY.figures)
def test_points_say_what_they_are_and_why_one_is_missing(name: str) -> None:
    full, nothing, diverged = (STUDY.figure(name).points(found) for found in (THE_PAPERS, NOTHING, DIVERGED))
    for points in (full, nothing, diverged):
        columns = list(points)
        assert (columns[:3], columns[-3:]) == (["source", "dataset", "series"], ["half_width", "seeds", "note"])
        assert (points["value"].isna() == (points["note"] != "")).all()
    assert full["value"].notna().all()
    assert set(nothing[nothing["series"] != "noise"]["note"]) == {"not run"}
    if name != "classical":
        assert set(diverged["note"]) == {"", "diverged"}


@pytest.mark.parametrize("name", STUDY.figures)
def test_every_point_is_drawn_where_it_is(name: str) -> None:
    drawing = STUDY.figure(name)
    points = drawing.points(THE_PAPERS)
    with style():
        axes = drawing.draw(points).axes
    lines = [np.asarray(line.get_xydata(), dtype=float) for panel in axes for line in panel.lines]
    places = np.concatenate([line for line in lines if len(line) > 2])
    shown = points[["degree" if name == "classical" else "width", "value"]].to_numpy()
    assert np.abs(shown[:, None] - places[None]).max(axis=2).min(axis=1).max() < 1e-9


def test_headline_numbers_are_of_no_noise_and_of_the_most() -> None:
    numbers = tables.numbers(THE_PAPERS)
    assert (numbers["clean"]["variance_peak_width"], numbers["noisy"]["variance_peak_width"]) == (5, 12)
    assert numbers["noisy"]["variance_peak"] == pytest.approx(0.196)
    assert numbers["noisy"]["bias_squared_widest"] == pytest.approx(0.177)
    assert numbers["regression"]["best_degree"] == 4
    assert numbers["design"] == {
        "parts": 5,
        "networks_per_part": 2,
        "label_noise_percent": 20,
        "examples": 20,
        "training_sets": 2000,
        "noise": 0.5,
    }
    empty = tables.numbers(NOTHING)
    assert {name: set(values) for name, values in empty.items()} == {n: set(v) for n, v in numbers.items()}
    assert {value for name in ("regression", "clean", "noisy") for value in empty[name].values()} == {None}


# --- claims ---

CLAIMS = {claim.key: claim for claim in STUDY.claims()}


def judged(key: str, found: Results) -> Verdict:
    return CLAIMS[key].judge(found)


@pytest.mark.parametrize("key", CLAIMS)
def test_the_papers_numbers_bear_out_every_claim(key: str) -> None:
    found = judged(key, THE_PAPERS)
    assert found.judgement == "holds", found.evidence
    assert found.evidence


@pytest.mark.parametrize("key", CLAIMS)
def test_nothing_is_claimed_of_what_was_not_run(key: str) -> None:
    assert judged(key, NOTHING).judgement == "not run"


def changed(noise: float, measure: str, change: Callable[[list[float]], list[float]]) -> Results:
    curves = the_papers_curves()
    curves[noise, measure] = change(curves[noise, measure])
    return results(curves, the_textbooks_curves())


def textbook(measure: str, change: Callable[[list[float]], list[float]]) -> Results:
    regression = the_textbooks_curves()
    return results(the_papers_curves(), regression | {measure: change(regression[measure])})


def rising(values: list[float]) -> list[float]:
    return sorted(values)


DIFFERING = {
    "classical-u": [
        textbook("risk", lambda values: [min(values)] * len(values)),
        textbook("bias_squared", lambda values: [0.5] * len(values)),
        textbook("variance", lambda values: [0.01] * len(values)),
    ],
    "risk-is-the-sum": [textbook("risk", lambda values: [*values[:-1], 1.06 * values[-1]])],
    "bias-falls": [
        changed(0.0, "bias_squared", lambda values: [*values[:-1], 0.7 * values[0]]),
        changed(0.2, "bias_squared", lambda values: [*values[:-2], values[-2] + 0.1 * values[0], values[-1]]),
    ],
    "variance-unimodal": [
        changed(0.1, "variance", rising),
        changed(0.0, "variance", lambda values: rising(values)[::-1]),
    ],
    "noise-raises-variance": [changed(0.2, "variance", lambda values: [value * 0.7 for value in values])],
    "noise-moves-peak": [changed(0.2, "variance", lambda values: bump(0.08, 0.196, 5, 0.169))],
    "clean-risk-falls": [changed(0.0, "risk", lambda values: bump(0.3, 0.4, 12, 0.1))],
    "noisy-risk-descends-twice": [
        changed(0.2, "risk", lambda values: rising(values)[::-1]),
        changed(0.2, "risk", lambda values: [*values[:-1], max(values[3:])]),
        changed(0.2, "risk", lambda values: [0.1, *values[1:]]),
    ],
    "optimisation-falls": [changed(0.1, "optimisation_variance", rising)],
    "sampling-levels-off": [changed(0.1, "sampling_variance", lambda values: [*values[:-1], 1.2 * values[-1]])],
}


def test_every_claim_has_results_that_it_differs_from() -> None:
    assert set(DIFFERING) == set(CLAIMS)


@pytest.mark.parametrize("key", CLAIMS)
def test_a_claim_differs_where_one_curve_speaks_against_it(key: str) -> None:
    for found in DIFFERING[key]:
        assert judged(key, found).judgement == "differs"


def test_a_diverged_network_speaks_against_what_is_claimed_of_its_curve() -> None:
    for key in ("bias-falls", "variance-unimodal", "optimisation-falls", "noisy-risk-descends-twice"):
        found = judged(key, DIVERGED)
        assert found.judgement == "differs"
        assert "width 64 diverged" in found.evidence


def test_one_network_a_part_leaves_the_split_unjudged() -> None:
    for key in ("optimisation-falls", "sampling-levels-off"):
        assert judged(key, ONE_A_PART).judgement == "not run"
    assert judged("variance-unimodal", ONE_A_PART).judgement == "holds"


def test_two_widths_have_no_shape() -> None:
    study = PAPER.studies.bias_variance
    narrowed = study.model_copy(update={"widths": [2, 64]})
    params = PAPER.model_copy(update={"studies": PAPER.studies.model_copy(update={"bias_variance": narrowed})})
    curves = {key: [values[0], values[-1]] for key, values in the_papers_curves().items()}
    found = results(curves, {}, params)
    assert {judged(key, found).judgement for key in CLAIMS} == {"not run"}


def test_every_claim_is_in_the_article() -> None:
    text = (ROOT / "report" / "sections" / "_bias_variance.qmd").read_text(encoding="utf-8")
    for key in CLAIMS:
        assert f"verdict.bias_variance.{key} >" in text
    for name in STUDY.tables:
        assert f"_generated/tables/bias_variance-{name}.md" in text
    for name in STUDY.figures:
        assert f"_generated/figures/bias_variance-{name}.svg" in text
