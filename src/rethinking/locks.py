"""Locks that belong to living processes: one that is killed leaves none behind.

The system keeps them (`flock`) and gives them back however a process ends; on NFS, GPFS and a Lustre mounted with
`flock` also between machines. Where a file system has no such locks, nothing is locked.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def held(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock `path` for the time of the block; the folder must exist. The file is gone afterwards.

    `waiting` is called once if another process holds it; then this one waits until that has ended.
    """
    file = _acquired(path, waiting)
    try:
        yield
    finally:
        if file is not None:
            path.unlink(missing_ok=True)  # before it is let go: who waited sees that this is not the file any more
            file.close()


def _acquired(path: Path, waiting: Callable[[], None]) -> IO[str] | None:
    told = False
    while True:
        file = open(path, "w", encoding="utf-8")  # noqa: SIM115  # held open by the caller
        try:
            if not _lock(file, wait=False):
                if not told:
                    waiting()
                    told = True
                _lock(file, wait=True)
        except OSError:
            file.close()
            path.unlink(missing_ok=True)
            return None
        if _is_still(path, file):
            return file
        file.close()  # its former holder has removed it: the next one counts


def create_held(path: Path, content: str) -> IO[str] | None:
    """Write a lock file that this process holds until it closes the file returned; None if `path` exists.

    Nobody ever sees the file without its lock or with half its content.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    file = open(temporary, "w", encoding="utf-8")  # noqa: SIM115  # held open by the caller
    try:
        file.write(content)
        file.flush()
        with suppress(OSError):  # no such locks here: `is_abandoned` says no, and a person has to decide
            _lock(file, wait=False)
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:  # no hard links here
            if path.exists():
                raise FileExistsError from None
            temporary.rename(path)
    except FileExistsError:
        file.close()
        return None
    finally:
        temporary.unlink(missing_ok=True)
    return file


def is_abandoned(path: Path) -> bool:
    """Whether the process that held the lock file `path` has ended; False if there is no telling."""
    try:
        with open(path, encoding="utf-8") as file:
            return _lock(file, wait=False)
    except OSError:
        return False


def _lock(file: IO[str], *, wait: bool) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
