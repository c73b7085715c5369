"""What tests of versions share: settings of the smoke preset, places of DVC's objects, contents of folders."""

import json
import subprocess
from pathlib import Path

import yaml

from project import Project

PRESET = ("--preset", "smoke")
SMOKE = ("--config", "preset=smoke")
METRICS = "runs/smoke/digits/alexnet/true/wd/seed-0/metrics.json"


def recorded(project: Project, folder: str) -> dict[str, str]:
    """Return path -> md5 of what a folder's .dvc file records, Snakemake's own records (with times) left out."""
    md5 = yaml.safe_load((project.root / f"{folder}.dvc").read_text())["outs"][0]["md5"]
    listed = json.loads((project.root / f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}").read_text())
    return {entry["relpath"]: entry["md5"] for entry in listed if ".snakemake" not in entry["relpath"]}


def cache_file(project: Project, path: str) -> Path:
    """Return the object in DVC's cache that holds the content of a recorded file."""
    folder = next(str(parent) for parent in Path(path).parents if (project.root / f"{parent}.dvc").is_file())
    md5 = recorded(project, folder)[str(Path(path).relative_to(folder))]
    return project.root / f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}"


def remote_file(project: Project, path: str) -> Path:
    """Return the object in the default remote that holds the content of a recorded file."""
    assert project.home is not None
    object_path = cache_file(project, path).relative_to(project.root / ".dvc/cache")
    return project.home / ".cache/rethinking-generalization" / object_path


def overwrite(path: Path, content: bytes) -> None:
    """Replace an object as a failing disk would: it stays read-only, by which DVC knows what it trusts."""
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(0o444)


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def fails(answer: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence with which a command of ours has failed."""
    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    (line,) = answer.stderr.strip().splitlines()
    return line
