import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rethinking.data.corruptions import PIXEL_CORRUPTIONS, channel_statistics, label_corruption_name
from rethinking.data.sources import fetch
from rethinking.data.variants import ARRAYS, corrupt, load_variant, write_variant
from rethinking.errors import UserError

LABEL_CORRUPTIONS = [label_corruption_name(percent / 100) for percent in range(10, 101, 10)]
CORRUPTIONS = ["true", *LABEL_CORRUPTIONS, *PIXEL_CORRUPTIONS]
CORRUPTED = CORRUPTIONS[1:]


@pytest.fixture(scope="module")
def variants_root(digits_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits under every corruption, for reading."""
    root = tmp_path_factory.mktemp("variants") / "data"
    shutil.copytree(digits_root, root)
    for corruption in CORRUPTED:
        corrupt(root, "digits", corruption, seed=0)
    return root


@pytest.fixture
def root(variants_root: Path, tmp_path: Path) -> Path:
    """Digits under three corruptions, for spoiling."""
    for corruption in ("true", "labels-p50", "gaussian"):
        shutil.copytree(variants_root / "digits" / corruption, tmp_path / "digits" / corruption)
    return tmp_path


@pytest.mark.parametrize("corruption", CORRUPTED)
def test_test_labels_are_clean_under_every_corruption(variants_root: Path, corruption: str) -> None:
    true, variant = (load_variant(variants_root, "digits", name) for name in ("true", corruption))
    assert np.array_equal(variant.test_labels, true.test_labels)
    assert np.array_equal(variant.train_labels, true.train_labels) == (corruption not in LABEL_CORRUPTIONS)
    assert np.array_equal(variant.train_images, true.train_images) == (corruption not in PIXEL_CORRUPTIONS)
    assert np.array_equal(variant.test_images, true.test_images) == (corruption not in PIXEL_CORRUPTIONS)


@pytest.mark.parametrize("corruption", CORRUPTED)
def test_unchanged_arrays_are_stored_once(variants_root: Path, corruption: str) -> None:
    changed = {"train_labels"} if corruption in LABEL_CORRUPTIONS else {"train_images", "test_images"}
    folder = variants_root / "digits" / corruption
    assert {path.name for path in folder.iterdir()} == {"manifest.json", *(f"{name}.npy" for name in changed)}
    entries = json.loads((folder / "manifest.json").read_text())["arrays"]
    paths = {name: entries[name]["path"] for name in ARRAYS}
    assert paths == {name: f"{'' if name in changed else '../true/'}{name}.npy" for name in ARRAYS}


def test_train_and_test_images_are_shuffled_by_one_permutation(variants_root: Path) -> None:
    true, shuffled = (load_variant(variants_root, "digits", name) for name in ("true", "shuffled-pixels"))
    columns = {split: getattr(true, f"{split}_images").reshape(-1, 64).T for split in ("train", "test")}
    moved = {split: getattr(shuffled, f"{split}_images").reshape(-1, 64).T for split in ("train", "test")}
    origin = {column.tobytes(): position for position, column in enumerate(columns["train"])}
    permutation = [origin[column.tobytes()] for column in moved["train"]]
    distinct = [i for i, column in enumerate(moved["train"]) if column.any()]  # borders are always black
    assert len(distinct) > 50
    assert np.array_equal(moved["test"][distinct], columns["test"][permutation][distinct])


def test_random_pixels_keep_the_pixels_of_every_image(variants_root: Path) -> None:
    true, permuted = (load_variant(variants_root, "digits", name) for name in ("true", "random-pixels"))
    for name in ("train_images", "test_images"):
        before, after = (getattr(variant, name).reshape(-1, 64) for variant in (true, permuted))
        assert np.array_equal(np.sort(before, axis=1), np.sort(after, axis=1))


def test_gaussian_has_the_training_sets_statistics_in_both_splits(tmp_path: Path) -> None:
    """On a data set of three channels whose test images are all white, unlike those of the training set."""
    rng = np.random.default_rng(0)
    train = rng.integers([[[40]], [[80]], [[120]]], size=(4000, 3, 8, 8), dtype=np.uint8)
    labels = np.zeros(4000, dtype=np.uint8)
    true: dict[str, Any] = {
        "dataset": "made-up",
        "corruption": "true",
        "seed": None,
        "classes": ["0"],
        "source": {},
    }
    arrays = zip(ARRAYS, (train, labels, np.full_like(train, 255), labels), strict=True)
    write_variant(tmp_path / "made-up" / "true", true, arrays)
    corrupt(tmp_path, "made-up", "gaussian", seed=0)
    noise = load_variant(tmp_path, "made-up", "gaussian")
    mean, std = channel_statistics(train)
    for images in (noise.train_images, noise.test_images):
        pixels = np.asarray(images, dtype=np.float64)
        n = pixels[:, 0].size
        assert (np.abs(pixels.mean(axis=(0, 2, 3)) - mean) < 4 * std / np.sqrt(n)).all()
        assert (np.abs(pixels.std(axis=(0, 2, 3)) - std) < 4 * std / np.sqrt(2 * n)).all()
    assert not np.array_equal(noise.train_images, noise.test_images)


def test_gaussian_leaves_the_range_of_pixels(variants_root: Path) -> None:
    noise = load_variant(variants_root, "digits", "gaussian")
    for images in (noise.train_images, noise.test_images):
        assert images.min() < 0
        assert images.max() > 255


def test_digest_identifies_the_variant(variants_root: Path) -> None:
    digests = {load_variant(variants_root, "digits", name).digest for name in CORRUPTIONS}
    assert len(digests) == len(CORRUPTIONS)


@pytest.mark.parametrize("corruption", ["labels-p50", "gaussian"])
def test_seed_fixes_the_variant(root: Path, corruption: str) -> None:
    before = load_variant(root, "digits", corruption)
    shutil.rmtree(root / "digits" / corruption)
    corrupt(root, "digits", corruption, seed=0)
    assert load_variant(root, "digits", corruption).digest == before.digest
    corrupt(root, "digits", corruption, seed=1)
    other = load_variant(root, "digits", corruption)
    assert (other.digest != before.digest, before.seed, other.seed) == (True, 0, 1)


def test_arrays_cannot_be_changed_by_their_users(variants_root: Path) -> None:
    variant = load_variant(variants_root, "digits", "random-labels")
    for name in ARRAYS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(variant, name)[0] = 0


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def alter(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [truncate, empty, alter, Path.unlink])
@pytest.mark.parametrize("corruption", ["labels-p50", "gaussian"])
def test_damaged_array_is_refused_by_name(root: Path, corruption: str, damage: Any) -> None:
    name = "train_labels.npy" if corruption == "labels-p50" else "test_images.npy"
    damage(root / "digits" / corruption / name)
    with pytest.raises(UserError, match=rf"{corruption}/{name} .*delete \S*digits/{corruption} and run again"):
        load_variant(root, "digits", corruption)


@pytest.mark.parametrize("damage", [truncate, empty, Path.unlink])
def test_truncated_array_is_refused_even_without_verification(root: Path, damage: Any) -> None:
    damage(root / "digits" / "gaussian" / "test_images.npy")
    with pytest.raises(UserError, match=r"gaussian/test_images\.npy"):
        load_variant(root, "digits", "gaussian", verify=False)


def test_damage_to_a_shared_array_is_noticed_in_every_variant(root: Path) -> None:
    alter(root / "digits" / "true" / "train_images.npy")
    with pytest.raises(UserError, match=r"true/train_images\.npy has sha256 .*digits/true and \S*labels-p50"):
        load_variant(root, "digits", "labels-p50")
    with pytest.raises(UserError, match=r"true/train_images\.npy has sha256"):
        corrupt(root, "digits", "random-pixels", seed=0)
    assert not (root / "digits" / "random-pixels").exists()


def test_following_the_advice_rebuilds_the_variant(root: Path) -> None:
    digest = load_variant(root, "digits", "labels-p50").digest
    alter(root / "digits" / "true" / "train_images.npy")
    for corruption in ("true", "labels-p50"):
        shutil.rmtree(root / "digits" / corruption)
    fetch("digits", root, None)
    corrupt(root, "digits", "labels-p50", seed=0)
    assert load_variant(root, "digits", "labels-p50").digest == digest


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "mnist"},
        {"corruption": "labels-p40"},
        {"arrays": {}},
        {"arrays": None},
        {"unheard-of": 1},
        {"escape": "../../../secret.npy"},
    ],
    ids=str,
)
def test_malformed_manifest_is_refused(root: Path, change: dict[str, Any]) -> None:
    path = root / "digits" / "labels-p50" / "manifest.json"
    manifest = json.loads(path.read_text())
    if "escape" in change:
        manifest["arrays"]["train_labels"]["path"] = change["escape"]
    else:
        manifest |= change
    path.write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"labels-p50/manifest\.json .*delete"):
        load_variant(root, "digits", "labels-p50")


def test_truncated_manifest_is_refused(root: Path) -> None:
    path = root / "digits" / "labels-p50" / "manifest.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(UserError, match=r"is not a variant's manifest"):
        load_variant(root, "digits", "labels-p50")


def test_interrupted_write_leaves_no_manifest(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the first and the second array, over a finished variant of another seed."""
    saved: list[Any] = []

    def save_once(*arguments: Any, **options: Any) -> None:
        if saved:
            raise KeyboardInterrupt
        saved.append(arguments)
        np.lib.format.write_array(*arguments, **options)

    monkeypatch.setattr(np, "save", save_once)
    with pytest.raises(KeyboardInterrupt):
        corrupt(root, "digits", "gaussian", seed=1)
    assert {path.name for path in (root / "digits" / "gaussian").iterdir()} == {
        "train_images.npy",
        "test_images.npy",
    }
    with pytest.raises(UserError, match=r"gaussian/manifest\.json is missing"):
        load_variant(root, "digits", "gaussian")


def test_only_real_corruptions_of_fetched_data_are_written(root: Path) -> None:
    with pytest.raises(UserError, match="allowed are true, labels-p01"):
        corrupt(root, "digits", "labels-p100", seed=0)
    with pytest.raises(UserError, match="fetching"):
        corrupt(root, "digits", "true", seed=0)
    with pytest.raises(UserError, match=r"mnist/true/manifest\.json is missing"):
        corrupt(root, "mnist", "gaussian", seed=0)
    assert {path.name for path in (root / "digits").iterdir()} == {"true", "labels-p50", "gaussian"}


def test_data_layer_needs_no_torch() -> None:
    """Fetching and corrupting run on machines without it, and start at once."""
    code = "import sys, rethinking.data.sources; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
