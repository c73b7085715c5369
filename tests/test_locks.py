"""Locks belong to living processes: held while one lives, nothing once it has been killed."""

import multiprocessing
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rethinking.locks import create_held, held, is_abandoned

HOLD = """
import sys, time
from pathlib import Path
from rethinking.locks import held
with held(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    time.sleep(60)
"""
CREATE = HOLD.replace("held(Path(sys.argv[1]), lambda: None)", "create_held(Path(sys.argv[1]), 'line')").replace(
    "import held", "import create_held"
)


def holder(program: str, path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_who_comes_second_waits_and_is_told_once(tmp_path: Path) -> None:
    path, told = tmp_path / "lock", []
    process = holder(HOLD.replace("time.sleep(60)", "time.sleep(1)"), path)
    started = time.monotonic()
    with held(path, lambda: told.append("waiting")):
        assert time.monotonic() - started > 0.5
        assert process.wait() == 0
    assert told == ["waiting"]
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    path, told = tmp_path / "lock", []
    process = holder(HOLD, path)
    process.kill()
    process.wait()
    assert path.exists()
    with held(path, lambda: told.append("waiting")):
        pass
    assert told == []
    assert not path.exists()


def _append(path: Path, log: Path) -> None:
    for _ in range(50):
        with held(path, lambda: None):
            before = log.read_text() if log.exists() else ""
            time.sleep(0.0005)
            log.write_text(before + "x")


def test_one_at_a_time_whatever_the_order(tmp_path: Path) -> None:
    """Four processes that read, wait and write: an update would be lost if two were ever inside."""
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.starmap(_append, [(tmp_path / "lock", tmp_path / "log")] * 4)
    assert (tmp_path / "log").read_text() == "x" * 200


def test_a_lock_file_is_abandoned_once_its_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "0.output.lock"
    process = holder(CREATE, path)
    assert path.read_text() == "line"
    assert not is_abandoned(path)
    assert create_held(path, "mine") is None
    process.kill()
    process.wait()
    assert is_abandoned(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_file_system_without_locks_locks_nothing_and_calls_nobody_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems refuse `flock`; none does here, so the refusal is put in."""

    def refuse(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", refuse)
    with held(tmp_path / "lock", lambda: pytest.fail("there is nothing to wait for")):
        pass
    file = create_held(tmp_path / "0.output.lock", "line")
    assert file is not None
    file.close()
    assert not is_abandoned(tmp_path / "0.output.lock")


def test_a_file_system_without_hard_links_has_lock_files_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    path = tmp_path / "0.output.lock"
    file = create_held(path, "line")
    assert file is not None
    assert path.read_text() == "line"
    assert not is_abandoned(path)
    assert create_held(path, "mine") is None
    file.close()
    assert is_abandoned(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
