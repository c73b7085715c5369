"""The project driven on a Slurm cluster, as a person at the cluster's terminal drives it."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from project import Project
from slurm import Cluster, Job

PROFILE = "profiles/slurm/profile.yaml"


@dataclass(frozen=True)
class OnSlurm:
    """A copy of the project, and a cluster that its jobs are submitted to."""

    project: Project
    cluster: Cluster

    @classmethod
    def copy_to(cls, root: Path, cluster: Cluster) -> "OnSlurm":
        """Copy the project. Its cells ask for GPUs, and the profile waits no longer than a test has time."""
        on_slurm = cls(Project.copy_to(root), cluster)
        on_slurm.project.edit("params.yaml", "      device: cpu\n", "      device: auto\n")
        on_slurm.profile("latency-wait: 60", "latency-wait: 5")
        on_slurm.profile("status-checks: 20", "status-checks: 1")
        return on_slurm

    def profile(self, old: str, new: str) -> None:
        """Edit the profile for Slurm."""
        self.project.edit(PROFILE, old, new)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which the cluster is found."""
        ours = self.cluster.environment
        path = os.pathsep.join((self.project.environment["PATH"], ours["PATH"]))
        return ours | {"PATH": f"{self.cluster.folder / 'bin'}{os.pathsep}{path}"}

    def words(self, *words: str) -> tuple[str, ...]:
        """Return the command that runs the smoke preset on the cluster, as `make reproduce PROFILE=slurm` does."""
        return ("snakemake", "--workflow-profile", "slurm", *words)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return self.project.command(*self.words(*words), **self.environment)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start it, in a process group of its own."""
        return self.project.start(*self.words(*words), **self.environment)

    def jobs(self) -> list[Job]:
        """Return the jobs that cells of this copy were trained in, as their logs name them."""
        numbers = {int(number) for number in re.findall(r"Slurm job (\d+)", self.logs())}
        return [job for job in self.cluster.jobs() if job.id in numbers]

    def logs(self) -> str:
        """Return the logs of all cells."""
        return "".join(path.read_text() for path in sorted(self.project.root.glob("logs/runs/**/*.log")))


def train_for(epochs: int, project: Project) -> None:
    """Let the smoke preset train for longer."""
    text = (project.root / "params.yaml").read_text()
    smoke = text.index("  smoke:\n")
    changed = text[smoke:].replace("epochs: 2\n", f"epochs: {epochs}\n", 1)
    (project.root / "params.yaml").write_text(text[:smoke] + changed)


def wait_until(holds: Callable[[], object], what: Callable[[], str], seconds: float = 300) -> None:
    """Wait until `holds` is true; `what` says what was there instead."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


class Trained:
    """One cell of a run on the cluster, watched from outside."""

    def __init__(self, on_slurm: OnSlurm, cell: str) -> None:
        self.on_slurm = on_slurm
        self.cell = cell
        self._log = on_slurm.project.root / f"logs/runs/smoke/{cell}.log"

    @property
    def said(self) -> str:
        """Its log, which each start begins anew."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def job(self) -> Job:
        """The job in which it is trained now."""
        return self.on_slurm.cluster.job(int(re.findall(r"Slurm job (\d+)", self.said)[-1]))

    @property
    def epoch(self) -> int:
        """The last epoch that this start has printed; 0 before the first."""
        return max([0, *map(int, re.findall(r"^epoch +(\d+) ", self.said, flags=re.MULTILINE))])

    @property
    def first_epoch(self) -> int:
        """The first epoch that this start has printed; 0 before it."""
        return min(map(int, re.findall(r"^epoch +(\d+) ", self.said, flags=re.MULTILINE)), default=0)

    def wait_for_epoch_after(self, epoch: int) -> None:
        """Wait until it goes on training from a checkpoint of at least `epoch` epochs."""
        wait_until(
            lambda: self.first_epoch > epoch and self.job.state == "RUNNING",
            lambda: f"{self.cell}: {self.said}\n{self.on_slurm.cluster.logs()}",
        )

    def hold(self) -> None:
        """Suspend its job: it must not come to its end while the test waits for something else."""
        self.on_slurm.cluster.command("scontrol", "suspend", str(self.job.id))

    def let_go_on(self) -> None:
        """Resume its suspended job."""
        self.on_slurm.cluster.command("scontrol", "resume", str(self.job.id))


def preempt(trained: Trained, gpus: int = 2) -> int:
    """Submit a job with more priority that needs all GPUs of the node on which a cell is trained; return its number."""
    cluster, node = trained.on_slurm.cluster, trained.job.nodes
    return cluster.submit("sleep 1", "--partition=urgent", f"--nodelist={node}", f"--gpus-per-node={gpus}")
