"""What a result's record says of commit, versions and commands is so."""

import ast
import hashlib
import subprocess
import sys
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from rethinking import provenance
from rethinking.cells import Cell
from rethinking.cli import _parser
from rethinking.fingerprint import dependencies
from rethinking.params_file import load_params

CELL = Cell("digits", "mlp-1x512", "random-labels", "none", 0)


def git(*arguments: str) -> str:
    answer = subprocess.run(
        ["git", "-c", "user.name=Tests", "-c", "user.email=tests@example.org", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return answer.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of something like this project, as it was committed, with the working directory in it."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "workflow/Snakefile",
        "params.yaml",
        "README.md",
        "src/a.py",
        "results/digits/cells.csv",
        "runs/digits.dvc",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as committed\n")
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "One")
    return tmp_path


def test_the_commit_is_that_of_the_checkout(checkout: Path) -> None:
    assert provenance.checkout() == (git("rev-parse", "HEAD"), False)


@pytest.mark.parametrize("name", ["params.yaml", "src/a.py", "src/new.py", "workflow/Snakefile"])
def test_what_results_are_made_from_counts_as_changed(checkout: Path, name: str) -> None:
    (checkout / name).write_text("changed\n")
    assert provenance.checkout().uncommitted_changes


@pytest.mark.parametrize("name", ["results/digits/cells.csv", "runs/digits.dvc", "README.md", "notes.txt"])
def test_what_runs_leave_and_prose_do_not(checkout: Path, name: str) -> None:
    """Each result that `make` writes would otherwise make the next one look changed."""
    (checkout / name).write_text("changed\n")
    assert provenance.checkout().uncommitted_changes is False


def test_there_is_no_commit_outside_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert provenance.checkout() == (None, None)


def test_the_commit_of_a_repository_around_the_project_is_not_its_own(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source archive that somebody unpacked inside a checkout of theirs."""
    (checkout / "archive" / "workflow").mkdir(parents=True)
    (checkout / "archive" / "workflow" / "Snakefile").write_text("as released\n")
    monkeypatch.chdir(checkout / "archive")
    assert provenance.checkout() == (None, None)


def test_a_machine_without_git_runs_as_well(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert provenance.checkout() == (None, None)
    assert provenance.nvidia_driver() is None


def test_versions_are_recorded_of_all_that_training_computes_with() -> None:
    found = set()
    for architecture in ("alexnet", "inception", "mlp"):
        for module in dependencies(*provenance.training_roots(architecture), "rethinking.data.variants"):
            spec = find_spec(module)
            assert spec is not None
            assert spec.origin is not None
            for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module:
                    names.append(node.module)
                found |= {name.partition(".")[0] for name in names}
    outside = found - sys.stdlib_module_names - {"rethinking"}
    distributions = packages_distributions()
    # pydantic checks settings and computes nothing
    assert {distributions[name][0] for name in outside} - {"pydantic"} <= set(provenance.PACKAGES)
    assert "torch" in outside


def test_every_package_has_a_version_here() -> None:
    packages = provenance.environment()["packages"]
    assert isinstance(packages, dict)
    assert set(packages) == set(provenance.PACKAGES)
    assert all(packages.values())


def test_the_lock_is_known_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert provenance.environment()["lock"] is None
    (tmp_path / "requirements.lock").write_text("torch==2.11.0\n")
    assert provenance.environment()["lock"] == hashlib.sha256(b"torch==2.11.0\n").hexdigest()[:16]


def test_the_driver_is_what_nvidias_tool_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\n[ "$1" = --query-gpu=driver_version ] && printf "580.65.06\\n580.65.06\\n"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.nvidia_driver() == "580.65.06"
    tool.write_text("#!/bin/sh\nexit 9\n")  # as it does where the driver is not loaded
    assert provenance.nvidia_driver() is None


def test_a_corruption_has_a_seed_of_its_own_among_those_of_a_run() -> None:
    """A run can be had again from its record only if the data it was trained on can."""
    params = load_params(Path(__file__).resolve().parents[1] / "params.yaml", "smoke")
    assert provenance.seeds(params.recipe(CELL))["corruption"] == params.data.corruption_seed


@pytest.mark.parametrize("threads", [1, 4])
def test_the_command_of_a_run_is_one_that_trains_its_cell(threads: int) -> None:
    program, *words = provenance.train_command(CELL, "smoke", threads).split()
    options = _parser().parse_args(words)
    assert program == "rethinking"
    assert (Cell.parse(options.cell), options.preset, options.threads) == (CELL, "smoke", threads)
