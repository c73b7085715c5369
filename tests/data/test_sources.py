import dataclasses
import hashlib
import io
import json
import os
import pickle
import shutil
import struct
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from rethinking.data.corruptions import channel_statistics
from rethinking.data.sources import DATASETS, fetch, unpickle_batch
from rethinking.data.variants import load_variant
from rethinking.errors import UserError

ARCHIVE = "cifar-10-python.tar.gz"


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


# --- the real data sets ---


def test_digits_are_scikit_learns_scans_each_once(digits_root: Path) -> None:
    digits = load_variant(digits_root, "digits", "true")
    images = np.concatenate([digits.train_images, digits.test_images]).reshape(-1, 64)
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    bundled = load_digits()
    scaled = np.rint(bundled.data * 255 / 16).astype(np.uint8)
    assert scaled.max() == 255
    found, expected = (
        Counter((image.tobytes(), int(label)) for image, label in zip(*pair, strict=True))
        for pair in ((images, labels), (scaled, bundled.target))
    )
    assert found == expected


def test_guessing_is_right_one_time_in_ten_on_digits(digits_root: Path) -> None:
    assert np.bincount(load_variant(digits_root, "digits", "true").test_labels).tolist() == [36] * 10


def test_any_first_digits_are_a_sample_of_all(digits_root: Path) -> None:
    """In file order the first k scans are those of the first writers; theirs differ in mean brightness."""
    images = load_variant(digits_root, "digits", "true").train_images.reshape(1437, 64).mean(axis=1)
    blocks = images[:1430].reshape(11, 130).mean(axis=1)
    assert blocks.std(ddof=1) < 1.6 * images.std() / np.sqrt(130)


def test_digits_split_is_a_contract(digits_root: Path) -> None:
    """Every result recorded on digits rests on this split: another one is another data set."""
    digest = load_variant(digits_root, "digits", "true").digest
    assert digest == "bb0979dba165125235418c88b0f53325cf1d17590516788b087e83d5230f5226"


@pytest.mark.parametrize(
    ("dataset", "mean", "std"),
    [
        # The constants that training codes commonly normalise with.
        ("cifar10", [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
        ("mnist", [0.1307], [0.3081]),
    ],
)
def test_originals_become_the_known_arrays(
    dataset: str, mean: list[float], std: list[float], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    fetch(dataset, tmp_path, str(request.getfixturevalue(f"{dataset}_mirror")))
    variant, known = load_variant(tmp_path, dataset, "true"), DATASETS[dataset]
    assert variant.train_images.shape == (known.n_train, *known.image_shape)
    assert variant.test_images.shape == (known.n_test, *known.image_shape)
    assert (len(variant.train_labels), len(variant.test_labels)) == (known.n_train, known.n_test)
    assert variant.classes == known.classes
    found_mean, found_std = channel_statistics(variant.train_images)
    np.testing.assert_allclose(found_mean / 255, mean, atol=1e-4)
    np.testing.assert_allclose(found_std / 255, std, atol=1e-4)
    first_label, per_class = {"cifar10": ("frog", 5000), "mnist": ("5", 5421)}[dataset]
    assert variant.classes[variant.train_labels[0]] == first_label
    assert np.bincount(variant.train_labels).min() == per_class
    assert len(np.unique(variant.test_labels)) == 10
    assert [path.name for path in tmp_path.iterdir()] == [dataset]


def test_cifar10_classes_are_named_as_in_its_own_table(cifar10_mirror: Path) -> None:
    table = unpickle_batch((cifar10_mirror / "cifar-10-batches-py" / "batches.meta").read_bytes())
    assert tuple(name.decode() for name in table[b"label_names"]) == DATASETS["cifar10"].classes


def test_mnist_file_with_one_wrong_bit_is_refused_and_nothing_written(mnist_mirror: Path, tmp_path: Path) -> None:
    mirror = shutil.copytree(mnist_mirror, tmp_path / "mirror")
    path = mirror / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz"
    content = path.read_bytes()
    content = content[:1000] + bytes([content[1000] ^ 1]) + content[1001:]
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"{md5(content)}, expected ec29112dd5afa0611ce80d1b7f02629c: .* not used"):
        fetch("mnist", tmp_path / "data", str(mirror))
    assert not (tmp_path / "data").exists()


# --- finding and verifying files, on a CIFAR-10 of twelve images ---


def python2_batch(labels: list[int], pixels: bytes) -> bytes:
    """A batch as the authors' Python 2 pickled it, which Python 3 can no longer write."""
    return b"".join(
        [
            b"\x80\x02}(U\x06labels](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e",
            b"U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R",
            b"(K\x01K" + bytes([len(labels)]) + b"M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R",
            b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T",
            struct.pack("<I", len(pixels)) + pixels + b"tbu.",
        ]
    )


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of a small CIFAR-10, loose and packed, registered as the real one's; its host is down."""
    rng = np.random.default_rng(0)
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    loose = {name: python2_batch([i, 9 - i], rng.bytes(2 * 3072)) for i, name in enumerate(names)}
    loose["batches.meta"] = b"\x80\x02}."
    archive = packed(loose)
    small = dataclasses.replace(
        DATASETS["cifar10"],
        files={name: f"md5:{md5(content)}" for name, content in loose.items()},
        archive=(ARCHIVE, f"md5:{md5(archive)}"),
        host="http://127.0.0.1:9",  # the discard port: nothing listens
    )
    monkeypatch.setitem(DATASETS, "cifar10", small)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return {**loose, ARCHIVE: archive}


LAYOUTS = {"torchvision": "cifar-10-batches-py", "flat": ".", "archive": None}


def lay_out(files: dict[str, bytes], layout: str, folder: Path) -> Path:
    below = LAYOUTS[layout]
    for name, content in files.items():
        if (name == ARCHIVE) == (below is None):
            path = folder / (below or ".") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Requests are no part of a test's output."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[Path, str, ThreadingHTTPServer]]:
    """A folder, the address at which a real HTTP server offers it, and the server."""
    folder = tmp_path / "web"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}", server
        server.shutdown()


def check_small_cifar10(root: Path, files: dict[str, bytes]) -> None:
    variant = load_variant(root, "cifar10", "true")
    assert variant.train_labels.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    assert variant.test_labels.tolist() == [5, 4]
    assert variant.train_images.shape == (10, 3, 32, 32)
    assert variant.test_images.tobytes() in files["test_batch"]  # channel by channel, row by row, as in the file


@pytest.mark.parametrize("layout", LAYOUTS)
def test_mirror_folder_may_have_any_layout(files: dict[str, bytes], layout: str, tmp_path: Path) -> None:
    mirror = lay_out(files, layout, tmp_path / "mirror")
    fetch("cifar10", tmp_path / "data", str(mirror))
    check_small_cifar10(tmp_path / "data", files)
    manifest = json.loads((tmp_path / "data" / "cifar10" / "true" / "manifest.json").read_text())
    assert manifest["source"]["test_batch"] == f"md5:{md5(files['test_batch'])}"
    assert (manifest["corruption"], manifest["seed"]) == ("true", None)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_mirror_may_be_a_web_server(
    files: dict[str, bytes],
    web: tuple[Path, str, ThreadingHTTPServer],
    layout: str,
    slash: str,
    tmp_path: Path,
) -> None:
    folder, address, _ = web
    lay_out(files, layout, folder)
    fetch("cifar10", tmp_path / "data", address + slash)
    check_small_cifar10(tmp_path / "data", files)


def test_host_is_asked_for_what_the_mirror_lacks(
    files: dict[str, bytes],
    web: tuple[Path, str, ThreadingHTTPServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, address, _ = web
    lay_out(files, "archive", folder)
    monkeypatch.setitem(DATASETS, "cifar10", dataclasses.replace(DATASETS["cifar10"], host=address))
    (tmp_path / "empty").mkdir()
    fetch("cifar10", tmp_path / "data", str(tmp_path / "empty"))
    check_small_cifar10(tmp_path / "data", files)


def test_download_is_kept(files: dict[str, bytes], web: tuple[Path, str, ThreadingHTTPServer], tmp_path: Path) -> None:
    folder, address, server = web
    lay_out(files, "archive", folder)
    fetch("cifar10", tmp_path / "data", address)
    server.shutdown()
    server.server_close()
    shutil.rmtree(tmp_path / "data" / "cifar10")
    fetch("cifar10", tmp_path / "data", None)
    check_small_cifar10(tmp_path / "data", files)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("over_http", [False, True])
def test_file_with_a_wrong_md5_is_refused_and_nothing_written(
    files: dict[str, bytes],
    web: tuple[Path, str, ThreadingHTTPServer],
    layout: str,
    over_http: bool,
    tmp_path: Path,
) -> None:
    folder, address, _ = web
    bad = ARCHIVE if layout == "archive" else "data_batch_1"  # the first to be read, so that no good one is kept
    expected = md5(files[bad])
    files[bad] = files[bad][:-1]
    lay_out(files, layout, folder)
    with pytest.raises(UserError, match=rf"{bad} has md5 {md5(files[bad])}, expected {expected}: .* not used"):
        fetch("cifar10", tmp_path / "data", address if over_http else str(folder))
    assert files_below(tmp_path / "data") == []


def test_batch_with_a_wrong_md5_in_a_right_archive_is_refused(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {name: content for name, content in files.items() if name != ARCHIVE}
    wrong["data_batch_3"] = wrong["data_batch_4"]
    archive = packed(wrong)
    registered = dataclasses.replace(DATASETS["cifar10"], archive=(ARCHIVE, f"md5:{md5(archive)}"))
    monkeypatch.setitem(DATASETS, "cifar10", registered)
    mirror = lay_out({ARCHIVE: archive}, "archive", tmp_path / "mirror")
    with pytest.raises(UserError, match=r"data_batch_3 in the archive has md5"):
        fetch("cifar10", tmp_path / "data", str(mirror))
    assert not (tmp_path / "data").exists()


def test_data_that_nobody_offers_is_one_sentence(files: dict[str, bytes], tmp_path: Path) -> None:
    mirror = lay_out(files, "torchvision", tmp_path / "mirror")
    (mirror / "cifar-10-batches-py" / "data_batch_3").unlink()
    with pytest.raises(UserError) as refusal:
        fetch("cifar10", tmp_path / "data", str(mirror))
    message = str(refusal.value)
    assert "\n" not in message
    for part in ("cifar10", str(mirror), "no data_batch_3", "http://127.0.0.1:9", "ConnectionError"):
        assert part in message
    assert "RETHINKING_DATA_MIRROR" in message
    assert "data.mirror in params.yaml" in message
    assert files_below(tmp_path / "data") == []


@pytest.mark.parametrize("mirror", ["nowhere", "a-file", "ftp://127.0.0.1/data", "s3://bucket"])
def test_mirror_that_is_neither_folder_nor_address_is_refused(
    files: dict[str, bytes], mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a-file").write_text("")
    with pytest.raises(UserError, match=r"neither a folder nor an http\(s\) address"):
        fetch("cifar10", tmp_path / "data", mirror)


def test_malformed_address_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"http://\[ \(the download failed"):
        fetch("cifar10", tmp_path / "data", "http://[")


def test_unknown_data_set_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'cifar' is not a data set; allowed are digits, cifar10, mnist"):
        fetch("cifar", tmp_path, None)


def test_altered_bundled_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = dataclasses.replace(DATASETS["digits"], files={"digits.csv.gz": "sha256:" + 64 * "0"})
    monkeypatch.setitem(DATASETS, "digits", other)
    with pytest.raises(UserError, match=r"digits\.csv\.gz has sha256 .* not used"):
        fetch("digits", tmp_path / "data", None)
    assert not (tmp_path / "data").exists()


# --- unpickling ---


class Malicious:
    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call, self.arguments


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("call", [os.mkdir, eval, np.load], ids=["os", "builtins", "numpy"])
def test_pickle_that_asks_for_more_than_arrays_is_refused_unrun(
    call: Any, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    argument = "__import__('os').mkdir('harm')" if call is eval else "harm"
    with pytest.raises(UserError, match="no CIFAR-10 batch needs"):
        unpickle_batch(pickle.dumps({"data": Malicious(call, argument)}, protocol))
    assert files_below(tmp_path) == []
    assert not Path("harm").exists()
