"""Where a result comes from: commit, package versions, machine."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("torch", "numpy", "scikit-learn", "snakemake")


def describe() -> dict[str, object]:
    """Return commit, whether tracked files differ from it, time, Python, package versions and platform."""
    commit = _git("rev-parse", "HEAD")
    return {
        "commit": commit,
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")) if commit else None,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(terse=True),
        "cores": os.cpu_count(),
    }


def _git(*arguments: str) -> str | None:
    """Return git's answer, or None outside a checkout and where there is no git: a source archive runs as well."""
    try:
        answer = subprocess.run(["git", "--no-optional-locks", *arguments], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
