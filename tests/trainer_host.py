"""A process with a broker, as Snakemake's is, and cells that are trained through it."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from project import Project
from rethinking.cells import Cell
from rethinking.trainer.messages import VARIABLE

ENDLESS_MODEL = "mlp-3x512"
QUICK, ENDLESS = (Cell("digits", model, "true", "none", 0) for model in ("mlp-1x512", ENDLESS_MODEL))
"""Cells of `project_with_endless_cells`: one takes a moment, the other hours."""
WITHOUT_DATA = Cell("digits", "mlp-1x512", "gaussian", "none", 0)

HOST = """
import os, sys
from rethinking.trainer import broker, messages

for setting in sys.argv[2:]:
    name, _, seconds = setting.partition("=")
    setattr(broker if hasattr(broker, name) else messages, name, float(seconds))
broker.start_broker(sys.argv[1].split())
print(os.environ.get(messages.VARIABLE), flush=True)
sys.stdin.read()
"""


def project_with_endless_cells(root: Path) -> Project:
    """Return a copy of the project with the data set digits, in which some cells have a million epochs."""
    project = Project.copy_to(root)
    longer = f"      - {{models: [{ENDLESS_MODEL}], training: {{epochs: 1000000}}}}\n"
    rest = "    execution:\n      device: cpu\n"  # behind the exceptions of the preset smoke
    project.edit("params.yaml", rest, f"{longer}{rest}")
    assert project.command("rethinking", "fetch", "digits").returncode == 0
    return project


def seeds(cell: Cell) -> Iterator[Cell]:
    """Yield cells that differ from `cell` in their seeds."""
    return (replace(cell, seed=seed) for seed in itertools.count(cell.seed))


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.02)


def state(pid: int) -> str:
    """Return the state of a process as one letter of `ps`, nothing if there is no such process."""
    answer = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return answer.stdout.strip()[:1]


def alive(pid: int) -> bool:
    """Whether there is such a process, a zombie not counted: who started it may have ended before it."""
    return state(pid) not in ("", "Z")


def suspend(pid: int) -> None:
    """Stop a process until it is killed. Until it has really stopped, another signal could end it."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: state(pid) == "T")


def environment(pid: int) -> dict[str, str]:
    """Return the environment that a process was started with."""
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


@dataclass
class Training:
    """`rethinking train` under way."""

    client: subprocess.Popen[str]
    log: Path
    folder: Path
    """Of the run."""

    def wait_for_epoch(self) -> None:
        """Wait until an epoch has been trained."""
        until(lambda: "\nepoch " in self.log.read_text() or self.client.poll() is not None)
        assert self.client.poll() is None, self.log.read_text()

    def wait(self) -> tuple[int, str]:
        """Return the exit status and what was printed to standard output and error."""
        status = self.client.wait(60)
        return status, self.log.read_text()


@dataclass
class Host:
    """A process that has a broker, and whose environment its jobs inherit."""

    project: Project
    process: subprocess.Popen[str]
    socket: str

    def workers(self) -> list[int]:
        """Return the process ids of its workers."""
        answer = subprocess.run(["ps", "-A", "-o", "ppid=,pid=,command="], capture_output=True, text=True, check=True)
        rows = (line.split(maxsplit=2) for line in answer.stdout.splitlines())
        return sorted(int(row[1]) for row in rows if row[0] == str(self.process.pid) and "trainer.worker" in row[-1])

    def wait_for_workers(self, count: int) -> None:
        """Wait until there are so many."""
        until(lambda: len(self.workers()) == count, seconds=20)

    def start(self, cell: Cell, program: Sequence[str] = (), **variables: str) -> Training:
        """Start to train a cell."""
        log = self.project.root / f"{time.monotonic_ns()}.log"
        with open(log, "w") as file:
            client = subprocess.Popen(
                [*(program or ["rethinking"]), "train", str(cell), "--preset", "smoke"],
                cwd=self.project.root,
                env=self.project.environment | {VARIABLE: self.socket} | variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                text=True,
                # Tests may themselves run as a shell's background job, which ignores Ctrl-C and hands that on.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
        return Training(client, log, self.project.root / cell.run_folder("smoke"))

    def train(self, cell: Cell, **variables: str) -> tuple[int, str]:
        """Train a cell to its end; return exit status and output."""
        return self.start(cell, **variables).wait()

    def refuse(self, **variables: str) -> None:
        """Let a worker serve a cell that it cannot train, which it says at once: it loads torch for others only."""
        assert self.train(WITHOUT_DATA, **variables)[0] == 2


@contextmanager
def host(project: Project, devices: str = "", *settings: str, **variables: str) -> Iterator[Host]:
    """Run a process with a broker for the GPUs named in `devices`. It ends after the block, and so must its workers.

    `settings` are constants of the broker, such as "IDLE_SECONDS=1".
    """
    process = subprocess.Popen(
        [sys.executable, "-c", HOST, devices, *settings],
        cwd=project.root,
        env={key: value for key, value in project.environment.items() if key != VARIABLE} | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    found = Host(project, process, process.stdout.readline().strip())
    workers: list[int] = []
    try:
        yield found
        workers = found.workers()
    finally:
        process.stdin.close()
        process.stdout.close()
        assert process.wait(20) in (0, -signal.SIGKILL)
        if process.returncode:
            shutil.rmtree(Path(found.socket).parent)
    until(lambda: not any(alive(pid) for pid in workers), seconds=20)
