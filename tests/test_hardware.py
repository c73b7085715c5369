"""How many training jobs run at once."""

import platform
from pathlib import Path

import pytest

from rethinking.hardware import accelerators, threads_per_run, visible_gpus


@pytest.mark.parametrize(
    ("cores", "gpus", "runs_per_gpu", "threads"),
    [(2, 0, 4, 1), (64, 0, 4, 1), (16, 1, 4, 4), (16, 2, 4, 2), (4, 8, 4, 1)],
)
def test_jobs_at_once_are_what_the_machine_bears(cores: int, gpus: int, runs_per_gpu: int, threads: int) -> None:
    assert threads_per_run(cores, gpus, runs_per_gpu) == threads


@pytest.mark.skipif(platform.system() == "Darwin", reason="an Apple computer has no nvidia-smi")
def test_the_driver_lists_the_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NVIDIA's tool prints one line a GPU; a machine without the tool has none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert accelerators() == 0
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA H200 (UUID: GPU-1)'\necho 'GPU 1: NVIDIA H200 (UUID: GPU-2)'\n")
    tool.chmod(0o755)
    assert accelerators() == 2
    assert visible_gpus() == ["0", "1"]


@pytest.mark.parametrize(
    ("lent", "gpus"),
    [("2,3", ["2", "3"]), ("GPU-1 , MIG-2", ["GPU-1", "MIG-2"]), ("", []), ("-1", []), ("NoDevFiles", [])],
)
def test_what_was_lent_has_the_say(lent: str, gpus: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", lent)
    assert visible_gpus() == gpus
