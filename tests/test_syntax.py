"""What a module's source says is found out once and kept; what is kept is never taken for what another source says."""

import ast
import os
import sys
import zlib
from pathlib import Path

import pytest

from rethinking.syntax import Syntax, syntax

FIRST = "import json\nfrom rethinking.files import write\nVALUE = 1\n"
OTHER = FIRST.replace("1", "2")
OF_AN_OLDER_VERSION = zlib.compress(b'{"key": "0", "imports": [], "names": [], "digest": "0"}')


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = tmp_path / "module.py"
    path.write_text(FIRST)
    return path


@pytest.fixture
def unread(source: Path, tmp_path: Path) -> Syntax:
    """What `source` says, read where nothing can be kept, and where nothing was."""
    elsewhere = tmp_path / "elsewhere" / source.name
    elsewhere.parent.mkdir()
    elsewhere.write_text(FIRST)
    (elsewhere.parent / "__pycache__").write_text("no folder")
    return syntax(elsewhere)


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: ast.Module) -> Syntax:
        raise AssertionError("a syntax tree is read")

    monkeypatch.setattr("rethinking.syntax._read", refuse)


def kept(source: Path) -> Path:
    [path] = (source.parent / "__pycache__").iterdir()
    return path


def test_imports_names_and_digest(unread: Syntax) -> None:
    assert unread[:2] == (["json", "rethinking.files"], ["rethinking.files.write"])
    assert len(unread.digest) == 64


def test_what_was_read_is_kept(source: Path, unread: Syntax, request: pytest.FixtureRequest) -> None:
    assert syntax(source) == unread
    request.getfixturevalue("no_reading")
    assert syntax(source) == unread
    source.write_text(OTHER)
    with pytest.raises(AssertionError, match="a syntax tree is read"):
        syntax(source)


def test_another_source_of_the_same_size_and_time_is_read(source: Path, unread: Syntax) -> None:
    assert syntax(source) == unread
    before = source.stat()
    source.write_text(OTHER)
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (source.stat().st_mtime_ns, source.stat().st_size) == (before.st_mtime_ns, before.st_size)
    assert syntax(source).digest != unread.digest
    source.write_text(FIRST)
    assert syntax(source) == unread


@pytest.mark.parametrize("content", [b"", OF_AN_OLDER_VERSION[:20], bytes(300), OF_AN_OLDER_VERSION])
def test_what_is_half_written_or_of_an_older_version_is_replaced(source: Path, unread: Syntax, content: bytes) -> None:
    syntax(source)
    whole = kept(source).read_bytes()
    kept(source).write_bytes(content)
    assert syntax(source) == unread
    assert kept(source).read_bytes() == whole


def test_nothing_is_kept_where_python_is_to_keep_nothing(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    syntax(source)
    assert not (source.parent / "__pycache__").exists()
