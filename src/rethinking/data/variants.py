"""Variants on disk: one data set under one corruption, as four arrays described by a manifest.

    data/<dataset>/<corruption>/manifest.json     written last: where it is, the arrays are whole
    data/<dataset>/<corruption>/<array>.npy       only those that this corruption changes

The manifest names each array's path relative to its own folder; one that the corruption leaves alone is
`../true/<array>.npy`, so that it is stored once.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rethinking.data.corruptions import (
    channel_statistics,
    corrupt_labels,
    gaussian_images,
    is_label_corruption,
    label_corruption_probability,
    permute_pixels_per_image,
    pixel_permutation,
    random_stream,
    replaces_by_wrong_labels,
    require_corruption,
    shuffle_pixels,
    wrong_labels,
)
from rethinking.errors import UserError
from rethinking.files import atomic_path, checksum, write_json

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True)
class Variant:
    """One data set under one corruption, read-only.

    Images are `(n, c, h, w)` in 0..255 units: uint8, or float16 for `gaussian`. Labels are `(n,)` uint8; the
    test labels are clean under every corruption. The arrays are memory-mapped.
    """

    dataset: str
    corruption: str
    seed: int | None
    """The seed of the corruption; None for `true`."""
    classes: tuple[str, ...]
    train_images: NDArray[Any]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[Any]
    test_labels: NDArray[np.uint8]
    digest: str
    """SHA-256 over the four arrays' checksums: what this variant is, for provenance."""


@dataclass(frozen=True)
class StoredArray:
    """A manifest's entry for one array: `path` is relative to the manifest's folder."""

    path: str
    sha256: str
    shape: list[int]
    dtype: str


@dataclass(frozen=True)
class Manifest:
    """The content of `manifest.json`."""

    dataset: str
    corruption: str
    seed: int | None
    classes: list[str]
    source: dict[str, str]
    """The original files and their published checksums, as `algorithm:digest`."""
    arrays: dict[str, StoredArray]


def changed_arrays(corruption: str) -> tuple[str, ...]:
    """Return the names of the arrays that `corruption` replaces: never the test labels."""
    return ("train_labels",) if is_label_corruption(corruption) else ("train_images", "test_images")


def write_variant(
    folder: Path,
    description: Mapping[str, Any],
    arrays: Iterable[tuple[str, NDArray[Any]]],
    unchanged: Mapping[str, StoredArray] | None = None,
) -> Path:
    """Write `arrays` into `folder`, then the manifest, which names `unchanged` arrays too; return `folder`.

    The previous manifest goes first and the new one comes last: an interrupted write leaves a folder that is
    visibly unfinished. Raises UserError where the folder cannot be written.
    """
    path = folder / "manifest.json"
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be replaced: {error.strerror}; make {folder} writable") from error
    stored = dict(unchanged or {})
    for name, array in arrays:
        with atomic_path(folder / f"{name}.npy") as temporary:
            with open(temporary, "wb") as file:  # np.save would append .npy to a path, but not to a file
                np.save(file, array, allow_pickle=False)
            stored[name] = StoredArray(f"{name}.npy", checksum(temporary), list(array.shape), array.dtype.name)
    write_json(path, asdict(Manifest(**description, arrays={name: stored[name] for name in ARRAYS})))
    return folder


def corrupt(data_root: Path, dataset: str, corruption: str, seed: int) -> Path:
    """Write the variant `data_root/<dataset>/<corruption>` from the verified `true` one; return its folder.

    Raises UserError for an unknown corruption, for `true` (that one is fetched) and where the `true` variant
    is missing or damaged.
    """
    require_corruption(corruption)
    if corruption == "true":
        raise UserError("'true' is no corruption to apply: fetching the data set writes it")
    true = load_variant(data_root, dataset, "true")
    originals = read_manifest(data_root, dataset, "true")
    unchanged = {
        name: StoredArray(f"../true/{name}.npy", entry.sha256, entry.shape, entry.dtype)
        for name, entry in originals.arrays.items()
        if name not in changed_arrays(corruption)
    }
    description = {
        "dataset": dataset,
        "corruption": corruption,
        "seed": seed,
        "classes": list(true.classes),
        "source": originals.source,
    }
    return write_variant(data_root / dataset / corruption, description, _changed(true, corruption, seed), unchanged)


def _changed(true: Variant, corruption: str, seed: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the name and content of every array that `corruption` changes, one at a time to spare memory."""

    def stream(split: str) -> np.random.Generator:
        return random_stream(seed, true.dataset, corruption, split)

    if is_label_corruption(corruption):
        probability = label_corruption_probability(corruption)
        corrupted_labels = wrong_labels if replaces_by_wrong_labels(corruption) else corrupt_labels
        yield "train_labels", corrupted_labels(true.train_labels, probability, len(true.classes), stream("train"))
        return
    _, _, height, width = true.train_images.shape
    permutation = pixel_permutation(height, width, stream("both"))
    for split, images in (("train", true.train_images), ("test", true.test_images)):
        match corruption:
            case "shuffled-pixels":
                corrupted: NDArray[Any] = shuffle_pixels(images, permutation)
            case "random-pixels":
                corrupted = permute_pixels_per_image(images, stream(split))
            case "gaussian":  # the test images, too, get the training set's statistics
                mean, std = channel_statistics(true.train_images)
                corrupted = gaussian_images(images.shape, mean, std, stream(split))
        yield f"{split}_images", corrupted


def read_manifest(data_root: Path, dataset: str, corruption: str) -> Manifest:
    """Return a variant's manifest. Raises UserError if it is missing, damaged or another variant's."""
    path = data_root / dataset / corruption / "manifest.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        arrays = {name: StoredArray(**content["arrays"][name]) for name in ARRAYS}
        manifest = Manifest(**{**content, "arrays": arrays})
    except FileNotFoundError:
        raise _damaged(path, "is missing") from None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise _damaged(path, f"is not a variant's manifest ({type(error).__name__}: {error})") from error
    if (manifest.dataset, manifest.corruption) != (dataset, corruption):
        raise _damaged(path, f"describes {manifest.dataset}/{manifest.corruption}, not {dataset}/{corruption}")
    for name, entry in arrays.items():
        if entry.path not in (f"{name}.npy", f"../true/{name}.npy"):
            raise _damaged(path, f"names the unexpected file {entry.path!r}")
    return manifest


def load_variant(data_root: Path, dataset: str, corruption: str, verify: bool = True) -> Variant:
    """Return one variant; `verify` recomputes the SHA-256 of every array (0.1 to 1 s for CIFAR-10).

    Raises UserError naming the file if anything is missing, truncated or altered.
    """
    require_corruption(corruption)
    manifest = read_manifest(data_root, dataset, corruption)
    folder = data_root / dataset / corruption
    arrays = {name: _read_array(folder, entry, verify) for name, entry in manifest.arrays.items()}
    checksums = "".join(f"{name} {manifest.arrays[name].sha256}\n" for name in ARRAYS)
    return Variant(
        dataset=dataset,
        corruption=corruption,
        seed=manifest.seed,
        classes=tuple(manifest.classes),
        digest=hashlib.sha256(checksums.encode()).hexdigest(),
        **arrays,
    )


def _read_array(folder: Path, entry: StoredArray, verify: bool) -> NDArray[Any]:
    name = Path(entry.path).name
    path = folder / name if entry.path == name else folder.parent / "true" / name
    try:
        if verify and (found := checksum(path)) != entry.sha256:
            raise _damaged(path, f"has sha256 {found}, expected {entry.sha256}", folder)
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise _damaged(path, "is missing", folder) from None
    except (ValueError, EOFError, OSError) as error:
        raise _damaged(path, f"cannot be read ({error})", folder) from error
    if (list(array.shape), array.dtype.name) != (entry.shape, entry.dtype):
        found = f"{array.dtype.name} {list(array.shape)}"
        raise _damaged(path, f"holds {found}, expected {entry.dtype} {entry.shape}", folder)
    return array


def _damaged(path: Path, complaint: str, folder: Path | None = None) -> UserError:
    """Return the error about a file of the variant in `folder`, which may be one that `true` holds for it."""
    folders = dict.fromkeys([path.parent, folder or path.parent])
    return UserError(f"{path} {complaint}; delete {' and '.join(map(str, folders))} and run again to rebuild")
