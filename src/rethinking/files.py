"""Files that are either whole or absent, and their checksums."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

from rethinking.errors import UserError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that becomes `path` when the block ends without an exception.

    A reader sees the old file or the new one, never a part: the content reaches the disk before the rename.
    The folder is created if need be. Raises UserError where the folder cannot be written or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}; make {path.parent} writable") from error
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        # mkstemp makes files private to one user; results are to be shared like any other file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}; nothing was changed") from error
    finally:
        temporary.unlink(missing_ok=True)


def discard_parts(path: Path) -> None:
    """Remove what killed processes have left of writing `path` through `atomic_path`. Nobody may be writing it now."""
    for part in path.parent.glob(f".{escape(path.name)}.*.part"):
        part.unlink(missing_ok=True)


def require_writable(folder: Path) -> None:
    """Create `folder` if need be. Raises UserError if it cannot be written: before the work, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}; make it writable, or free space") from error


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON, whole or not at all; NaN and infinities are refused."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def content_digests(paths: Iterable[Path | str]) -> dict[str, str]:
    """Return 16 hexadecimal digits over the content of each of these small files, in the order given."""
    return {str(path): checksum(Path(path))[:16] for path in paths}


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """Return the hexadecimal digest of a file's content, reading it in blocks."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
