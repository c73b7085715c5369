"""The study of quantisation: what is run, what its experiments give, and what tables, figures and claims say of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from rethinking.cells import Cell
from rethinking.data.variants import corrupt
from rethinking.errors import UserError
from rethinking.experiments.perform import perform
from rethinking.params_file import load_params
from rethinking.results.claims import Verdict
from rethinking.results.frame import Results, load_results
from rethinking.results.style import style, svg
from rethinking.runs import train_cell
from rethinking.studies.quantisation import STUDY, figures, tables
from rethinking.studies.quantisation.claims import CLAIMS
from rethinking.studies.quantisation.design import cells, experiments
from rethinking.studies.quantisation.readings import (
    RANDOM,
    ROUNDED_PER_CHANNEL,
    ROUNDED_PER_TENSOR,
    TRAINED_ON,
    TRUE,
    combinations,
    fewest_bits,
    smallest,
)
from rethinking.studies.quantisation.vocabulary import (
    AWARE,
    COMBINED,
    FLOAT,
    FLOAT_BITS,
    INT8,
    PER_CHANNEL,
    PER_TENSOR,
    POST_TRAINING,
    WEIGHTS,
)
from rethinking.studies.randomisation.design import cells as randomisation_cells

FILE = Path(__file__).resolve().parents[2] / "params.yaml"
PARAMS = {name: load_params(FILE, name) for name in ("paper", "digits", "smoke")}
DIGITS = PARAMS["digits"]
JUDGES = {claim.key: claim.judge for claim in CLAIMS}

Frames = dict[str, pd.DataFrame]


class Invented(Results):
    """Results of experiments that were never run."""

    def __init__(self, frames: Frames) -> None:
        super().__init__(DIGITS, pd.DataFrame(), pd.DataFrame())
        self.frames = frames

    def experiment(self, study: str, kind: str) -> pd.DataFrame:
        return self.frames.get(kind, pd.DataFrame())


# --- invented results: what the article expects ---

ACCURACY = {
    TRUE: {32: 1.0, 8: 1.0, 6: 1.0, 4: 0.999, 3: 0.98, 2: 0.4},
    RANDOM: {32: 1.0, 8: 1.0, 6: 0.995, 4: 0.9, 3: 0.5, 2: 0.1},
}
TRAINED = {TRUE: {3: 1.0, 2: 0.97}, RANDOM: {3: 0.9, 2: 0.2}}


def network(model: str, corruption: str, train: float) -> dict[str, Any]:
    test = 0.97 * train if corruption == TRUE else 0.1
    return {"model": model, "corruption": corruption, "seed": 0, "train_accuracy": train, "test_accuracy": test}


def weight_rows() -> list[dict[str, Any]]:
    found = []
    for model in DIGITS.studies.quantisation.models:
        for corruption, accuracies in ACCURACY.items():
            ways = [(FLOAT, PER_CHANNEL, 32, accuracies[32])]
            ways += [(POST_TRAINING, PER_CHANNEL, bits, value) for bits, value in accuracies.items() if bits != 32]
            ways += [
                (POST_TRAINING, PER_TENSOR, bits, value - (0.1 if bits <= 4 else 0.0))
                for bits, value in accuracies.items()
                if bits != 32
            ]
            ways += [(AWARE, PER_CHANNEL, bits, value) for bits, value in TRAINED[corruption].items()]
            for method, granularity, bits, value in ways:
                about = {"method": method, "granularity": granularity, "bits": bits, "bytes": 1000 * bits + 500}
                ending = {"zeros": 0.1, "epochs": 0, "status": "finished"}
                found.append(network(model, corruption, value) | about | ending)
    return found


def combined_rows() -> list[dict[str, Any]]:
    """Halved in each of three rounds; the third is too much, and so are 4 bits for random labels."""
    found = []
    for model in DIGITS.studies.quantisation.combined.models:
        for corruption in (TRUE, RANDOM):
            for round_ in range(4):
                for bits in (32, 8, 6, 4):
                    kept = round_ < 3 and (bits > 4 or corruption == TRUE)
                    left = 0.5**round_
                    about = {"round": round_, "bits": bits, "bytes": int(1000 * bits * left), "zeros": 1 - left}
                    found.append(network(model, corruption, 1.0 if kept else 0.5) | about)
    return found


def int8_rows() -> list[dict[str, Any]]:
    found = []
    for model in DIGITS.studies.quantisation.int8.models:
        for corruption in (TRUE, RANDOM):
            for arithmetic in (FLOAT, INT8):
                calls = {"int8_calls": 5.0, "float_calls": 2.0} if arithmetic == INT8 else {}
                about = {"arithmetic": arithmetic, "layers": 5, "batch": 256, "note": None, **calls}
                times = {"single_milliseconds": 0.5, "batch_milliseconds": 2.0 if arithmetic == INT8 else 4.0}
                found.append(network(model, corruption, 1.0) | about | times)
    return found


def frames() -> Frames:
    rows = {WEIGHTS: weight_rows(), COMBINED: combined_rows(), INT8: int8_rows()}
    return {kind: pd.DataFrame(found) for kind, found in rows.items()}


def changed(kind: str, column: str, value: object, **where: object) -> Frames:
    """Invented results in which the rows that agree have another value."""
    found = frames()
    chosen = pd.Series(True, index=found[kind].index)
    for name, wanted in where.items():
        chosen &= found[kind][name] == wanted
    assert chosen.any()
    found[kind][column] = found[kind][column].astype(object).where(~chosen, value).infer_objects()
    return found


FOUND, NOTHING = Invented(frames()), Invented({})


def judged(key: str, found: Frames) -> Verdict:
    return JUDGES[key](Invented(found))


# --- what is run ---


@pytest.mark.parametrize("preset", PARAMS)
def test_no_network_is_trained_for_quantisation_alone(preset: str) -> None:
    assert set(cells(PARAMS[preset])) <= set(randomisation_cells(PARAMS[preset]))


@pytest.mark.parametrize("preset", PARAMS)
def test_each_model_has_its_experiments_and_pruned_networks_come_from_their_own(preset: str) -> None:
    params = PARAMS[preset]
    found = experiments(params)
    assert {each.kind for each in found} == {WEIGHTS, COMBINED, INT8}
    for each in found:
        json.dumps(each.settings)
        assert {cell.model for cell in each.cells} == {each.unit}
        assert {cell.corruption for cell in each.cells} == {TRUE, RANDOM}
        assert each.on_cpu == (each.kind == INT8)
        assert [other.cells for other in each.after] == ([(cell,) for cell in each.cells] if each.after else [])
        assert bool(each.after) == (each.kind == COMBINED)


NOBN = ["inception-nobn"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"models": ["vgg"], "aware": [], "int8": {"models": []}, "combined": {"models": []}},
         r"quantisation.models: found 'vgg', must be one of"),
        ({"bits": [8, 9]}, r"quantisation.bits"),
        ({"bits": [2, 8]}, r"quantisation.bits: found \[2, 8\], must fall from each to the next"),
        ({"aware": [{"models": ["mlp-1x512"], "bits": [7], "epochs": 1, "rate": 1.0}]}, r"found \[7\], must be of"),
        ({"int8": {"models": ["cnn"]}}, r"quantisation.int8.models: found cnn, must be of"),
        ({"combined": {"models": ["alexnet", "alexnet"]}}, r"combined.models: found alexnet twice"),
        ({"models": NOBN, "aware": [], "int8": {"models": []}, "combined": {"models": NOBN}},
         r"combined.models: found 'inception-nobn', must be one that studies.sparsity.iterative prunes"),
    ],
)  # fmt: skip
def test_bad_settings_are_told_of(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    section = content["presets"]["digits"]["studies"]["quantisation"]
    for key, value in change.items():
        section[key] = section.get(key, {}) | value if isinstance(value, dict) else value
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(UserError, match=complaint):
        load_params(tmp_path / "params.yaml", "digits")


# --- what the experiments give, at the smallest scale ---


@pytest.fixture(scope="module")
def carried_out(digits_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all of the study's experiments of the smoke preset were carried out."""
    root, params = tmp_path_factory.mktemp("quantisation"), PARAMS["smoke"]
    (root / "data" / "digits").mkdir(parents=True)
    (root / "data" / "digits" / "true").symlink_to(digits_root / "digits" / "true")
    corrupt(root / "data", "digits", "random-labels", params.data.corruption_seed)
    for cell in cells(params):
        train_cell(params, cell, root / "data", root, threads=1)
    for experiment in experiments(params):
        for each in (*experiment.after, experiment):
            perform(params, each, root, threads=1)
    for name in ("cells.csv", "histories.csv"):
        (root / "results" / "smoke" / name).write_text("dataset,model,corruption,regularizer,seed\n")
    return root


@pytest.fixture(scope="module")
def measured(carried_out: Path) -> Results:
    return load_results(PARAMS["smoke"], carried_out / "results" / "smoke", experiments(PARAMS["smoke"]))


def test_training_on_begins_below_the_last_rate_and_falls_to_a_hundredth() -> None:
    from rethinking.studies.quantisation.weights import training_changes
    from rethinking.training.optimiser import learning_rate

    recipe = DIGITS.recipe(Cell("digits", "alexnet", TRUE, "none", 0))
    last = learning_rate(recipe, recipe.epochs - 1, 0)
    changes = training_changes(recipe, 1437, 8, 0.3)
    changed_recipe = recipe.model_copy(update=changes)
    assert changed_recipe.epochs == 8
    assert learning_rate(changed_recipe, 0, 0) == pytest.approx(0.3 * last)
    assert learning_rate(changed_recipe, 8, 0) == pytest.approx(0.003 * last)


def test_every_way_of_every_network_has_a_row(measured: Results) -> None:
    found = measured.experiment("quantisation", WEIGHTS)
    study = PARAMS["smoke"].studies.quantisation
    rounded = 2 * len(study.bits)
    assert found.groupby(["corruption", "method"]).size().to_dict() == {
        (corruption, method): count
        for corruption in (TRUE, RANDOM)
        for method, count in ((FLOAT, 1), (POST_TRAINING, rounded), (AWARE, 1))
    }
    whole = found[found["method"] == FLOAT].set_index("corruption")
    for _, row in found[found["bits"] == 8].iterrows():
        assert abs(row["train_accuracy"] - whole["train_accuracy"][row["corruption"]]) <= 0.02
        assert 0.2 < row["bytes"] / whole["bytes"][row["corruption"]] < 0.32
    assert set(found[found["method"] == AWARE]["epochs"]) == {1}


def test_float32_rows_are_the_networks_themselves(measured: Results, carried_out: Path) -> None:
    from rethinking.records import read_metrics

    found = measured.experiment("quantisation", WEIGHTS)
    for _, row in found[found["method"] == FLOAT].iterrows():
        folder = Cell("digits", row["model"], row["corruption"], "none", 0).run_folder("smoke")
        metrics = read_metrics(carried_out / folder / "metrics.json")
        assert row["train_accuracy"] == pytest.approx(metrics.train_accuracy, abs=1e-5)
        assert row["test_accuracy"] == pytest.approx(metrics.test_accuracy, abs=1e-5)


def test_pruned_networks_are_quantised_round_by_round(measured: Results) -> None:
    rounds = PARAMS["smoke"].studies.sparsity.iterative[0].rounds
    for corruption in (TRUE, RANDOM):
        found = combinations(measured, "mlp-1x512", corruption)
        assert [(each.round, each.bits) for each in found] == [
            (round_, bits) for round_ in range(rounds + 1) for bits in (FLOAT_BITS, 8)
        ]
        assert [each.fraction_left for each in found[::2]] == pytest.approx(
            [0.5**round_ for round_ in range(rounds + 1)], abs=1e-3
        )
        assert all(small.bytes < large.bytes for large, small in zip(found[::2], found[1::2], strict=True))


def test_int8_is_measured_or_says_why_not(measured: Results) -> None:
    from rethinking.studies.quantisation.lowering import why_unavailable

    found = measured.experiment("quantisation", INT8)
    quantised = found[found["arithmetic"] == INT8]
    assert len(quantised) == 2
    if reason := why_unavailable():
        assert set(quantised["note"]) == {reason}
        pytest.skip(f"int8 on this machine: {reason}")
    assert (quantised["int8_calls"] == quantised["layers"]).all()
    assert (found[["single_milliseconds", "batch_milliseconds"]] > 0).all(axis=None)


@pytest.mark.parametrize("name", STUDY.tables)
def test_tables_can_be_made_of_what_was_measured(name: str, measured: Results) -> None:
    assert len(tables.TABLES[name](measured).rows) > 0


# --- what is read out of them ---


def test_bits_needed_are_the_fewest_before_the_first_loss() -> None:
    assert fewest_bits(FOUND, "alexnet", TRUE, ROUNDED_PER_CHANNEL) == 4
    assert fewest_bits(FOUND, "alexnet", RANDOM, ROUNDED_PER_CHANNEL) == 6
    assert fewest_bits(FOUND, "alexnet", TRUE, ROUNDED_PER_TENSOR) == 6
    assert fewest_bits(FOUND, "alexnet", RANDOM, TRAINED_ON) == FLOAT_BITS
    assert fewest_bits(NOTHING, "alexnet", TRUE, ROUNDED_PER_CHANNEL) is None
    dip = Invented(changed(WEIGHTS, "train_accuracy", 0.9, bits=6, method=POST_TRAINING))
    assert fewest_bits(dip, "alexnet", TRUE, ROUNDED_PER_CHANNEL) == 8, "what is better with fewer bits does not count"


def test_what_diverges_has_lost_everything() -> None:
    found = Invented(changed(WEIGHTS, "status", "diverged", bits=3, method=AWARE))
    assert fewest_bits(found, "alexnet", TRUE, TRAINED_ON) == FLOAT_BITS


def test_the_smallest_file_is_that_of_a_network_that_kept_its_accuracy() -> None:
    found = smallest(FOUND, "alexnet", TRUE, pruned=True, quantised=True)
    assert found is not None
    assert (found.round, found.bits, found.fraction_left) == (2, 4, 0.25)
    found = smallest(FOUND, "alexnet", RANDOM, pruned=True, quantised=False)
    assert found is not None
    assert (found.round, found.bits) == (2, FLOAT_BITS)
    whole = smallest(FOUND, "alexnet", RANDOM, pruned=False, quantised=False)
    assert whole is not None
    assert (whole.round, whole.bits) == (0, FLOAT_BITS)
    assert smallest(NOTHING, "alexnet", TRUE, pruned=True, quantised=True) is None


# --- tables and figures ---


@pytest.mark.parametrize("name", STUDY.tables)
@pytest.mark.parametrize("found", [FOUND, NOTHING], ids=["full", "nothing"])
def test_every_table_can_be_made_of_any_results(name: str, found: Results) -> None:
    text = tables.TABLES[name](found).markdown()
    assert ("not run" in text) == (found is NOTHING)


def test_a_machine_without_int8_is_said_to_be_one() -> None:
    found = changed(INT8, "note", "needs an x86-64 processor", arithmetic=INT8)
    for name in ("int8", "latency"):
        assert "not available on this machine" in tables.TABLES[name](Invented(found)).markdown()
    assert judged("int8-keeps", found).judgement == "not run"


def test_bits_that_were_not_enough_are_said_to_be_fewer_than_needed() -> None:
    assert "| AlexNet | trained on while rounded, per channel | 3 | more than 3 |" in tables.needed(FOUND).markdown()


def test_times_smaller_are_those_of_the_files() -> None:
    (row,) = (
        row for row in tables.combined(FOUND).rows if row[:3] == ["AlexNet", "true labels", "pruned and quantised"]
    )
    assert row[3:7] == [0.25, 4, 1.0, 32.0]


def test_headline_numbers_can_be_shown() -> None:
    assert tables.numbers(FOUND)["mlp_1x512"]["bits_needed_random"] == 6
    assert tables.numbers(FOUND)["mlp_1x512"]["times_smaller_true"] == 32
    assert set(tables.numbers(NOTHING)["mlp_1x512"].values()) == {None}
    json.dumps(tables.numbers(FOUND))


def test_names_of_tables_and_figures_are_those_that_are_made() -> None:
    assert tuple(tables.TABLES) == STUDY.tables
    modules = {path.stem for path in Path(str(figures.__file__)).parent.glob("[!_]*.py")}
    assert {name.replace("-", "_") for name in STUDY.figures} == modules


@pytest.mark.parametrize("name", STUDY.figures)
@pytest.mark.parametrize("found", [FOUND, NOTHING], ids=["full", "nothing"])
def test_every_figure_can_be_drawn_of_any_results(name: str, found: Results) -> None:
    drawing = STUDY.figure(name)
    points = drawing.points(found)
    assert points["accuracy"].isna().all() == (found is NOTHING)
    with style():
        text = svg(drawing.draw(points))
    assert text.startswith("<?xml")


def test_the_figure_of_bytes_has_every_network_once() -> None:
    points = STUDY.figure("bytes").points(FOUND)
    assert len(points) == 2 * 3 * 4 * 4
    assert set(points["weights"]) == {
        "as trained", "pruned", "quantised", "pruned, 8 bits", "pruned, 6 bits", "pruned, 4 bits",
    }  # fmt: skip


# --- claims ---


@pytest.mark.parametrize("key", JUDGES)
def test_results_as_expected_bear_out_every_claim(key: str) -> None:
    found = judged(key, frames())
    assert found.judgement == "holds", found.evidence
    assert found.evidence


@pytest.mark.parametrize("key", JUDGES)
def test_nothing_is_claimed_of_what_was_not_run(key: str) -> None:
    assert judged(key, {}).judgement == "not run"


ALEXNET: dict[str, object] = {"model": "alexnet", "corruption": TRUE}
DIFFERING: dict[str, Callable[[], Frames]] = {
    "eight-bits-free": lambda: changed(
        WEIGHTS, "test_accuracy", 0.96, bits=8, granularity=PER_CHANNEL, method=POST_TRAINING, **ALEXNET
    ),
    "accuracy-falls": lambda: changed(WEIGHTS, "train_accuracy", 1.0, bits=2, method=POST_TRAINING, **ALEXNET),
    "channels-better": lambda: changed(
        WEIGHTS, "train_accuracy", 1.0, bits=3, granularity=PER_TENSOR, method=POST_TRAINING
    ),
    "memory-needs-bits": lambda: changed(
        WEIGHTS, "train_accuracy", 1.0, bits=4, method=POST_TRAINING, model="alexnet", corruption=RANDOM
    ),
    "training-on-helps": lambda: changed(WEIGHTS, "train_accuracy", 0.8, bits=2, method=AWARE, **ALEXNET),
    "memory-not-won-back": lambda: changed(
        WEIGHTS, "train_accuracy", 0.9, bits=2, method=AWARE, model="alexnet", corruption=RANDOM
    ),
    "int8-keeps": lambda: changed(INT8, "train_accuracy", 0.98, arithmetic=INT8, **ALEXNET),
    "int8-everywhere": lambda: changed(INT8, "int8_calls", 4.0, arithmetic=INT8, **ALEXNET),
    "quarter": lambda: changed(WEIGHTS, "bytes", 16000, bits=8, **ALEXNET),
    "both-smaller": lambda: changed(COMBINED, "bytes", 100, bits=4, round=0, **ALEXNET),
}


def test_every_claim_has_results_that_it_differs_from() -> None:
    assert set(DIFFERING) == set(JUDGES)


@pytest.mark.parametrize("key", DIFFERING)
def test_a_claim_differs_where_one_network_speaks_against_it(key: str) -> None:
    assert judged(key, DIFFERING[key]()).judgement == "differs"


def test_the_article_section_names_every_claim_table_and_figure() -> None:
    text = (FILE.parent / "report" / "sections" / "_quantisation.qmd").read_text(encoding="utf-8")
    for key in JUDGES:
        assert f"{{{{< var verdict.quantisation.{key} >}}}}" in text
    for name in STUDY.tables:
        assert f"_generated/tables/quantisation-{name}.md" in text
    for name in STUDY.figures:
        assert f"_generated/figures/quantisation-{name}.svg" in text
