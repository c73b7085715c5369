"""Where a result comes from: code, commit, seeds, package versions, machine, and the command that makes it again."""

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple, get_args

from rethinking.cells import Cell
from rethinking.files import checksum
from rethinking.recipe import Recipe, SeedPurpose

PACKAGES = (
    "torch",
    "torchvision",
    "pillow",
    "numpy",
    "scipy",
    "scikit-learn",
    "safetensors",
    "snakemake",
    "dvc",
    "rethinking-generalization",
)
"""The packages that can change a result, and this project itself."""

LOCK = Path("requirements.lock")

SOURCES = ("src", "params.yaml", LOCK.name, "workflow", "profiles")
"""What results are made from. The rest of the checkout (prose, tests, the results themselves) cannot change them."""


def training_roots(architecture: str) -> tuple[str, ...]:
    """Return the modules whose imports are all the code that determines what training this architecture gives."""
    return ("rethinking.training.run", f"rethinking.models.{architecture}")


def train_command(cell: Cell, preset: str, threads: int = 1, processes: int = 1) -> str:
    """Return the command that trains just this cell again, where its data are; `threads` are those of each process."""
    options = f" --threads {threads * processes}" if threads * processes != 1 else ""
    options += f" --processes {processes}" if processes > 1 else ""
    return f"rethinking train {cell} --preset {preset}{options}"


def run_command(cell: Cell, preset: str) -> str:
    """Return the command that trains just this cell again and makes its data first where they are missing."""
    return f"snakemake --force {cell.run_folder(preset)}/metrics.json --config preset={preset}"


def seeds(recipe: Recipe) -> dict[str, int]:
    """Return the recipe's own seed, that of its corruption if it has one, and those that generators are seeded with.

    Each epoch has seeds of its own, given by `Recipe.derived_seed`; these are the first one's.
    """
    derived = {
        purpose if purpose == "initialisation" else f"{purpose}, epoch 1": recipe.derived_seed(purpose)
        for purpose in get_args(SeedPurpose)
    }
    corruption = {} if recipe.corruption_seed is None else {"corruption": recipe.corruption_seed}
    return {"run": recipe.seed, **corruption, **derived}


class Checkout(NamedTuple):
    """What git says of the code; both are None outside a checkout of it and where there is no git."""

    commit: str | None
    uncommitted_changes: bool | None
    """Whether any of SOURCES differs from the commit; a new file counts as well."""


def checkout() -> Checkout:
    """Return the commit that the code is of, and whether it has been changed since."""
    commit = _git("rev-parse", "HEAD") if _git("ls-files", "--error-unmatch", "workflow/Snakefile") else None
    changes = _git("status", "--porcelain", "--", *SOURCES) if commit else None
    return Checkout(commit, None if changes is None else bool(changes))


def environment() -> dict[str, object]:
    """Return Python, package versions, the digest of the file that locks them, and the machine."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "lock": checksum(LOCK)[:16] if LOCK.is_file() else None,
        "platform": platform.platform(terse=True),
        "cores": os.cpu_count(),
    }


def place() -> str:
    """Return the machine and what a scheduler has lent of it, for the log: a failure can be traced to a node."""
    lent = {"GPU": os.environ.get("CUDA_VISIBLE_DEVICES"), "Slurm job": os.environ.get("SLURM_JOB_ID")}
    node = os.environ.get("SLURMD_NODENAME") or platform.node()
    return ", ".join([node, *(f"{what} {value}" for what, value in lent.items() if value)])


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def nvidia_driver() -> str | None:
    """Return the version of the NVIDIA driver, or None where there is none."""
    tool = shutil.which("nvidia-smi")
    answer = _answer(tool, "--query-gpu=driver_version", "--format=csv,noheader") if tool else None
    return answer.splitlines()[0].strip() if answer else None


def _git(*arguments: str) -> str | None:
    """Return git's answer, or None outside a checkout and where there is no git: a source archive runs as well."""
    return _answer("git", "--no-optional-locks", *arguments)


def _answer(*command: str) -> str | None:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
