"""Which paths are added to what DVC records, so that nothing recorded is dropped."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethinking.plan import make_plan
from rethinking.versions.record import whole_parts
from rethinking.versions.repository import is_whole, versioned_folders

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"

paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


def without_folders_that_are_files(found: set[str]) -> set[str]:
    """Leave out paths that are at once a file and a folder of others."""
    return {path for path in found if not any(other.startswith(f"{path}/") for other in found)}


def below(part: str, found: set[str]) -> set[str]:
    return {path for path in found if part in (".", path) or path.startswith(f"{part}/")}


@given(st.sets(paths, max_size=12), st.sets(paths, max_size=12))
def test_the_parts_hold_everything_present_and_nothing_absent(one: set[str], other: set[str]) -> None:
    """Adding a folder replaces all that is recorded below it: so no recorded file that is not here lies below one."""
    everything = without_folders_that_are_files(one | other)
    present, recorded = one & everything, other & everything
    parts = whole_parts(present, recorded)
    held = set().union(*(below(part, everything) for part in parts))
    assert held == present


def test_a_whole_folder_is_one_part() -> None:
    assert whole_parts({"a/1", "b/2"}, {"a/1"}) == ["."]


def test_beside_something_absent_whole_folders_are_kept_together() -> None:
    """Thousands of cells cost a few additions, not thousands."""
    present = {f"digits/alexnet/true/{name}" for name in ("metrics.json", "history.csv")} | {
        "digits/mlp/true/metrics.json"
    }
    assert whole_parts(present, {"digits/inception/true/metrics.json"}) == ["digits/alexnet", "digits/mlp"]


def test_a_file_beside_an_absent_one_is_a_part_of_its_own() -> None:
    assert whole_parts({"cell/history.csv"}, {"cell/metrics.json", "cell/history.csv"}) == ["cell/history.csv"]


def test_an_empty_folder_adds_nothing() -> None:
    assert whole_parts(set(), {"a"}) == []


def test_weights_are_whole_with_those_of_all_cells_and_the_networks_that_experiments_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the whole preset, however narrow the plan is."""
    monkeypatch.chdir(tmp_path)
    plan = make_plan({"preset": "smoke", "studies": "randomisation", "models": "alexnet"}, PARAMS_FILE)
    networks = [Path(each.networks_path("smoke")) for each in plan.all_experiments if each.leaves_networks]
    paths = [*(Path(cell.weights_path("smoke")) for cell in plan.all_cells), *networks]
    assert networks
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert is_whole(plan, Path("weights/smoke"))
    for path in (paths[0], paths[-1]):
        path.unlink()
        assert not is_whole(plan, Path("weights/smoke"))
        path.touch()
    assert not is_whole(plan, Path("runs/smoke"))


def test_data_that_only_an_experiment_reads_are_versioned_too() -> None:
    plan = make_plan({"preset": "smoke"}, PARAMS_FILE)
    folders = versioned_folders(plan)
    for experiment in plan.experiments:
        assert {Path("data", *variant) for variant in experiment.all_variants()} <= set(folders)
