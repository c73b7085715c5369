"""The parts of training on ImageNet: what is read of a file, in which order, by which network and optimiser."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.transforms import v2

from imagefolder import CLASSES, make_image_folder
from rethinking.experiments.streamed import StreamedExperiment
from rethinking.params_file import load_params
from rethinking.studies.imagenet.design import experiments
from rethinking.studies.imagenet.listing import list_images
from rethinking.studies.imagenet.loop import _averages, _sums, learning_rate
from rethinking.studies.imagenet.networks import build, decayed_and_free, outputs
from rethinking.studies.imagenet.order import epoch_batches, evaluation_places, steps_per_epoch, training_places
from rethinking.studies.imagenet.reading import (
    Batch,
    Images,
    Unreadable,
    batches,
    scaled,
    with_augmentation,
    without_augmentation,
)
from rethinking.studies.imagenet.rmsprop import RMSProp
from rethinking.studies.imagenet.training import _initial_network, optimiser_of
from rethinking.training.distributed import ALONE, JoinedProcesses

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"
SETTINGS = experiments(load_params(PARAMS_FILE, "paper"))[0].settings
SMALL = {"size": 24, "central_fraction": 0.875}
PLACES = [[(0, 0), (5, 0)], [], [(2, 0)]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_image_folder(tmp_path_factory.mktemp("imagenet") / "images")


def images_of(folder: Path, transform: v2.Transform, size: int = 24, seed: int = 0) -> Images:
    listing = list_images(folder / "train")
    return Images(folder / "train", listing, listing.labels, transform, size, seed)


def image(item: Any) -> torch.Tensor:
    assert not isinstance(item, Unreadable)
    found: torch.Tensor = item[0]
    return found


# --- what is read ---


@pytest.mark.parametrize("augmented", [False, True])
def test_images_of_every_mode_and_size_become_squares_of_three_colours(folder: Path, augmented: bool) -> None:
    augmentation = SETTINGS["augmentation"]
    transform = with_augmentation(SMALL, augmentation) if augmented else without_augmentation(SMALL)
    images = images_of(folder, transform)
    for index in range(len(images)):
        found = image(images[index, 0])
        assert (found.shape, found.dtype) == ((3, 24, 24), torch.uint8)


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_a_colour_survives_its_mode(tmp_path: Path, mode: str) -> None:
    """Of a grey image, its luminance. CMYK is written inverted by some programs, and read as what it shows."""
    colour = (200, 90, 30)
    for split in ("train", "val"):
        for name in CLASSES[:2]:
            (tmp_path / split / name).mkdir(parents=True)
            Image.new("RGB", (40, 30), colour).convert(mode).save(tmp_path / split / name / "a.JPEG", quality=95)
    found = image(images_of(tmp_path, without_augmentation(SMALL))[0, 0]).float().mean(dim=(1, 2))
    grey = 0.299 * 200 + 0.587 * 90 + 0.114 * 30
    expected = [grey] * 3 if mode == "L" else list(colour)
    assert found.tolist() == pytest.approx(expected, abs=4)


def test_without_augmentation_an_image_is_its_central_window(tmp_path: Path) -> None:
    """A wide image: seven eighths of its height, and as much of its width, around the middle."""
    pixels = np.zeros((32, 96, 3), dtype=np.uint8)
    pixels[2:30, 34:62] = 255
    for split in ("train", "val"):
        for name in CLASSES[:2]:
            (tmp_path / split / name).mkdir(parents=True)
            Image.fromarray(pixels).save(tmp_path / split / name / "a.png")
    images = images_of(tmp_path, without_augmentation({"size": 28, "central_fraction": 0.875}), size=28)
    assert (image(images[0, 0]) == 255).all()
    assert torch.equal(image(images[0, 0]), image(images[0, 7])), "in every epoch"


def test_what_is_drawn_for_an_image_depends_on_seed_epoch_and_image_alone(folder: Path) -> None:
    transform = with_augmentation(SMALL, SETTINGS["augmentation"])
    images = images_of(folder, transform)
    first = image(images[3, 1])
    torch.rand(5)
    assert torch.equal(first, image(images[3, 1]))
    assert not torch.equal(first, image(images[3, 2]))
    assert not torch.equal(first, image(images_of(folder, transform, seed=1)[3, 1]))


def test_reading_leaves_the_generator_of_dropout_alone(folder: Path) -> None:
    images = images_of(folder, with_augmentation(SMALL, SETTINGS["augmentation"]))
    before = torch.get_rng_state()
    list(batches(images, PLACES, 0, torch.device("cpu")))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_batch_may_be_empty_or_hold_what_cannot_be_read(folder: Path) -> None:
    images = images_of(folder, without_augmentation(SMALL))
    found = list(batches(images, PLACES, 0, torch.device("cpu")))
    assert [len(batch.images) for batch in found] == [2, 0, 1]
    assert [batch.labels.tolist() for batch in found] == [[0, 0], [], [0]]
    broken = Unreadable("a.JPEG", "cut off", True)
    mixed: Batch = images.collate([broken, images[6, 0]])
    assert (len(mixed.images), mixed.labels.tolist(), mixed.unreadable) == (1, [1], [broken])


def test_a_file_that_the_system_cannot_read_is_not_called_damaged(tmp_path: Path) -> None:
    """It is never left out: a network file system that is away for a moment would thin out the data."""
    folder = make_image_folder(tmp_path / "images")
    images = images_of(folder, without_augmentation(SMALL))
    path = folder / "train" / CLASSES[0] / "train_00000000.JPEG"
    path.unlink()
    assert images[0, 0] == Unreadable(str(path), "No such file or directory", False)
    path.write_bytes(b"")
    found = images[0, 0]
    assert isinstance(found, Unreadable)
    assert found.damaged


def test_networks_see_numbers_between_minus_one_and_one() -> None:
    seen = scaled(torch.tensor([0, 255], dtype=torch.uint8)[:, None, None, None].expand(2, 3, 2, 2))
    assert seen[:, 0, 0, 0].tolist() == [-1.0, 1.0]
    assert seen.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("readers", "device", "threads", "expected"),
    [(None, "cuda", 1, 1), (None, "cpu", 8, 0), (3, "cpu", 1, 3), (0, "cuda", 8, 0)],
)
def test_on_a_gpu_the_cores_read(readers: int | None, device: str, threads: int, expected: int) -> None:
    planned = experiments(load_params(PARAMS_FILE, "paper"))[0]
    assert isinstance(planned, StreamedExperiment)
    own = StreamedExperiment("imagenet", "training", "a", stands_for=planned.stands_for, folder=None, readers=readers)
    assert own.readers_for(device, threads) == expected


# --- in which order ---


@pytest.mark.parametrize(("examples", "batch_size"), [(18, 7), (14, 7), (15, 7), (5, 7), (1, 7), (8, 1)])
def test_an_epoch_shows_each_image_once_and_no_batch_is_a_single_one(examples: int, batch_size: int) -> None:
    found = epoch_batches(examples, batch_size, seed=0, epoch=3)
    assert sorted(torch.cat(list(found)).tolist()) == list(range(examples))
    assert len(found) == steps_per_epoch(examples, batch_size)
    assert all(len(batch) == batch_size for batch in found[:-1])
    if min(examples, batch_size) > 1:
        assert min(len(batch) for batch in found) > 1


def test_every_epoch_and_seed_has_an_order_of_its_own() -> None:
    orders = {tuple(epoch_batches(50, 50, seed, epoch)[0].tolist()) for seed in (0, 1) for epoch in range(3)}
    assert len(orders) == 6


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_processes_parts_are_the_batches(size: int) -> None:
    whole = list(training_places(18, 7, 0, range(1, 3), 0, ALONE))
    parts = [list(training_places(18, 7, 0, range(1, 3), 0, JoinedProcesses(rank, size))) for rank in range(size)]
    assert [[place for part in step for place in part] for step in zip(*parts, strict=True)] == whole
    assert [epoch for _, epoch in [step[0] for step in whole]] == [1, 1, 1, 2, 2, 2]
    assert list(training_places(18, 7, 0, range(1, 3), 2, ALONE)) == whole[2:]
    assert list(training_places(18, 7, 0, range(1, 3), 3, ALONE)) == whole[3:]


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("count", [1, 4, 9])
def test_an_evaluation_has_as_many_blocks_in_each_process(size: int, count: int) -> None:
    blocks = [evaluation_places(range(count), 2, JoinedProcesses(rank, size)) for rank in range(size)]
    assert len({len(own) for own in blocks}) == 1
    assert [index for own in blocks for block in own for index, _ in block] == list(range(count))


def test_sums_become_averages_over_what_was_read() -> None:
    logits = torch.eye(8)[[0, 1, 2, 7]] * 5 + torch.arange(8.0) / 10
    labels = torch.tensor([0, 1, 6, 0])
    loss = nn.functional.cross_entropy(logits, labels, reduction="sum")
    sums = _sums(loss, logits, labels, 1) + _sums(torch.tensor(0.0), logits[:0], labels[:0], 2)
    assert _averages(sums) == pytest.approx([loss.item() / 4, 0.5, 0.75, 4, 3])


# --- networks and optimiser ---


def test_inception_v3_has_its_number_of_parameters() -> None:
    """27,161,264 in torchvision, with the second classifier; the rate of all its dropout is that of the settings."""
    network = build("inception_v3", 1000, 0.2)
    assert sum(parameter.numel() for parameter in network.parameters()) == 27_161_264
    rates = {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)}
    assert rates == {0.2}


@pytest.mark.parametrize("architecture", ["resnet18", "alexnet", "mobilenet_v3_small", "resnet50"])
def test_every_architecture_has_dropout_before_its_last_layer(architecture: str) -> None:
    network = build(architecture, 4, 0.5)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Dropout)]
    assert layers
    assert all(layer.p == 0.5 for layer in layers)
    network.eval()
    (found,) = outputs(network, torch.zeros(2, 3, 64, 64))
    assert found.shape == (2, 4)


@pytest.mark.parametrize(("regularizer", "rate"), [("augmentation+wd", 0.0), ("dropout+wd", 0.2)])
def test_dropout_is_there_only_where_it_is_asked_for(regularizer: str, rate: float) -> None:
    network = _initial_network({**SETTINGS, "architecture": "resnet18", "regularizer": regularizer}, 4)
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [rate]


def test_weight_decay_spares_biases_and_batch_normalisation() -> None:
    network = build("resnet18", 4, 0.0)
    decayed, free = decayed_and_free(network)
    assert {parameter.dim() for parameter in decayed} == {2, 4}
    assert {parameter.dim() for parameter in free} == {1}
    assert len(decayed) + len(free) == len(list(network.parameters()))
    with_decay = {**SETTINGS, "regularizer": "dropout+wd"}
    assert optimiser_of(network, with_decay).weight_decay == 0.00004
    assert optimiser_of(network, {**SETTINGS, "regularizer": "dropout"}).weight_decay == 0.0


def test_rmsprop_is_tensorflows() -> None:
    """By the formula of its documentation, on one number: epsilon below the root, mean squares that begin with 1."""
    weight = nn.Parameter(torch.tensor([2.0]))
    optimiser = RMSProp([weight], [], 0.1, 0.5, momentum=0.9, decay=0.8, epsilon=0.01)
    expected, square, velocity = 2.0, 1.0, 0.0
    for rate in (0.5, 0.25, 0.25):
        weight.grad = 3 * weight.detach().clone()
        optimiser.learning_rate = rate
        gradient = 3 * expected + 0.1 * expected
        square = 0.8 * square + 0.2 * gradient**2
        velocity = 0.9 * velocity + rate * gradient / math.sqrt(square + 0.01)
        expected -= velocity
        optimiser.step()
        assert weight.item() == pytest.approx(expected, rel=1e-5)
    other = RMSProp([nn.Parameter(torch.tensor([0.0]))], [], 0.1, 0.5, 0.9, 0.8, 0.01)
    other.load_state_dict(optimiser.state_dict())
    assert torch.equal(other.squares[0], optimiser.squares[0])


def test_the_rate_falls_every_second_epoch() -> None:
    rates = [learning_rate(SETTINGS["training"], epoch) for epoch in range(5)]
    assert rates == pytest.approx([0.045, 0.045, 0.045 * 0.94, 0.045 * 0.94, 0.045 * 0.94**2])
