"""A real Slurm cluster on this machine, for tests: a controller and nodes with fake GPUs, stopped when a test ends.

It shares nothing with a Slurm that the machine may have: folder, ports, key and authentication are its own, and
commands find it by `Cluster.environment` alone. Several can run side by side.

Made for what Debian 12 packages (slurmctld, slurmd and what they depend on: Slurm 22.05); needs neither systemd nor
cgroups nor root. Where it differs from a cluster of real machines:

- All nodes are this machine: one host name, one file system, and jobs see all of its processors, whatever they ask.
- Memory is measured once a second, and a job that uses too much is killed without a warning; its state is then FAILED,
  where clusters with cgroups say OUT_OF_MEMORY.
- There is no accounting, thus no sacct: squeue knows jobs that have ended, for an hour.
- Slurm looks for jobs whose time is up every 30 seconds, and no time limit is shorter than a minute; see
  `Cluster.let_time_run_out`.
"""

import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
SECONDS_TO_START = 30
ATTEMPTS = 3
SECONDS_TO_KILL = 5
"""How long after SIGTERM a job is killed that has to go."""
SECONDS_OF_GRACE = 5
"""How long a job in the partition `grace` may go on once it is preempted."""
SECONDS_TO_REQUEUE = 5
"""How long a requeued job waits before it can start again: Slurm takes no smaller number."""

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun")
# Debian keeps daemons where not every user's PATH leads.
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))
# Options of Slurm's commands as environment variables: those of a cluster that runs these tests would mislead ours.
OPTIONS = ("SLURM_", "SBATCH_", "SCANCEL_", "SCONTROL_", "SINFO_", "SQUEUE_")

CHILDREN = Path("/proc/thread-self/children")

CONFIGURATION = f"""
ClusterName=test
SlurmctldHost={{host}}({HOST})
SlurmctldPort={{port}}
SlurmUser={{user}}
SlurmdUser={{user}}
AuthType=auth/munge
AuthInfo=socket={{folder}}/munge/socket,cred_expire={SECONDS_TO_REQUEUE}
StateSaveLocation={{folder}}/state
SlurmdSpoolDir={{folder}}/spool/%n
SlurmctldPidFile={{folder}}/slurmctld.pid
SlurmdPidFile={{folder}}/%n.pid
SlurmctldLogFile={{folder}}/logs/slurmctld.log
SlurmdLogFile={{folder}}/logs/%n.log
MailProg=/bin/true

# What needs no cgroups.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill

# Nodes have what is declared below, whatever this machine has, and stay down until told otherwise.
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SlurmdParameters=config_overrides
ReturnToService=0
DefMemPerCPU=100

# Jobs start within about a second.
SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_interval=1
MinJobAge=3600
KillWait={SECONDS_TO_KILL}
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE

PartitionName=main Nodes=ALL Default=YES PriorityTier=1
PartitionName=short Nodes=ALL MaxTime=1 PriorityTier=1
PartitionName=grace Nodes=ALL GraceTime={SECONDS_OF_GRACE} PriorityTier=1
PartitionName=cancel Nodes=ALL PreemptMode=CANCEL PriorityTier=1
PartitionName=urgent Nodes=ALL PriorityTier=2
"""


def available() -> str | None:
    """Return why no cluster can be started here, in one sentence, or None if one can."""
    missing = [program for program in PROGRAMS if shutil.which(program, path=PATH) is None]
    if missing:
        return f"there is no {', '.join(missing)} here (on Debian: apt install slurmctld slurmd)"
    if not CHILDREN.exists():
        return f"without {CHILDREN}, which this kernel lacks, what a cluster leaves behind could not be found"
    return None


@dataclass(frozen=True)
class Job:
    """What squeue knows of a job."""

    id: int
    name: str
    state: str
    """PENDING, RUNNING, COMPLETING, COMPLETED, FAILED, TIMEOUT, CANCELLED and the like."""
    reason: str
    partition: str
    comment: str
    gres: str
    """What is asked by --gres, --gpus or their like, as Slurm writes it: `gres:gpu:fake:1`; empty if nothing."""
    cpus: int
    memory_mb: int
    """As asked: of a node, or of a processor by --mem-per-cpu."""
    time_limit_minutes: int | None
    """None where neither the job nor its partition sets one, and a year, 525600, once such a job has started."""
    restarts: int
    """How often it has been requeued."""
    nodes: str

    @property
    def gpus(self) -> int:
        """How many GPUs it asks for."""
        asked = re.search(r"\bgpu(?::[a-z]\w*)?(?::(\d+))?", self.gres)
        return int(asked[1] or 1) if asked else 0

    @classmethod
    def of(cls, fields: Sequence[str]) -> "Job":
        """Read what squeue prints in the format `FIELDS`."""
        job, name, state, reason, partition, comment, per_node, per_job, cpus, memory, limit, restarts, nodes = (
            "" if field in ("N/A", "(null)") else field for field in fields
        )
        return cls(
            int(job),
            name,
            state,
            reason,
            partition,
            comment,
            per_node or per_job,
            int(cpus),
            _megabytes(memory),
            _minutes(limit),
            int(restarts),
            nodes,
        )


FIELDS = (
    "JobID",
    "Name",
    "State",
    "Reason",
    "Partition",
    "Comment",
    "tres-per-node",
    "tres-per-job",
    "NumCPUs",
    "MinMemory",
    "TimeLimit",
    "RestartCnt",
    "NodeList",
)
SEPARATOR = "\x1f"
LONGEST_FIELD = 1000  # squeue cuts what is longer


def _megabytes(memory: str) -> int:
    """Read Slurm's `1500M` or `2G`."""
    number, unit = float(memory.rstrip("KMGT")), memory[-1]
    return round(number * {"K": 1 / 1024, "G": 1024, "T": 1024**2}.get(unit, 1))


def _minutes(limit: str) -> int | None:
    """Read Slurm's `[days-][[hours:]minutes:]seconds`; None is no limit."""
    days, _, clock = limit.rpartition("-")
    if not re.fullmatch(r"[\d:]+", clock):
        return None
    hours, minutes, _ = ([0, 0] + [int(part) for part in clock.split(":")])[-3:]
    return (int(days or 0) * 24 + hours) * 60 + minutes


@dataclass(frozen=True)
class Cluster:
    """A running cluster, whose nodes are called node1, node2 and so on.

    Its partitions: `main` is the default; `short` allows a minute; a job in `urgent` takes the place of those in the
    others, which are requeued, at once, or after some seconds of grace in `grace`.
    """

    folder: Path
    """Holds all files of the cluster, and of `submit`'s jobs."""
    nodes: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which Slurm's commands find this cluster.

        In its jobs, Snakemake drops all variables that begin with SLURM_ before it starts a step. On other clusters the
        configuration is where Slurm looks for it by itself; here the `srun` that is found first names it.
        """
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": f"{self.folder / 'bin'}{os.pathsep}{PATH}"}

    def command(self, *words: str) -> str:
        """Run one of Slurm's commands in the folder, which must succeed, and return what it prints."""
        answer = subprocess.run(
            words,
            cwd=self.folder,
            env=_without_options(os.environ) | self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert answer.returncode == 0, f"{words}: {answer.stdout}{answer.stderr}\n{self.logs()}"
        return answer.stdout

    def submit(self, script: str, *options: str) -> int:
        """Submit lines of shell as a job; return its number."""
        return int(self.command("sbatch", "--parsable", *options, "--output=%j.out", f"--wrap={script}"))

    def output(self, job: int) -> str:
        """Return what one of `submit`'s jobs has printed so far. A requeued job starts anew."""
        path = self.folder / f"{job}.out"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def jobs(self) -> list[Job]:
        """Return all jobs that have not ended more than an hour ago, by their number."""
        form = ",".join(f"{field}:{LONGEST_FIELD}{SEPARATOR}" for field in FIELDS)
        lines = self.command("squeue", "--all", "--states=all", "--noheader", f"--Format={form}").splitlines()
        jobs = [Job.of([field.strip() for field in line.split(SEPARATOR)[: len(FIELDS)]]) for line in lines]
        return sorted(jobs, key=lambda job: job.id)

    def job(self, number: int) -> Job:
        """Return one job."""
        (job,) = (job for job in self.jobs() if job.id == number)
        return job

    def wait(self, holds: Callable[[list[Job]], object], seconds: float = 30) -> list[Job]:
        """Wait until something holds of all jobs; return them as they are then."""
        deadline = time.monotonic() + seconds
        while not holds(jobs := self.jobs()):
            assert time.monotonic() < deadline, "\n".join(
                (f"waited {seconds} s in vain; the jobs now:", *map(str, jobs), self.logs())
            )
            time.sleep(0.1)
        return jobs

    def wait_for(self, number: int, *states: str, seconds: float = 30) -> Job:
        """Wait until a job is in one of the states; return it as it is then."""
        jobs = self.wait(lambda jobs: any(job.id == number and job.state in states for job in jobs), seconds)
        (job,) = (job for job in jobs if job.id == number)
        return job

    def let_time_run_out(self, job: int) -> None:
        """Have a running job's time limit end now. Slurm acts on it within 30 seconds."""
        self.command("scontrol", "update", f"jobid={job}", "endtime=now")

    def node_states(self) -> dict[str, str]:
        """Return the state of each node: idle, mixed, allocated, down; with a star while it does not answer."""
        return dict(line.split() for line in self.command("sinfo", "--Node", "--noheader", "-o", "%N %T").splitlines())

    def down(self, node: str) -> None:
        """Have a node fail: its jobs get SIGTERM and SIGKILL, and are requeued. Returns when none is left on it."""
        self.command("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        steps = self.folder / "spool" / node  # with a socket for each step that runs, named for node, job and step
        self.wait(
            lambda jobs: (
                self.node_states()[node].startswith("down")
                and not any(job.nodes == node and job.state in ("RUNNING", "COMPLETING") for job in jobs)
                and not any(steps.glob(f"{node}_*.*"))
            )
        )

    def resume(self, node: str) -> None:
        """Have a failed node work again."""
        self.command("scontrol", "update", f"nodename={node}", "state=resume")
        self.wait(lambda _: self.node_states()[node] in ("idle", "mixed", "allocated"))

    def logs(self, lines: int = 40) -> str:
        """Return the last lines of each daemon's log."""
        return "\n".join(
            f"--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
            for path in sorted((self.folder / "logs").iterdir())
        )


def _without_options(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(OPTIONS)}


def _free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in sockets]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


class DaemonEndedError(Exception):
    """A daemon ended by itself, before the cluster was ready."""


@contextmanager
def slurm_cluster(
    nodes: int = 2, gpus: int = 2, gpu_type: str = "fake", cpus: int = 8, memory_mb: int = 16_000
) -> Iterator[Cluster]:
    """Start a cluster whose nodes have that many GPUs, processors and megabytes each, real or not.

    GPUs are not: a job that asks for one finds its number in CUDA_VISIBLE_DEVICES, and no device. On leaving, whatever
    runs on the cluster is killed.
    """
    names = tuple(f"node{number}" for number in range(1, nodes + 1))
    # Not in one of pytest's folders: a socket's path may have 108 characters, and Slurm's take 50 below this folder.
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, ExitStack() as stack:
        for attempt in range(1, ATTEMPTS + 1):
            cluster = Cluster(Path(folder) / str(attempt), names)
            ports = _free_ports(1 + nodes)
            _configure(cluster, ports, f"gpu:{gpu_type}:{gpus}", f"CPUs={cpus} RealMemory={memory_mb}")
            try:
                _start(cluster, ports[0], stack.enter_context(_Keeper(cluster)))
                break
            except DaemonEndedError:  # another program may meanwhile have taken a port
                if attempt == ATTEMPTS or "Address already in use" not in cluster.logs():
                    raise
        yield cluster


def _configure(cluster: Cluster, ports: Sequence[int], gres: str, size: str) -> None:
    """Make the cluster's folder, with all that the daemons read."""
    folder = cluster.folder
    for name in ("munge", "state", "spool", "logs", "gpus", *(f"spool/{node}" for node in cluster.nodes)):
        (folder / name).mkdir(parents=True)
    key = folder / "munge" / "key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))

    host = socket.gethostname().split(".")[0]
    configuration = CONFIGURATION.format(host=host, port=ports[0], user=os.getuid(), folder=folder)
    devices = ""
    kind, type_, count = gres.split(":")
    for node, port in zip(cluster.nodes, ports[1:], strict=True):
        configuration += f"NodeName={node} NodeHostname={host} NodeAddr={HOST} Port={port} Gres={gres} {size}\n"
        for number in range(int(count)):
            # Without a file for each, which must be a device, Slurm would not tell jobs which GPUs are theirs.
            file = folder / "gpus" / f"{node}-{number}"
            file.symlink_to("/dev/null")
            devices += f"NodeName={node} Name={kind} Type={type_} File={file}\n"
    (folder / "slurm.conf").write_text(configuration, encoding="utf-8")
    (folder / "gres.conf").write_text(devices, encoding="utf-8")
    srun = folder / "bin" / "srun"
    srun.parent.mkdir()
    program = shutil.which("srun", path=PATH)
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {program} "$@"\n', encoding="utf-8")
    srun.chmod(0o755)


def _start(cluster: Cluster, port: int, keeper: "_Keeper") -> None:
    """Start the daemons, each once what it needs is there."""
    munge = cluster.folder / "munge"
    files = [f"--{kind}-file={munge / kind}" for kind in ("key", "log", "pid", "seed")]
    # By force: munged mistrusts folders below one to which everyone may write, such as /tmp.
    keeper.start("munged", "--foreground", "--force", f"--socket={munge / 'socket'}", *files)
    keeper.wait((munge / "socket").exists)
    keeper.start("slurmctld", "-D")
    keeper.wait(lambda: _answers(port))
    for node in cluster.nodes:
        keeper.start("slurmd", "-D", "-N", node)
    keeper.wait(lambda: _all_idle(cluster))


def _all_idle(cluster: Cluster) -> bool:
    with suppress(AssertionError):  # sinfo may have found another program behind the port
        return set(cluster.node_states().values()) == {"idle"}
    return False


class _Keeper:
    """A process that runs the cluster's daemons, and kills them and all that they have started before it ends.

    Slurm's job steps part from the daemon that starts them, so as to outlive it. What they leave behind becomes the
    keeper's child, though (see `_keep`). It ends when this process ends in any way, or one of the daemons.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __enter__(self) -> "_Keeper":
        with (self._cluster.folder / "logs" / "daemons.log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, __file__],
                cwd=self._cluster.folder,
                env=_without_options(os.environ) | self._cluster.environment | {"PATH": PATH},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                bufsize=0,
                start_new_session=True,  # Ctrl-C ends the tests, which end the cluster
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(self, *words: str) -> None:
        """Start a daemon that stays in the foreground."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # the keeper has ended, as `wait` will find
            self._process.stdin.write(json.dumps(words).encode() + b"\n")

    def wait(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, as long as all daemons run."""
        deadline = time.monotonic() + SECONDS_TO_START
        while not holds():
            if self._process.poll() is not None:
                raise DaemonEndedError(self._cluster.logs())
            assert time.monotonic() < deadline, f"Slurm does not start\n{self._cluster.logs()}"
            time.sleep(0.02)


def _keep() -> None:
    """Be a keeper: run the programs that stdin names, one JSON list of words a line, until it ends or one of them."""
    pr_set_child_subreaper = 36  # prctl(2): orphans among our descendants become our children, not init's
    assert ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0) == 0
    programs: set[int] = set()
    try:
        with open(0, "rb", buffering=0) as orders:  # unbuffered, so that select sees all that is not read yet
            while True:
                if select.select([orders], [], [], 0.05)[0]:
                    if not (words := orders.readline()):
                        return
                    programs.add(subprocess.Popen(json.loads(words), stdin=subprocess.DEVNULL).pid)
                while programs and (ended := os.waitpid(-1, os.WNOHANG)[0]):
                    if ended in programs:
                        return
    finally:
        _kill_children()


def _kill_children() -> None:
    """Kill all children, and theirs, which become ours by that."""
    while True:
        for pid in CHILDREN.read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    _keep()
