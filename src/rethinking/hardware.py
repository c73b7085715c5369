"""What this machine has, found without loading torch: Snakemake asks before any job starts."""

import os
import platform
import shutil
import subprocess
from pathlib import Path


def cpu_facts() -> dict[str, str]:
    """Return what Linux says of the first processor, such as "model name" and "flags"; empty elsewhere."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def cpu_name() -> str:
    """Return the processor's name as the system gives it."""
    return cpu_facts().get("model name") or platform.processor() or platform.machine()


def visible_gpus() -> list[str]:
    """Return a value of CUDA_VISIBLE_DEVICES for each of NVIDIA's GPUs that this process may use.

    Where the variable is set, by a person or by a scheduler that has lent some of the machine's GPUs, it has the say.
    """
    lent = os.environ.get("CUDA_VISIBLE_DEVICES")
    if lent is not None:
        return [device.strip() for device in lent.split(",") if device.strip() not in ("", "-1", "NoDevFiles")]
    return [str(number) for number in range(_nvidia_gpus())]


def accelerators() -> int:
    """Return the number of GPUs that training could use: NVIDIA's, or one on an Apple computer with its own chip."""
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return 1
    return len(visible_gpus())


def _nvidia_gpus() -> int:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    try:
        answer = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in answer.stdout.splitlines())


def threads_per_run(cores: int, gpus: int, runs_per_gpu: int) -> int:
    """Return how many cores one training job takes, so that as many run at once as the machine bears.

    Without a GPU it takes one: two jobs of two threads on two cores ran five times slower than with one thread each,
    as OpenMP's threads spin while they wait. With GPUs, `runs_per_gpu` jobs a GPU share the cores and its memory.
    """
    if gpus == 0:
        return 1
    return max(1, cores // (gpus * runs_per_gpu))
