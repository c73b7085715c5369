"""Experiments' names, paths and digests."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rethinking.cells import Cell
from rethinking.engine.persistence import record_path
from rethinking.errors import UserError
from rethinking.experiments.experiment import NETWORKS_PATTERN, RECORD_PATTERN, TABLE_PATTERN, Experiment
from rethinking.experiments.identity import experiment_code, experiment_roots, recipes_of
from rethinking.params_file import load_params
from rethinking.plan import make_plan
from rethinking.studies.registry import STUDIES, experiments, require_experiment

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"
PRESETS = {name: load_params(PARAMS_FILE, name) for name in ("paper", "digits", "smoke")}
CELL = Cell("digits", "mlp-1x512", "true", "none", 0)
EXPERIMENT = Experiment("sparsity", "one-shot", "mlp-1x512.true.seed-0", {"fractions": [1.0, 0.5]}, (CELL,))
RECIPES = recipes_of(PRESETS["smoke"], EXPERIMENT)


def test_paths_are_a_contract_and_those_of_the_workflows_patterns() -> None:
    wildcards = {"preset": "smoke", "study": "sparsity", "kind": "one-shot", "unit": "mlp-1x512.true.seed-0"}
    assert str(EXPERIMENT.table_path("smoke")) == TABLE_PATTERN.format(**wildcards)
    assert str(EXPERIMENT.record_path("smoke")) == RECORD_PATTERN.format(**wildcards)
    assert str(EXPERIMENT.networks_path("smoke")) == NETWORKS_PATTERN.format(**wildcards)
    assert (
        str(EXPERIMENT.table_path("smoke")) == "results/smoke/experiments/sparsity/one-shot/mlp-1x512.true.seed-0.csv"
    )
    assert EXPERIMENT.module == "rethinking.studies.sparsity.one_shot"


def test_snakemakes_records_travel_with_the_runs() -> None:
    """Results are in git and weights may stay at the remote: neither may take the record along."""
    for path in (EXPERIMENT.table_path("smoke"), EXPERIMENT.networks_path("smoke")):
        assert record_path(str(path)).parts[:2] == ("runs", "smoke")


@pytest.mark.parametrize(
    "changed",
    [
        replace(EXPERIMENT, unit="other"),
        replace(EXPERIMENT, settings={"fractions": [1.0, 0.4]}),
        replace(EXPERIMENT, variants=(("digits", "random-labels"),)),
        replace(EXPERIMENT, cells=(replace(CELL, corruption="random-labels"),)),
        replace(EXPERIMENT, after=(replace(EXPERIMENT, kind="iterative"),)),
    ],
)
def test_the_digest_changes_with_all_that_the_outcome_depends_on(changed: Experiment) -> None:
    assert changed.digest(recipes_of(PRESETS["smoke"], changed)) != EXPERIMENT.digest(RECIPES)


def test_the_digest_changes_with_the_recipe_of_a_network() -> None:
    longer = {cell: recipe.model_copy(update={"epochs": 99}) for cell, recipe in RECIPES.items()}
    assert EXPERIMENT.digest(longer) != EXPERIMENT.digest(RECIPES)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_experiment_of_a_study_can_be_carried_out(preset: str) -> None:
    """Its module is there, its code is known, it reads cells and experiments of the preset, its name a path's."""
    params = PRESETS[preset]
    cells = set(make_plan({"preset": preset}, PARAMS_FILE).cells)
    seen: dict[str, Experiment] = {}
    for experiment in experiments(params):
        assert experiment.study in STUDIES
        assert re.fullmatch("[a-z0-9-]+", experiment.kind), experiment
        assert re.fullmatch(r"[A-Za-z0-9.+=_-]+", experiment.unit), experiment
        assert str(experiment) not in seen
        assert set(experiment.cells) <= cells, experiment
        assert all(seen.get(str(other)) == other and other.leaves_networks for other in experiment.after), experiment
        assert len(experiment_code(experiment, recipes_of(params, experiment))) == 16
        seen[str(experiment)] = experiment
    kinds = {(each.study, each.kind): each.leaves_networks for each in seen.values()}
    assert all(kinds[each.study, each.kind] == each.leaves_networks for each in seen.values()), "one rule a kind"


def test_an_experiments_code_does_not_depend_on_what_params_may_hold() -> None:
    """Else a setting added for one study would carry out all experiments again."""
    from rethinking.fingerprint import dependencies

    for experiment in experiments(PRESETS["smoke"]):
        found = dependencies(*experiment_roots(experiment, recipes_of(PRESETS["smoke"], experiment)))
        assert not {"rethinking.params", "rethinking.cli"} & set(found), experiment
        assert not [module for module in found if module.startswith("rethinking.params_studies")], experiment


def test_an_unknown_experiment_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UserError, match=r"found 'sparsity/none/all', must be one of .*preset smoke"):
        require_experiment(PRESETS["smoke"], "sparsity", "none", "all")
