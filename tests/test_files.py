"""Files are whole or absent, whatever happens while they are written."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rethinking.errors import UserError
from rethinking.files import atomic_path, checksum, discard_parts, write_json, write_text


def test_a_finished_block_replaces_the_file_and_makes_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "file.txt"
    for text in ("first", "second, longer"):
        with atomic_path(path) as temporary:
            assert temporary.parent == path.parent, "a rename is atomic within one file system only"
            temporary.write_text(text)
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("exception", [ValueError, KeyboardInterrupt])
def test_an_interrupted_block_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, exception: type[BaseException]
) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def interrupted() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half of the ne")
            assert path.read_text() == "old"
            raise exception

    with pytest.raises(exception):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    """A path below a regular file: impossible for every user, unlike a folder without permission."""
    obstacle = tmp_path / "file"
    obstacle.write_text("")
    with pytest.raises(UserError, match=rf"{obstacle}/sub/x\.txt cannot be written: Not a directory; make"):
        write_text(obstacle / "sub" / "x.txt", "text")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_without_permission_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match=r"cannot be written: Permission denied; make .* writable"):
        write_text(tmp_path / "x.txt", "text")


def test_a_folder_in_the_files_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(UserError, match=r"taken cannot be written: .*; nothing was changed"):
        write_text(tmp_path / "taken", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_full_disk_leaves_the_old_file_and_is_said(tmp_path: Path) -> None:
    """The process may write 4 KiB per file: the kernel fails the write in its middle, as a full disk does."""
    path = tmp_path / "file.txt"
    path.write_text("old")
    program = (
        "import resource, sys; from pathlib import Path; from rethinking.files import write_text\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "from rethinking.errors import UserError\n"
        "try: write_text(Path(sys.argv[1]), 'x' * 100_000)\n"
        "except UserError as error: print(error)\n"
    )
    answer = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True)
    assert answer.stdout == f"{path} cannot be written: File too large; nothing was changed\n", answer.stderr
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_results_are_shared_like_any_other_file(tmp_path: Path) -> None:
    ordinary, ours = tmp_path / "ordinary", tmp_path / "ours"
    ordinary.write_text("")
    write_text(ours, "")
    assert stat.S_IMODE(ours.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_text_is_utf8_everywhere(tmp_path: Path) -> None:
    write_text(tmp_path / "x", "3×512 − p")
    assert (tmp_path / "x").read_bytes() == "3×512 − p".encode()


def test_what_a_killed_process_left_of_a_file_can_be_removed(tmp_path: Path) -> None:
    """Of this file and no other; a name is not a pattern."""
    path, others = tmp_path / "a[b].pt", {"a[b].pt", ".ab.pt.x.part", ".b.pt.x.part"}
    for name in others:
        (tmp_path / name).write_text("whole")
    program = (
        "import os, sys; from pathlib import Path; from rethinking.files import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as temporary: os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)]).returncode == -9
    assert len(list(tmp_path.iterdir())) == len(others) + 1
    discard_parts(path)
    assert {left.name for left in tmp_path.iterdir()} == others
    discard_parts(tmp_path / "nowhere" / "x")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_values)
def test_json_is_read_back_exactly(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    write_json(path, value)
    assert json.loads(path.read_text(encoding="utf-8")) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_json_cannot_hold_what_is_no_number(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"loss": value})
    assert list(tmp_path.iterdir()) == []


@given(st.binary())
def test_checksum_is_that_of_the_content(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "content"
    path.write_bytes(content)
    assert checksum(path) == hashlib.sha256(content).hexdigest()
    assert checksum(path, "md5") == hashlib.md5(content).hexdigest()
