"""The files by which other services know the project follow their schemas, which check-jsonschema brings along."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

SOURCE = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((SOURCE / ".github/workflows").glob("*.yml"))


def check(schema: str, *files: Path) -> subprocess.CompletedProcess[str]:
    words = ["-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)


def test_workflows_and_citation_follow_their_schemas() -> None:
    for schema, files in (
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.citation-file-format", [SOURCE / "CITATION.cff"]),
    ):
        answer = check(schema, *files)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_workflow_that_is_wrong_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOWS[0].read_text(encoding="utf-8").replace("runs-on", "run-on"), encoding="utf-8")
    assert check("vendor.github-workflows", wrong).returncode == 1


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_permissions_are_named(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert [name for name in used if not name.rpartition("@")[2].startswith("v")] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_credentials_are_left_in_a_checkout(path: Path) -> None:
    """Where later steps, or an artifact made of the folder, could hand them on."""
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    checkouts = [step for job in jobs for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
