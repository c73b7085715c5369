"""The data sets: their original files, how these are found and verified, and the arrays they become."""

import gzip
import hashlib
import importlib.util
import io
import pickle
import struct
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rethinking.data.variants import ARRAYS, write_variant
from rethinking.errors import UserError

MIRROR_VARIABLE = "RETHINKING_DATA_MIRROR"

Originals = Mapping[str, bytes]
"""The content of each original file; what is parsed is the very content that was verified."""
Bytes = NDArray[np.uint8]
Arrays = tuple[Bytes, Bytes, Bytes, Bytes]
"""Training images and labels, test images and labels: the order of variants.ARRAYS."""


@dataclass(frozen=True)
class Dataset:
    """What a data set is. Checksums are written `algorithm:digest`."""

    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    """(channels, height, width)"""
    n_train: int
    n_test: int
    files: Mapping[str, str]
    """Name and checksum of each original file."""
    parse: Callable[[Originals], Arrays]
    host: str | None = None
    """Base address of the original host; None where an installed package holds the files."""
    folder: str = ""
    """Where torchvision keeps the files below the folder that it calls root."""
    archive: tuple[str, str] | None = None
    """Name and checksum of the archive in which the host offers the files, if it does."""


def parse_digits(originals: Originals) -> Arrays:
    """Return scikit-learn's 1,797 scans, values 0..16 scaled to 0..255: 1,437 for training, 360 for test.

    The file has the scans of one writer after those of another (scikit-learn's own test
    `test_kfold_can_detect_dependent_samples_on_digits` shows it), so a split in file order would test on
    other writers than it trains on, a shift of distribution on top of the generalisation that is studied.
    The split is therefore a fixed random one; the test part holds 36 scans of each class, so that guessing
    is right one time in ten. Both parts are in random order: any first k images are a random sample.
    """
    table = np.loadtxt(io.BytesIO(gzip.decompress(originals["digits.csv.gz"])), delimiter=",", dtype=np.uint8)
    images = np.rint(table[:, :-1] * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    labels = table[:, -1]
    order = np.random.default_rng(0).permutation(len(labels))
    # Position of each scan among those of its class, in the random order: the first 36 are for test.
    rank = np.empty(len(labels), dtype=np.int64)
    for label in range(10):
        members = labels[order] == label
        rank[members] = np.arange(members.sum())
    train, test = order[rank >= 36], order[rank < 36]
    return images[train], labels[train], images[test], labels[test]


def parse_cifar10(originals: Originals) -> Arrays:
    """Return the five training batches in order, and the test batch: images `(n, 3, 32, 32)` and labels."""
    batches = [unpickle_batch(originals[f"data_batch_{number}"]) for number in range(1, 6)]
    test = unpickle_batch(originals["test_batch"])
    return (
        np.concatenate([batch[b"data"] for batch in batches]).reshape(-1, 3, 32, 32),
        np.concatenate([np.array(batch[b"labels"], dtype=np.uint8) for batch in batches]),
        test[b"data"].reshape(-1, 3, 32, 32),
        np.array(test[b"labels"], dtype=np.uint8),
    )


def parse_mnist(originals: Originals) -> Arrays:
    """Return the 60,000 training and 10,000 test images as `(n, 1, 28, 28)`, and their labels."""
    train, train_labels, test, test_labels = (parse_idx(gzip.decompress(originals[name])) for name in _MNIST_FILES)
    return train[:, None], train_labels, test[:, None], test_labels


def parse_idx(content: bytes) -> Bytes:
    """Return the array of an idx file of bytes.

    The format: two zeros, the type (8), the number of axes, their big-endian 32-bit lengths, the values.
    """
    axes = content[3]
    shape = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


# All that a CIFAR-10 batch asks for; the first is numpy's function for unpickling an array.
_BATCH_GLOBALS: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _BatchUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _BATCH_GLOBALS:
            raise UserError(f"the pickle asks for {module}.{name}, which no CIFAR-10 batch needs: it is not read")
        return _BATCH_GLOBALS[module, name]


def unpickle_batch(content: bytes) -> dict[bytes, Any]:
    """Return the dictionary of one CIFAR-10 batch. Raises UserError if it asks for more than arrays."""
    batch: dict[bytes, Any] = _BatchUnpickler(io.BytesIO(content), encoding="bytes").load()
    return batch


_DIGITS = tuple("0123456789")
_MNIST_FILES = {
    "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
}

# The md5 of CIFAR-10's and MNIST's files are those that torchvision checks.
DATASETS: dict[str, Dataset] = {
    "digits": Dataset(
        classes=_DIGITS,
        image_shape=(1, 8, 8),
        n_train=1437,
        n_test=360,
        files={
            "digits.csv.gz": "sha256:09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
        },
        parse=parse_digits,
    ),
    "cifar10": Dataset(
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        image_shape=(3, 32, 32),
        n_train=50_000,
        n_test=10_000,
        files={
            "data_batch_1": "md5:c99cafc152244af753f735de768cd75f",
            "data_batch_2": "md5:d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "md5:54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "md5:634d18415352ddfa80567beed471001a",
            "data_batch_5": "md5:482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "md5:40351d587109b95175f43aff81a1287e",
            "batches.meta": "md5:5ff9c542aee3614f3951f8cda6e48888",
        },
        parse=parse_cifar10,
        host="https://www.cs.toronto.edu/~kriz",
        folder="cifar-10-batches-py",
        archive=("cifar-10-python.tar.gz", "md5:c58f30108f718f92721af3b95e74349a"),
    ),
    "mnist": Dataset(
        classes=_DIGITS,
        image_shape=(1, 28, 28),
        n_train=60_000,
        n_test=10_000,
        files=_MNIST_FILES,
        parse=parse_mnist,
        host="https://ossci-datasets.s3.amazonaws.com/mnist",
        folder="MNIST/raw",
    ),
}


def fetch(dataset: str, data_root: Path, mirror: str | None) -> Path:
    """Write the verified originals of `dataset` as arrays into `data_root/<dataset>/true`; return that path.

    `mirror` is a folder in torchvision's layout (or with the files flat in it) or an http(s) base address;
    what it lacks is asked of the original host. Raises UserError for an unknown data set, a mirror that is
    neither, a file whose checksum is wrong (no array is written then) and files that nobody offers.
    """
    if dataset not in DATASETS:
        raise UserError(f"{dataset!r} is not a data set; allowed are {', '.join(DATASETS)}")
    chosen = DATASETS[dataset]
    if chosen.host is None:
        originals = _bundled_with_scikit_learn(chosen)
    else:
        originals = _collect(dataset, chosen, mirror, data_root / ".downloads")
    description = {
        "dataset": dataset,
        "corruption": "true",
        "seed": None,
        "classes": list(chosen.classes),
        "source": dict(chosen.files),
    }
    arrays = zip(ARRAYS, chosen.parse(originals), strict=True)
    return write_variant(data_root / dataset / "true", description, arrays)


def _verified(content: bytes, expected: str, origin: str) -> bytes:
    """Return `content`, or raise UserError if its checksum is not `expected` (`algorithm:digest`)."""
    algorithm, digest = expected.split(":")
    found = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
    if found != digest:
        raise UserError(
            f"{origin} has {algorithm} {found}, expected {digest}: the file is not used; replace it with the original"
        )
    return content


def _bundled_with_scikit_learn(dataset: Dataset) -> Originals:
    # The package is located, not imported: that would take a second or two.
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise UserError("digits comes with scikit-learn, which is not installed; install the locked requirements")
    folder = Path(package.origin).parent / "datasets" / "data"
    missing = [name for name in dataset.files if not (folder / name).is_file()]
    if missing:
        raise UserError(f"scikit-learn's folder {folder} lacks {missing[0]}; install the locked requirements")
    return {
        name: _verified((folder / name).read_bytes(), expected, str(folder / name))
        for name, expected in dataset.files.items()
    }


class _NotOffered(Exception):
    """A place does not offer the originals; the message says why."""


def _collect(name: str, dataset: Dataset, mirror: str | None, downloads: Path) -> Originals:
    """Return the verified originals, from the mirror or else the host; UserError if neither offers them."""
    tried = []
    for place in (mirror, dataset.host):
        if not place:  # an empty mirror setting means none
            continue
        try:
            return _from_place(dataset, place, downloads)
        except _NotOffered as reason:
            tried.append(f"{place} ({reason})")
    raise UserError(
        f"the data set {name} could not be obtained from {' nor from '.join(tried)}; set {MIRROR_VARIABLE} "
        "or data.mirror in params.yaml to a folder or an http(s) address that holds the original files"
    )


def _from_place(dataset: Dataset, place: str, downloads: Path) -> Originals:
    """Return the verified originals from one place: its archive where it has that, else the loose files."""

    def read(path: str, expected: str) -> bytes | None:
        if place.startswith(("http://", "https://")):
            return _download(f"{place.rstrip('/')}/{path}", expected, downloads)
        return _read(Path(place).expanduser(), path, expected)

    if dataset.archive and (archive := read(*dataset.archive)) is not None:
        return _unpacked(archive, dataset)
    originals = {}
    for name, expected in dataset.files.items():
        content = read(name, expected)
        if content is None:
            content = read(f"{dataset.folder}/{name}", expected)
        if content is None:
            archive_too = f" and no {dataset.archive[0]}" if dataset.archive else ""
            raise _NotOffered(f"it has no {name}{archive_too}")
        originals[name] = content
    return originals


def _unpacked(archive: bytes, dataset: Dataset) -> Originals:
    """Return the verified files of a verified archive; nothing is unpacked to disk."""
    originals = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for member in members:
            name = Path(member.name).name
            if name in dataset.files and (file := members.extractfile(member)) is not None:
                originals[name] = _verified(file.read(), dataset.files[name], f"{name} in the archive")
    return originals


def _read(folder: Path, path: str, expected: str) -> bytes | None:
    """Return the verified content of a mirror folder's file, None if it has no such file."""
    if not folder.is_dir():
        raise UserError(f"the data mirror {folder} is neither a folder nor an http(s) address; correct it or unset it")
    try:
        return _verified((folder / path).read_bytes(), expected, str(folder / path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{folder / path} cannot be read: {error.strerror}; make it a readable file") from error


def _download(url: str, expected: str, downloads: Path) -> bytes | None:
    """Return a verified file, kept in `downloads` or downloaded to there; None if the server lacks it."""
    import pooch  # here, since the embedded data set needs neither
    import requests

    def download(url: str, output: str, _: object) -> None:
        pooch.HTTPDownloader(chunk_size=1 << 20)(url, output, None)
        _verified(Path(output).read_bytes(), expected, url)  # says more than pooch, which checks again

    name = url.rpartition("/")[2]
    try:
        kept = Path(pooch.retrieve(url, expected, name, downloads, downloader=download))
        return _verified(kept.read_bytes(), expected, str(kept))
    except requests.HTTPError as error:
        # Object stores answer 403, too, for what they do not have.
        if error.response.status_code in {403, 404, 410}:
            return None
        raise _NotOffered(f"it answers {error.response.status_code}") from error
    except requests.RequestException as error:
        raise _NotOffered(f"the download failed: {type(error).__name__}") from error
    except OSError as error:
        raise UserError(f"{downloads} cannot be written: {error.strerror}; make it writable") from error
