"""How the reasons for running are told: from what Snakemake and the records say to lines of text."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rethinking.cells import Cell
from rethinking.fingerprint import modules
from rethinking.params_file import load_params
from rethinking.records import Metrics
from rethinking.runs import training_modules
from rethinking.studies.registry import STUDIES
from rethinking.why.changes import Changes, compare, differences, listing, module_file
from rethinking.why.dry_run import DryRun, Job, Record
from rethinking.why.reasons import NEW, Known, Reason, novelty, why_made, why_trained
from rethinking.why.report import MOST_LINES, cell_lines, job_lines, report

ROOT = Path(__file__).resolve().parents[1]
DIGITS = load_params(ROOT / "params.yaml", "digits")
CELLS = STUDIES["randomisation"].cells(DIGITS)
CELL = Cell("digits", "alexnet", "true", "wd", 0)
RECIPE = DIGITS.recipe(CELL).model_dump()
MODULES = {"rethinking.training.loop": "11111111", "rethinking.models.alexnet": "22222222"}


def run_of(recipe: Mapping[str, Any], provenance: Mapping[str, Any]) -> Metrics:
    return Metrics(
        cell=str(CELL),
        preset="digits",
        status="finished",
        epochs=1,
        parameters=1,
        train_examples=1,
        train_accuracy=1,
        train_loss=0,
        test_accuracy=1,
        test_loss=0,
        best_test_accuracy=1,
        best_test_epoch=1,
        online_loss=0,
        online_accuracy=1,
        seconds=1,
        recipe=dict(recipe),
        recipe_digest="0123456789abcdef",
        provenance=dict(provenance),
    )


KNOWN = Known(RECIPE, MODULES, run_of(RECIPE, {"modules": MODULES}))
RUN = f"runs/digits/{CELL}"
OUTPUTS = (f"{RUN}/history.csv", f"{RUN}/metrics.json", f"weights/digits/{CELL}/weights.safetensors")
TRAIN = Job(
    rule="train",
    wildcards={"preset": "digits", **vars(CELL)},
    params={"cell": str(CELL), "recipe": "a" * 16, "code": "b" * 16},
    inputs=("data/digits/true/manifest.json",),
    outputs=OUTPUTS,
    record=Record((f"'{'a' * 16}'", f"'{'b' * 16}'", f"'{CELL}'"), ("data/digits/true/manifest.json",)),
    words="Snakemake's own words",
)


def recorded(job: Job, **params: object) -> Job:
    """A job whose record holds other values of these params."""
    assert job.record is not None
    return replace(job, record=replace(job.record, params=tuple(map(repr, {**job.params, **params}.values()))))


def made(rule: str, output: str, **reasons: Any) -> Job:
    return Job(**{"rule": rule, "wildcards": {}, "params": {}, "inputs": (), "outputs": (output,), **reasons})


def missing(*paths: str) -> dict[str, Any]:
    return {"missing": paths, "absent": paths}


# What differs.


def test_nested_settings_are_named_by_their_dotted_keys() -> None:
    old = {"models": {"alexnet": {"width": 0.5, "depth": 1}}, "epochs": 40}
    new = {"models": {"alexnet": {"width": 0.25}, "vit": {"width": 1}}, "epochs": 40}
    changed = compare([repr(old)], {"settings": new})
    assert changed == Changes(
        settings=("models.alexnet.width changed 0.5 -> 0.25", "models.alexnet.depth removed", "models.vit added")
    )


def test_what_is_equal_differs_in_nothing() -> None:
    assert differences(RECIPE, RECIPE) == []
    params = {"preset": "digits", "code": MODULES, "settings": {"results": {"overfit_loss": 0.05}}}
    assert compare(sorted(map(repr, params.values())), params) == Changes()


def test_mappings_are_compared_with_those_of_the_same_kind_though_records_have_no_names() -> None:
    old: dict[str, Any] = {
        "code": {"rethinking.results.style": "11111111", "rethinking.results.frame": "22222222"},
        "published": {"src/published/table1.csv": "1" * 16},
        "study": {"studies": {"randomisation": {"dataset": "digits"}}},
        "preset": "digits",
    }
    new = {
        **old,
        "code": {**old["code"], "rethinking.results.style": "33333333"},
        "published": {"src/published/table1.csv": "2" * 16, "src/published/table9.csv": "3" * 16},
        "study": {"studies": {"randomisation": {"dataset": "mnist"}}},
    }
    assert compare(sorted(map(repr, old.values())), new) == Changes(
        code=("results/style.py",),
        files=("src/published/table1.csv", "src/published/table9.csv (new)"),
        settings=("studies.randomisation.dataset changed digits -> mnist",),
    )


def test_an_older_record_of_mere_digests_names_no_module() -> None:
    assert compare(["'digits'", f"'{'a' * 16}'"], {"preset": "digits", "code": MODULES}) == Changes(unnamed=("code",))


def test_one_plain_value_is_named_by_its_param_and_a_digest_is_not_shown() -> None:
    assert compare(["20170226"], {"corruption_seed": 7}).settings == ("corruption_seed changed 20170226 -> 7",)
    assert compare([f"'{'a' * 16}'"], {"recipes": "b" * 16}) == Changes(unnamed=("recipes",))


def test_long_values_and_yamls_words_for_python_values() -> None:
    old, new = {"seeds": list(range(100)), "batch_norm": True, "mirror": None}, {"seeds": [0], "batch_norm": False}
    assert compare([repr(old)], {"settings": {**new, "mirror": "x"}}).settings == (
        "seeds changed",
        "batch_norm changed true -> false",
        "mirror changed null -> x",
    )


def test_every_module_that_results_and_training_depend_on_is_named_by_a_file_that_exists() -> None:
    for module in modules("rethinking.training.run", "rethinking.studies.randomisation.figures.overview"):
        assert (ROOT / "src/rethinking" / module_file(module)).is_file()


def test_lists_are_capped() -> None:
    assert listing(["a"]) == "a"
    assert listing("abc") == "a, b and c"
    assert listing("abcde") == "a, b, c, d and e"
    assert listing("abcdef") == "a, b, c, d and 2 more"


# Why a cell is trained.


def test_settings_are_named_by_the_words_of_params_yaml() -> None:
    """Those of the architecture too, which the recipe keeps apart."""
    old = {**RECIPE, "weight_decay": 0.1, "model": {**RECIPE["model"], "width": 1.0}}
    known = replace(KNOWN, run=run_of(old, {"modules": MODULES}))
    assert why_trained(recorded(TRAIN, recipe="c" * 16), known) == Reason(
        "width changed 1.0 -> 0.5 and weight_decay changed 0.1 -> 0.004"
    )


def test_recipes_and_params_yaml_share_their_words() -> None:
    """A recipe's settings can be told as they are. What the cell's name or its regularizer decides cannot change."""
    settings = {key for model in DIGITS.models for key in DIGITS.recipe(replace(CELL, model=model)).model} | {*RECIPE}
    decided = {"model", "dataset", "train_subset", "corruption", "seed", "random_crop", "flip"}
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert [word for word in sorted(settings - decided) if f" {word}: " not in text] == []


def test_changed_training_code_is_named_by_module() -> None:
    old = {"rethinking.training.loop": "99999999", "rethinking.models.alexnet": "22222222"}
    job = recorded(TRAIN, code="c" * 16)
    known = replace(KNOWN, run=run_of(RECIPE, {"modules": old}))
    assert why_trained(job, known).what == "training code changed: training/loop.py"
    assert why_trained(job, replace(KNOWN, run=run_of(RECIPE, {}))).what == "training code changed"
    assert why_trained(job, replace(KNOWN, run=None)).what == "training code changed"


def test_settings_and_code_are_told_together() -> None:
    known = replace(KNOWN, run=run_of({**RECIPE, "epochs": 1}, {}))
    job = recorded(TRAIN, code="c" * 16, recipe="d" * 16)
    assert why_trained(job, known).what == "epochs changed 1 -> 100; training code changed"


def test_real_records_name_what_a_person_edited() -> None:
    """With the modules that a run records: an edit of the loop names the loop."""
    now = training_modules(DIGITS.recipe(CELL))
    then = {**now, "rethinking.training.loop": "00000000"}
    known = Known(RECIPE, now, run_of(RECIPE, {"modules": then}))
    assert why_trained(recorded(TRAIN, code="c" * 16), known).what == "training code changed: training/loop.py"


def test_missing_files_are_told_apart_from_a_cell_never_trained() -> None:
    fresh = replace(TRAIN, record=None, **missing(*OUTPUTS))
    unknown = replace(KNOWN, run=None)
    assert why_trained(fresh, unknown) == NEW
    assert why_trained(fresh, replace(unknown, begun=True)).what == "begun, but not finished"
    only_weights = replace(TRAIN, record=None, **missing(*OUTPUTS[:2]))
    assert why_trained(only_weights, unknown).what == "run missing, only its weights are here"
    deleted = replace(TRAIN, **missing(OUTPUTS[1]))
    assert why_trained(deleted, replace(unknown, begun=True)).what == "trained before, but metrics.json missing"


def test_missing_weights_name_who_wants_them_and_how_to_get_them() -> None:
    job = replace(TRAIN, **missing(OUTPUTS[2]))
    assert why_trained(job, KNOWN).what == "weights not here"
    known = replace(KNOWN, weights_from="make pull PRESET=digits")
    assert why_trained(replace(job, wanted_by=("probe",)), known).what == (
        "weights not here, which probe reads; `make pull PRESET=digits` would bring them instead"
    )


def test_missing_weights_that_experiments_want_and_others_too() -> None:
    job = replace(TRAIN, **missing(OUTPUTS[2]), wanted_by=("experiment", "experiment_with_networks"))
    assert why_trained(job, KNOWN).what == "weights not here, which experiments read"
    wanted = replace(job, wanted_by=("experiment", "probe"))
    assert why_trained(wanted, KNOWN).what == "weights not here, which experiments and probe read"


def test_data_are_named_by_variant() -> None:
    path = "data/digits/labels-p20/train_labels.npy"
    assert why_trained(replace(TRAIN, updated=(path,)), KNOWN) == Reason("data changed", ("digits/labels-p20",))
    assert why_trained(replace(TRAIN, remade=(path,)), KNOWN) == Reason(
        "because their data would be made anew", ("digits/labels-p20",)
    )


def test_settings_say_more_than_that_the_data_are_made_anew() -> None:
    known = replace(KNOWN, run=run_of({**RECIPE, "corruption_seed": 1}, {}))
    job = recorded(replace(TRAIN, remade=("data/digits/true/manifest.json",)), recipe="c" * 16)
    assert why_trained(job, known).what == "corruption_seed changed 1 -> null"


def test_snakemakes_words_stand_where_nothing_else_is_known() -> None:
    assert why_trained(TRAIN, KNOWN) == Reason("Snakemake's own words")


def test_an_interrupted_cell_is_told_as_such() -> None:
    assert why_trained(replace(TRAIN, interrupted=True), KNOWN).what == "interrupted while its files were written"


# What is new about cells.


def of_model(model: str, *seeds: int) -> list[Cell]:
    return [replace(cell, seed=seed) for seed in seeds for cell in CELLS if cell.model == model]


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (lambda cell: cell.seed == 1, "seed 1"),
        (lambda cell: cell.corruption in ("labels-p20", "labels-p40"), "labels-p20 and labels-p40"),
        (lambda cell: cell.regularizer == "crop", "crop"),
        (lambda cell: cell.seed == 1 and cell.corruption == "labels-p20", "seed 1; labels-p20; none"),
        (lambda cell: True, ""),
    ],
)
def test_new_cells_are_told_by_what_sets_them_apart(new: Any, said: str) -> None:
    planned = of_model("alexnet", 0, 1)
    chosen = {cell for cell in planned if new(cell)}
    assert chosen
    assert novelty(chosen, planned) == said


# Lines on cells.


def test_one_reason_for_all_models_is_one_line() -> None:
    assert cell_lines(CELLS, dict.fromkeys(CELLS, NEW)) == ["all models, 40 cells: never trained here"]


def test_lines_name_models_and_count_every_cell_once() -> None:
    planned = [replace(cell, seed=seed) for seed in (0, 1) for cell in CELLS]
    reasons = {cell: NEW for cell in planned if cell.seed == 1 or cell.model == "mlp-1x512"}
    reasons |= {cell: Reason("data changed", (f"digits/{cell.corruption}",)) for cell in of_model("alexnet", 0)[:2]}
    assert cell_lines(planned, reasons) == [
        "alexnet, 2 cells: data changed (digits/true)",
        "mlp-1x512, 16 cells: never trained here",
        "inception, inception-nobn, alexnet and mlp-3x512, 32 cells: new (seed 1)",
    ]


def test_ten_thousand_cells_with_as_many_reasons_stay_readable() -> None:
    planned = [replace(CELL, seed=seed) for seed in range(10_000)]
    lines = cell_lines(planned, {cell: Reason(f"epochs changed {cell.seed} -> 0") for cell in planned})
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == f"and {10_000 - MOST_LINES} cells for {10_000 - MOST_LINES} more reasons"


# Everything else.

COLLECT = made("collect", "results/digits/cells.csv", remade=("runs/digits/x/metrics.json",))
TABLES = [
    made("table", f"results/digits/tables/randomisation-table{n}.csv", remade=("results/digits/cells.csv",))
    for n in (1, 4)
]
FIGURE = made("figure", "results/digits/figures/randomisation-figure1a.svg", remade=("results/digits/cells.csv",))


def test_results_that_follow_from_runs_are_one_line() -> None:
    article = made("article", "articles/digits/index.html", remade=("results/digits/cells.csv",))
    assert job_lines([article, FIGURE, *TABLES, COLLECT]) == [
        "results: cells.csv, 2 tables, figure randomisation-figure1a: because the runs they show change",
        "article: because the results it shows change",
    ]


def test_results_follow_from_the_table_of_cells_where_that_has_a_reason_of_its_own() -> None:
    settings = Record((repr({"results": {"overfit_loss": 0.05}}),), ())
    collect = replace(COLLECT, remade=(), params={"settings": {"results": {"overfit_loss": 0.1}}}, record=settings)
    assert job_lines([collect, FIGURE]) == [
        "cells.csv: results.overfit_loss changed 0.05 -> 0.1",
        "figure randomisation-figure1a: because cells.csv changes",
    ]


def test_runs_that_come_from_elsewhere_are_counted() -> None:
    files = tuple(f"runs/digits/digits/mlp/true/none/seed-{n}/metrics.json" for n in range(3000))
    collect = replace(COLLECT, remade=(), inputs=files, updated=files[:1500], record=Record((), files[:2000]))
    assert why_made(collect, [collect]) == "1500 runs changed; 1000 runs added to what it reads"


def test_data_with_one_reason_are_one_capped_line() -> None:
    paths = [f"data/digits/labels-p{n}0/manifest.json" for n in range(1, 8)]
    assert job_lines([made("corrupt_labels", path, **missing(path)) for path in paths]) == [
        "data digits/labels-p10, digits/labels-p20, digits/labels-p30, digits/labels-p40 and 3 more: missing"
    ]


def test_a_partly_missing_result_names_what_is_missing() -> None:
    outputs = tuple(f"results/digits/figures/randomisation-figure1a.{ending}" for ending in ("csv", "json", "svg"))
    job = replace(FIGURE, outputs=outputs, **missing(*outputs[:2]))
    assert why_made(job, [job]) == "missing: .csv and .json"


def test_code_of_a_result_is_told_even_where_its_runs_change_too() -> None:
    record = Record((repr({"rethinking.results.style": "1" * 8}),), ())
    figure = replace(FIGURE, params={"code": {"rethinking.results.style": "2" * 8}}, record=record)
    assert why_made(figure, [COLLECT, figure]) == "code changed: results/style.py"


def test_changed_prose_is_named_once_whatever_noticed_it() -> None:
    """By its content among the params, by its time among the inputs, or by both."""
    name = "report/sections/_introduction.qmd"
    article = made("article", "articles/digits/index.html", params={"content": {name: "2"}})
    by_content = replace(article, record=Record((repr({name: "1"}),), ()))
    assert {why_made(job, [job]) for job in (by_content, replace(by_content, updated=(name,)))} == {f"{name} changed"}
    assert "no record" in why_made(replace(article, updated=(name,)), [])


def experiment(unit: str, rule: str = "experiment", **reasons: Any) -> Job:
    names = {"preset": "digits", "study": "sparsity", "kind": "one-shot", "unit": unit}
    return replace(made(rule, f"results/digits/experiments/sparsity/one-shot/{unit}.csv", **reasons), wildcards=names)


def test_experiments_are_told_by_their_names_before_the_results_that_show_them() -> None:
    """What is expected of them sums up settings and code: it is nothing to tell."""
    record = Record((repr({"rounds": 2}), repr(f"{'1' * 16} {'2' * 16}")), ())
    params = {"settings": {"rounds": 3}, "expected": f"{'3' * 16} {'2' * 16}"}
    changed = experiment("a", "experiment_with_networks", params=params, record=record)
    after = experiment("b", "experiment", remade=("weights/digits/experiments/sparsity/iterative/a.safetensors",))
    table = made("table", "results/digits/tables/sparsity-knee.csv", remade=changed.outputs)
    assert job_lines([table, changed, after]) == [
        "experiment sparsity/one-shot/b: because networks it reads change",
        "experiment sparsity/one-shot/a: rounds changed 2 -> 3",
        "table sparsity-knee: because the experiments it shows change",
    ]
    units = [experiment(unit, **missing(f"{unit}.csv")) for unit in "abcdef"]
    assert job_lines(units) == [f"experiments {listing(f'sparsity/one-shot/{unit}' for unit in 'abcdef')}: missing"]


def test_a_rule_that_is_not_known_here_is_told_by_its_name() -> None:
    job = made("probe_weights", "probes/1.csv", wildcards={"model": "alexnet"}, **missing("probes/1.csv"))
    assert job_lines([job]) == ["probe weights alexnet: missing"]


# The whole.


def test_nothing_to_do_is_said_in_one_line() -> None:
    (line,) = report("digits", CELLS, {}, DryRun(()))
    assert line.startswith("Nothing to do: 40 cells of preset digits and the article are as ")


def test_the_first_line_counts_the_cells() -> None:
    lines = report("digits", CELLS, {CELL: NEW}, DryRun((TRAIN, COLLECT)))
    assert lines[0] == "preset digits: 1 of 40 cells would be trained"
    assert report("digits", CELLS, {}, DryRun((COLLECT,)))[0] == "preset digits: none of 40 cells would be trained"


def test_what_was_not_compared_and_a_run_under_way_are_said() -> None:
    unknown = DryRun((), not_compared=(TRAIN, *TABLES), locked=True)
    _, not_compared, locked = report("digits", CELLS, {}, unknown)
    assert not_compared.endswith("noticed: 1 cell, 2 tables.")
    assert locked.startswith("Another run is under way")
