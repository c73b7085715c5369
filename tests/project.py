"""A copy of the project in a folder of its own, driven as a person drives it: through its commands."""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
PARTS = ("Snakefile", "params.yaml", "workflow", "profiles", "report", "src")


@dataclass(frozen=True)
class Project:
    """A working copy without data, runs or results."""

    root: Path

    @classmethod
    def copy_to(cls, root: Path) -> "Project":
        """Copy the sources, nothing that a run makes."""
        made = shutil.ignore_patterns("__pycache__", "_site", "_generated", "_variables.yml", ".site-*")
        for name in PARTS:
            if (SOURCE / name).is_dir():
                shutil.copytree(SOURCE / name, root / name, ignore=made)
            else:
                shutil.copy(SOURCE / name, root / name)
        return cls(root)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which this copy's own code is found first."""
        scripts = Path(sys.executable).parent
        inherited = {key: value for key, value in os.environ.items() if key != "RETHINKING_DATA_MIRROR"}
        return {
            **inherited,
            "PATH": f"{scripts}{os.pathsep}{inherited['PATH']}",
            "PYTHONPATH": str(self.root / "src"),
            "OMP_NUM_THREADS": "1",
        }

    def command(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy to its end."""
        return subprocess.run(
            words, cwd=self.root, env=self.environment | variables, capture_output=True, text=True, timeout=900
        )

    def snakemake(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run snakemake in the copy to its end."""
        return self.command("snakemake", *words, **variables)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command in the copy, in a process group of its own, without waiting for it."""
        return subprocess.Popen(
            words,
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # Tests may themselves run as a shell's background job, which ignores Ctrl-C and hands that on.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def to_do(self, *words: str) -> dict[str, int]:
        """Return how many jobs of each rule a dry run announces, target rules left out."""
        answer = self.snakemake("-n", *words)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        table = re.search(r"^job +count\n[- ]+\n(.*?)^total", answer.stdout, flags=re.MULTILINE | re.DOTALL)
        if table is None:
            assert "Nothing to be done" in answer.stdout + answer.stderr, answer.stdout + answer.stderr
            return {}
        jobs = {line.split()[0]: int(line.split()[1]) for line in table[1].splitlines()}
        return {rule: count for rule, count in jobs.items() if rule not in ("all", "runs", "results")}

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace `old`, which must be there, by `new` in one of the copy's files."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")
