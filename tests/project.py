"""A copy of the project in a folder of its own, driven as a person drives it: through its commands."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from compileall import compile_dir
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from rethinking.plan import Plan, make_plan
from rethinking.syntax import syntax

SOURCE = Path(__file__).resolve().parents[1]
PARTS = (
    ".dvc/.gitignore",
    ".dvc/config",
    ".dvcignore",
    ".gitignore",
    "dvc.yaml",
    "params.yaml",
    "profiles",
    "report",
    "requirements.lock",
    "src",
    "workflow",
)


@cache
def _compile() -> None:
    """Compile the sources, and read what they say to fingerprints, once for all copies: it takes seconds."""
    compile_dir(SOURCE / "src", quiet=2)
    for path in (SOURCE / "src").rglob("*.py"):
        syntax(path)


class ToDo(NamedTuple):
    """What a dry run announces."""

    jobs: dict[str, int]
    """How many of each rule, target rules left out."""
    cells: set[str]
    """That would be trained."""
    experiments: set[str]
    """That would be carried out."""
    results: set[str]
    """Tables and figures that would be made: "table randomisation-table1"."""


@dataclass(frozen=True)
class Project:
    """A working copy of the project."""

    root: Path
    home: Path | None = None
    """The user's home folder, which holds DVC's default remote; one of its own beside the copy where None."""

    @classmethod
    def copy_to(cls, root: Path) -> "Project":
        """Copy the sources and what Python has compiled of them (not what it just writes), nothing that a run makes."""
        _compile()
        made = shutil.ignore_patterns("*.pyc.*", "_site", "_generated", "_variables.yml", ".site-*")
        for name in PARTS:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            if (SOURCE / name).is_dir():
                shutil.copytree(SOURCE / name, root / name, ignore=made)
            else:
                shutil.copy(SOURCE / name, root / name)
        return cls(root)

    @classmethod
    def check_out_to(cls, root: Path) -> "Project":
        """Copy the sources and make the copy a Git repository with one commit, on a branch `main`."""
        project = cls.copy_to(root)
        project.git("init", "--quiet", "--initial-branch=main")
        project.commit("The project")
        return project

    def clone_to(self, root: Path) -> "Project":
        """Clone this repository for the same user."""
        self.git("clone", "--quiet", str(self.root), str(root))
        return Project(root, self._home)

    def copy_of_all(self, root: Path) -> "Project":
        """Copy this folder with everything in it for the same user: changing the copy leaves the original alone."""
        shutil.copytree(self.root, root, symlinks=True)
        return Project(root, self._home)

    def git(self, *words: str) -> str:
        """Run git, which must succeed, and return what it prints."""
        answer = self.command("git", *words)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def commit(self, message: str) -> None:
        """Commit everything that Git does not ignore."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    @property
    def _home(self) -> Path:
        return self.home or self.root.with_name(f"{self.root.name}-home")

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which this copy's own code is found first."""
        scripts = Path(sys.executable).parent
        # The last one as in conftest.py.
        left_out = ("RETHINKING_DATA_MIRROR", "RETHINKING_IMAGENET", "RETHINKING_TRAINER", "PYTHONDONTWRITEBYTECODE")
        inherited = {key: value for key, value in os.environ.items() if key not in left_out}
        self._home.mkdir(parents=True, exist_ok=True)
        return {
            **inherited,
            "HOME": str(self._home),
            "MPLCONFIGDIR": str(Path.home() / ".cache" / "matplotlib"),  # finding all fonts anew takes seconds
            "GIT_CONFIG_NOSYSTEM": "1",
            **{
                f"GIT_{who}_{what}": "reader@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
            },
            "DVC_SITE_CACHE_DIR": str(self._home / "dvc"),
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

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command in the copy, in a process group of its own, without waiting for it."""
        return subprocess.Popen(
            words,
            cwd=self.root,
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # Tests may themselves run as a shell's background job, which ignores Ctrl-C and hands that on.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def plan(self, *config: str) -> Plan:
        """Return what `snakemake --config <config>` plans with the copy's params.yaml as it is now."""
        return make_plan(dict(word.split("=", 1) for word in config), self.root / "params.yaml")

    def announced(self, *words: str) -> ToDo:
        """Return what a dry run announces."""
        answer = self.snakemake("-n", *words)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        table = re.search(r"^job +count\n[- ]+\n(.*?)^total", answer.stdout, flags=re.MULTILINE | re.DOTALL)
        if table is None:
            assert "Nothing to be done" in answer.stdout + answer.stderr, answer.stdout + answer.stderr
            return ToDo({}, set(), set(), set())
        jobs = {line.split()[0]: int(line.split()[1]) for line in table[1].splitlines()}
        said = re.findall(r"^Job \d+: (Train|Experiment|Table|Figure) (\S+)$", answer.stdout, flags=re.MULTILINE)
        return ToDo(
            {rule: count for rule, count in jobs.items() if rule not in ("all", "runs", "results", "experiments")},
            {name for title, name in said if title == "Train"},
            {name for title, name in said if title == "Experiment"},
            {f"{title.lower()} {name}" for title, name in said if title in ("Table", "Figure")},
        )

    def to_do(self, *words: str) -> dict[str, int]:
        """Return how many jobs of each rule a dry run announces, target rules left out."""
        return self.announced(*words).jobs

    def cells_to_train(self, *words: str) -> set[str]:
        """Return the cells that a dry run would train."""
        return self.announced(*words).cells

    @contextmanager
    def edited(self, name: str, old: str, new: str) -> Iterator[None]:
        """Replace `old` by `new` in one of the copy's files, and put the file back."""
        content = (self.root / name).read_bytes()
        self.edit(name, old, new)
        try:
            yield
        finally:
            (self.root / name).write_bytes(content)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace `old`, which must be there, by `new` in one of the copy's files."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")
