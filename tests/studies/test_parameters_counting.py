"""Counting the parameters of published networks."""

import math
from pathlib import Path

import pytest
import torch

from rethinking.experiments.laboratory import Laboratory
from rethinking.models import parameter_count
from rethinking.params_file import load_params
from rethinking.studies.parameters.catalogue import NETWORKS, Network
from rethinking.studies.parameters.counting import build, counted, run, running_statistics
from rethinking.studies.parameters.design import experiments
from rethinking.studies.parameters.wide_resnet import wide_resnet
from rethinking.training.devices import choose

ROOT = Path(__file__).resolve().parents[2]
PARAMS = {name: load_params(ROOT / "params.yaml", name) for name in ("paper", "digits", "smoke")}
BY_NAME = {network.name: network for network in NETWORKS}


def parameters(name: str) -> object:
    return counted(BY_NAME[name].settings())["parameters"]


def wide_resnet_formula(depth: int, factor: int, classes: int = 10) -> int:
    """Count by hand: 3x3 and 1x1 convolutions without biases, two numbers for each normalised channel."""
    blocks, total, inputs = (depth - 4) // 6, 27 * 16, 16
    for channels in (16 * factor, 32 * factor, 64 * factor):
        for _ in range(blocks):
            total += 2 * inputs + 9 * inputs * channels + 2 * channels + 9 * channels**2
            total += inputs * channels if inputs != channels else 0
            inputs = channels
    return total + 2 * inputs + inputs * classes + classes


@pytest.mark.parametrize(
    ("name", "published"),
    [("inception", 1649402), ("alexnet", 1387786), ("mlp-1x512", 1209866), ("mlp-3x512", 1735178)],
)
def test_the_papers_networks_have_the_numbers_of_its_table_1(name: str, published: int) -> None:
    assert parameters(name) == published


@pytest.mark.parametrize(
    ("name", "published"),
    [("wrn-28-1", 369_498), ("wrn-40-4", 8_949_210), ("wrn-28-10", 36_479_194)],
)
def test_wide_resnets_have_the_numbers_of_other_implementations(name: str, published: int) -> None:
    options = BY_NAME[name].options
    assert parameters(name) == published == wide_resnet_formula(options["depth"], options["factor"])


@pytest.mark.parametrize("network", [each for each in NETWORKS if each.builder == "torchvision"], ids=lambda n: n.name)
def test_networks_for_imagenet_have_the_numbers_that_come_with_their_weights(network: Network) -> None:
    """Of Inception V3 these are weights with the auxiliary classifier."""
    from torchvision.models import get_model_weights

    with_weights = get_model_weights(network.options["name"]).DEFAULT.meta["num_params"]
    if network.options.get("aux_logits", True):
        assert parameters(network.name) == with_weights
    else:
        assert int(str(parameters(network.name))) < with_weights


def test_the_printed_count_of_inception_v3_is_taken_apart() -> None:
    """Eight outputs more, of 2048 weights and a bias, and a mean and a variance for each normalised channel."""
    plain, variant = (counted(BY_NAME[name].settings()) for name in ("inception-v3", "inception-v3-1008"))
    assert plain["running_statistics"] == variant["running_statistics"] == 2 * 17_216
    assert int(str(plain["parameters"])) + 8 * 2049 + 2 * 17_216 == 23_885_392
    assert int(str(variant["parameters"])) + int(str(variant["running_statistics"])) == 23_885_392


def test_running_statistics_are_a_mean_and_a_variance_for_each_normalised_channel() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 7, 3), torch.nn.BatchNorm2d(7), torch.nn.BatchNorm1d(5))
    assert running_statistics(network) == 2 * (7 + 5)
    assert running_statistics(torch.nn.Sequential(torch.nn.Linear(3, 3))) == 0


def test_a_wide_resnet_classifies_images_of_32_pixels_at_the_resolution_of_the_paper() -> None:
    network = wide_resnet(16, 2, channels=3, classes=10).eval()
    shapes: list[torch.Size] = []
    network[-4].register_forward_pre_hook(lambda module, inputs: shapes.append(inputs[0].shape))
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    assert shapes == [torch.Size([2, 128, 8, 8])]


@pytest.mark.parametrize("depth", [4, 18, 29])
def test_a_wide_resnet_of_another_depth_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match=f"depth: found {depth}, must be 6 n"):
        wide_resnet(depth, 1, channels=3, classes=10)


def test_an_unknown_builder_is_refused() -> None:
    with pytest.raises(ValueError, match="builder: found 'keras', must be paper, wide-resnet or torchvision"):
        build("keras", {})


def test_large_networks_take_no_memory() -> None:
    network = build("torchvision", {"name": "vgg19"})
    assert {parameter.device.type for parameter in network.parameters()} == {"meta"}
    assert parameter_count(network) == 143_667_240


def test_the_experiment_counts_every_network_alike_at_every_scale(tmp_path: Path) -> None:
    found = {name: experiments(params) for name, params in PARAMS.items()}
    assert found["paper"] == found["digits"] == found["smoke"]
    (experiment,) = found["smoke"]
    laboratory = Laboratory(experiment, "smoke", {}, choose("cpu", "float32", 1), tmp_path, "0" * 16)
    rows = run(laboratory)
    assert [row["network"] for row in rows] == [network.name for network in NETWORKS]
    assert all(math.isfinite(float(str(row["parameters"]))) for row in rows)
    assert not laboratory.data_read
    assert not laboratory.weights_read
