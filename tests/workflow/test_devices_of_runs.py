"""Which GPUs and how many processes a cell is trained with, from params.yaml to the run's record and log."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from project import Project

pytestmark = pytest.mark.slow

STUDY = ("runs", "--config", "preset=smoke", "studies=randomisation")
ONE_CELL = (*STUDY, "models=mlp-1x512", "corruptions=true", "regularizers=none")


def use_gpus(project: Project, execution: str) -> None:
    """Let the preset use GPUs if there are any, with further settings of `execution`."""
    project.edit("params.yaml", "      device: cpu\n", f"      device: auto\n{execution}")


def test_cells_spread_over_the_gpus_of_a_workstation(tmp_path: Path) -> None:
    """Two GPUs, for one cell each at a time, as NVIDIA's tool would list them. There are none: torch uses the CPU."""
    project = Project.copy_to(tmp_path / "project")
    use_gpus(project, "      runs_per_gpu: 1\n")
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'GPU 0: Pretended (UUID: 1)'\necho 'GPU 1: Pretended (UUID: 2)'\n")
    tool.chmod(0o755)
    path = f"{tool.parent}:{project.environment['PATH']}"
    answer = project.snakemake(*STUDY, "models=mlp-1x512,mlp-3x512,alexnet", "--cores", "4", PATH=path)
    assert answer.returncode == 0, answer.stderr
    logs = [log.read_text() for log in project.root.glob("logs/runs/smoke/**/*.log")]
    used = Counter(gpu for log in logs for gpu in re.findall(r", GPU (\S+)$", log, flags=re.MULTILINE))
    assert len(logs) == sum(used.values())
    assert used.keys() == {"0", "1"}
    assert min(used.values()) >= len(logs) // 4
    # Four cores for two cells at a time.
    assert all("'threads': 2" in log for log in logs)


def test_a_cell_is_trained_by_as_many_processes_as_its_data_set_asks_for(tmp_path: Path) -> None:
    together, alone = (Project.copy_to(tmp_path / name) for name in ("together", "alone"))
    together.edit("params.yaml", "      device: cpu\n", "      device: cpu\n      processes: {digits: 2}\n")
    metrics = []
    for project in (together, alone):
        answer = project.snakemake(*ONE_CELL)
        assert answer.returncode == 0, answer.stderr
        (path,) = project.root.glob("runs/smoke/*/*/*/*/*/metrics.json")
        metrics.append(json.loads(path.read_text()))
    assert [record["provenance"]["processes"] for record in metrics] == [2, 1]
    assert "--processes 2" in metrics[0]["provenance"]["command"]
    for name in ("train_loss", "test_loss", "online_loss"):
        assert metrics[0][name] == pytest.approx(metrics[1][name], rel=1e-4)
    # How a cell is executed is no part of what it is.
    together.edit("params.yaml", "      processes: {digits: 2}\n", "")
    assert together.to_do(*ONE_CELL) == {}
