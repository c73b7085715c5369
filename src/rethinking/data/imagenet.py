"""Where ImageNet lies: a folder that somebody has prepared, as its terms forbid to hand it on. Free of torch.

    <folder>/train/<class>/*.JPEG    1,281,167 images in 1,000 classes, each named by its WordNet number: n01440764
    <folder>/val/<class>/*.JPEG      50,000 images in the same classes

This is what `torchvision.datasets.ImageNet` makes of the archives of ILSVRC-2012, and what any data set of images in
folders can be brought into.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from rethinking.errors import UserError

NAME = "imagenet"
"""Of the data set, as `execution.processes` and `--config datasets=` know it."""

SETTING = "data.imagenet"
VARIABLE = "RETHINKING_IMAGENET"
"""The environment variable that takes precedence over the setting: where data lie differs between machines."""

SPLITS = ("train", "val")

_WANTED = (
    "must hold train/ and val/, each with one folder of images a class, under the same names: train/n01440764/*.JPEG"
)
_NAMED = 3
"""Classes that a complaint names at most."""


def imagenet_folder(setting: str | None, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder that the environment or the setting names; None where neither does."""
    named = environment.get(VARIABLE) or setting
    return Path(named) if named else None


def classes_in(folder: Path) -> list[str]:
    """Return the classes of a data set in this layout, sorted. Looks at folders alone, not at the images.

    Raises UserError, with what was found and what would be right, for any other layout.
    """
    where = f"{SETTING} (or {VARIABLE}): {folder}"
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "is not there"
        raise UserError(f"{where} {found}; it {_WANTED}")
    subfolders = _subfolders(folder)
    if missing := [split for split in SPLITS if split not in subfolders]:
        raise UserError(f"{where} has no {' and no '.join(missing)}, but {_found(folder)}; it {_WANTED}")
    train, val = (_subfolders(folder / split) for split in SPLITS)
    for split, classes in (("train", train), ("val", val)):
        if len(classes) < 2:
            raise UserError(
                f"{where}/{split} holds {len(classes)} folders of classes, found {_found(folder / split)}; "
                f"the data set {_WANTED}"
            )
    if train != val:
        only = [f"only in {split}: {_listed(names)}" for split, names in _apart(train, val) if names]
        raise UserError(
            f"{where}: train has {len(train)} classes and val {len(val)}, {' and '.join(only)}; it {_WANTED}"
        )
    return train


def _apart(train: list[str], val: list[str]) -> list[tuple[str, list[str]]]:
    return [("train", sorted(set(train) - set(val))), ("val", sorted(set(val) - set(train)))]


def _subfolders(folder: Path) -> list[str]:
    with _entries(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir())


def _found(folder: Path) -> str:
    with _entries(folder) as entries:
        names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
    return _listed(names) if names else "nothing at all"


def _entries(folder: Path) -> "os._ScandirIterator[str]":
    try:
        return os.scandir(folder)
    except OSError as error:
        raise UserError(f"{SETTING} (or {VARIABLE}): {folder} cannot be read: {error.strerror}") from None


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return f"{', '.join(names[:_NAMED])}{f' and {more} more' if more > 0 else ''}"
