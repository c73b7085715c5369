"""The architectures: the paper's own counts, and what every model of every preset gets for free."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rethinking.cells import Cell
from rethinking.data.sources import DATASETS
from rethinking.models import build, parameter_count
from rethinking.models.alexnet import ResponseNorm
from rethinking.models.initialisation import SCHEMES, initialise
from rethinking.params_file import load_params
from rethinking.recipe import Recipe

PARAMS_FILE = Path(__file__).resolve().parents[2] / "params.yaml"
PRESETS = {name: load_params(PARAMS_FILE, name) for name in ("paper", "digits", "smoke")}
CIFAR10 = (3, 28, 28)

PUBLISHED_PARAMETERS = {  # Zhang et al. 2017, table 1
    "inception": 1_649_402,
    "inception-nobn": 1_649_402,
    "alexnet": 1_387_786,
    "mlp-3x512": 1_735_178,
    "mlp-1x512": 1_209_866,
}

FURTHER_PARAMETERS = {  # Nakkiran et al. 2019, and the usual counts of residual networks on CIFAR-10
    "cnn": 1_557_066,
    "resnet18": 11_171_146,
    "resnet34": 21_282_122,
    "perceptron": 151_242,
}

EVERY_MODEL = [
    pytest.param(name, model, dataset, id=f"{name}-{model}-{dataset}")
    for name, params in PRESETS.items()
    for model in params.models
    for dataset in dict.fromkeys(
        [params.studies.randomisation.dataset, *params.studies.randomisation.fits_random_labels_on]
    )
]


def recipe_of(preset: str, model: str, dataset: str = "cifar10", regularizer: str = "none") -> Recipe:
    return PRESETS[preset].recipe(Cell(dataset, model, "true", regularizer, 0))


def network_of(recipe: Recipe, shape: tuple[int, int, int], seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build(recipe, shape, 10)


def paper_network(model: str, regularizer: str = "none") -> nn.Module:
    return network_of(recipe_of("paper", model, regularizer=regularizer), CIFAR10)


def images(count: int, shape: tuple[int, int, int]) -> Tensor:
    return torch.randn((count, *shape), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("model", "count"), PUBLISHED_PARAMETERS.items())
def test_parameters_are_counted_as_in_table_1(model: str, count: int) -> None:
    assert parameter_count(paper_network(model)) == count


@pytest.mark.parametrize(("model", "count"), FURTHER_PARAMETERS.items())
def test_the_other_models_have_their_usual_sizes(model: str, count: int) -> None:
    assert parameter_count(paper_network(model)) == count


def test_every_model_has_a_known_size() -> None:
    assert set(PRESETS["paper"].models) == {*PUBLISHED_PARAMETERS, *FURTHER_PARAMETERS}


@pytest.mark.parametrize("model", ["cnn", "resnet18", "resnet34", "perceptron", "mlp-3x512"])
def test_a_models_name_may_say_its_width(model: str) -> None:
    """Doubling the width of a network that is wide enough quadruples its parameters, or doubles one hidden layer's."""
    narrow, wide = (parameter_count(paper_network(f"{model}-k{width}")) for width in (32, 64))
    factor = {"perceptron": 2, "mlp-3x512": 2}.get(model, 4)
    assert wide / narrow == pytest.approx(factor, rel=0.05)
    assert paper_network(f"{model}-k64").state_dict().keys() == paper_network(model).state_dict().keys()


@pytest.mark.parametrize("size", [1, 2, 7, 28, 32])
def test_the_network_of_five_layers_takes_images_of_any_size(size: int) -> None:
    recipe = recipe_of("paper", "cnn-k2")
    assert network_of(recipe, (3, size, size)).eval()(images(2, (3, size, size))).shape == (2, 10)


@pytest.mark.parametrize(("preset", "model", "dataset"), EVERY_MODEL)
def test_every_model_can_be_trained(preset: str, model: str, dataset: str) -> None:
    recipe = recipe_of(preset, model, dataset)
    shape = (DATASETS[dataset].image_shape[0], recipe.crop_size, recipe.crop_size)
    network, again, other = (network_of(recipe, shape, seed) for seed in (5, 5, 6))

    batch = images(8, shape)
    logits = network(batch)
    assert logits.shape == (8, 10)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()

    torch.autograd.backward(nn.functional.cross_entropy(logits, torch.arange(8)))
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == [], "the gradient reaches every weight and bias"

    weights, same, different = (list(net.parameters()) for net in (network, again, other))
    assert all(torch.equal(a, b) for a, b in zip(weights, same, strict=True))
    drawn = [(a, b) for a, b in zip(weights, different, strict=True) if a.dim() > 1]
    assert len(drawn) >= 2
    assert not any(torch.equal(a, b) for a, b in drawn)

    again.eval()
    assert torch.equal(again(batch), again(batch))
    assert torch.allclose(again(batch[:3]), again(batch)[:3], atol=1e-5), "an image's logits are its own"


@pytest.mark.parametrize("model", ["inception", "inception-nobn"])
def test_inception_has_the_rows_of_figure_3(model: str) -> None:
    """Convolution weights and biases of every block; batch normalisation has no parameters."""
    *blocks, pool, flatten, linear = paper_network(model).children()
    counts = [parameter_count(block) for block in blocks]
    assert counts == [
        2_688,
        30_784,
        29_776,
        57_680,
        87_200,
        107_680,
        128_160,
        146_064,
        124_512,
        388_176,
        543_312,
    ]
    assert (parameter_count(pool), parameter_count(flatten), parameter_count(linear)) == (0, 0, 3_370)


def test_inception_maps_are_28_then_14_then_7_pixels_wide() -> None:
    channels, sizes, value = [], [], images(2, CIFAR10)
    for block in list(paper_network("inception").children())[:-3]:
        value = block(value)
        channels.append(value.shape[1])
        sizes.append(tuple(value.shape[2:]))
    assert channels == [96, 64, 80, 160, 160, 160, 160, 144, 240, 336, 336]
    assert sizes == [(28, 28)] * 3 + [(14, 14)] * 5 + [(7, 7)] * 3


def test_alexnet_maps_are_28_then_14_then_7_pixels_wide() -> None:
    sizes, value = [], images(2, CIFAR10)
    for layer in paper_network("alexnet").children():
        value = layer(value)
        if isinstance(layer, nn.Conv2d | ResponseNorm):
            sizes.append(tuple(value.shape[1:]))
    assert sizes == [(64, 28, 28), (64, 14, 14), (64, 14, 14), (64, 7, 7)]
    linear = [layer for layer in paper_network("alexnet").modules() if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [(3136, 384), (384, 192), (192, 10)]


def test_batch_normalisation_is_there_only_when_asked_and_learns_nothing() -> None:
    norms = [m for m in paper_network("inception").modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 1 + 2 * 8 + 2, "one a convolution: the first, two an inception, one a downsampling"
    assert not any(norm.affine for norm in norms)
    for model in ("inception-nobn", "alexnet", "mlp-1x512", "mlp-3x512"):
        assert not any(isinstance(m, nn.BatchNorm2d) for m in paper_network(model).modules())


def test_every_convolution_of_inception_is_normalised_before_its_relu() -> None:
    chains = [m for m in paper_network("inception").modules() if isinstance(m, nn.Sequential)][1:]
    assert len(chains) == 19
    assert {tuple(type(layer) for layer in chain) for chain in chains} == {(nn.Conv2d, nn.BatchNorm2d, nn.ReLU)}


@pytest.mark.parametrize(
    ("model", "layers"), [("inception", 1), ("inception-nobn", 1), ("alexnet", 2), ("mlp-3x512", 3), ("mlp-1x512", 1)]
)
def test_dropout_is_there_only_when_asked(model: str, layers: int) -> None:
    for regularizer in ("none", "crop", "wd", "crop+wd", "flip+rotate"):
        assert not any(isinstance(m, nn.Dropout) for m in paper_network(model, regularizer).modules())
    network = paper_network(model, "dropout")
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.5] * layers
    assert parameter_count(network) == PUBLISHED_PARAMETERS[model]
    batch = images(4, CIFAR10)
    assert not torch.equal(network(batch), network(batch))
    network.eval()
    assert torch.equal(network(batch), network(batch))


@pytest.mark.parametrize("channels", [3, 6, 9, 64])
def test_response_norm_is_torchs_with_the_tutorials_parameters(channels: int) -> None:
    """TensorFlow's depth_radius 4, alpha 0.001/9 is torch's size 9, alpha 0.001: torch divides by the size."""
    ours, theirs = ResponseNorm(channels, radius=4, alpha=0.001 / 9), nn.LocalResponseNorm(9, 0.001, 0.75, 1.0)
    values = 30 * images(4, (channels, 7, 7))  # large enough for the norm to matter
    weights = torch.randn(values.shape, generator=torch.Generator().manual_seed(2))
    outputs, gradients = [], []
    for norm in (ours, theirs):
        inputs = values.clone().requires_grad_()
        output = norm(inputs)
        torch.autograd.backward((output * weights).sum())
        assert inputs.grad is not None
        outputs.append(output.detach())
        gradients.append(inputs.grad)
    assert (outputs[0] - values).abs().max() > 1
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-5, atol=1e-6)


def test_alexnets_norms_have_the_tutorials_parameters() -> None:
    values = 30 * images(2, (64, 7, 7))
    norms = [layer for layer in paper_network("alexnet").modules() if isinstance(layer, ResponseNorm)]
    assert len(norms) == 2
    for norm in norms:
        torch.testing.assert_close(norm(values), nn.LocalResponseNorm(9, 0.001, 0.75, 1.0)(values))


def test_response_norm_is_no_weight_and_not_saved() -> None:
    norm = ResponseNorm(8, radius=4, alpha=1.0)
    assert list(norm.parameters()) == []
    assert dict(norm.state_dict()) == {}


# --- initial weights ---


class Layers(nn.Sequential):
    """Two convolutions and three linear layers, large enough to measure a deviation."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(16, 128, 5), nn.Conv2d(128, 128, 3), nn.Linear(512, 384), nn.Linear(384, 512), nn.Linear(512, 200)
        )


def initialised(scheme: str) -> list[Any]:
    torch.manual_seed(3)
    network = Layers()
    initialise(network, scheme)
    return list(network)


FAN = [(16 * 25, 128 * 25), (128 * 9, 128 * 9), (512, 384), (384, 512), (512, 200)]


def test_he_is_normal_with_variance_two_by_fan_in() -> None:
    for layer, (fan_in, _) in zip(initialised("he"), FAN, strict=True):
        std = math.sqrt(2 / fan_in)
        assert layer.weight.std().item() == pytest.approx(std, rel=0.02)
        beyond = (layer.weight.abs() > 2 * std).float().mean().item()
        assert beyond == pytest.approx(0.0455, abs=0.004), "a normal's share beyond two deviations"
        assert not layer.bias.any()


def test_glorot_is_uniform_with_variance_two_by_both_fans() -> None:
    for layer, (fan_in, fan_out) in zip(initialised("glorot"), FAN, strict=True):
        std = math.sqrt(2 / (fan_in + fan_out))
        assert layer.weight.std().item() == pytest.approx(std, rel=0.02)
        assert layer.weight.abs().max().item() == pytest.approx(math.sqrt(3) * std, rel=1e-3)
        assert not layer.bias.any()


def test_truncated_normal_is_that_of_the_tensorflow_tutorial() -> None:
    """Parameters std 0.05 (convolutions), 0.04, 1/192 (last); cut at two, which leaves 0.87963 of the deviation."""
    expected = [(0.05, 0.0), (0.05, 0.1), (0.04, 0.1), (0.04, 0.1), (1 / 192, 0.0)]
    for layer, (std, bias) in zip(initialised("truncated-normal"), expected, strict=True):
        assert layer.weight.abs().max().item() <= 2 * std * (1 + 1e-6)
        assert layer.weight.abs().max().item() > 1.98 * std
        assert layer.weight.std().item() == pytest.approx(0.87963 * std, rel=0.02)
        assert torch.equal(layer.bias, torch.full_like(layer.bias, bias))


def test_truncated_normal_gives_a_first_linear_layer_a_positive_bias() -> None:
    first, last = (m for m in paper_network("mlp-1x512").modules() if isinstance(m, nn.Linear))
    assert torch.equal(first.bias, torch.full((512,), 0.1))
    assert torch.equal(last.bias, torch.zeros(10))


def test_torch_changes_nothing() -> None:
    torch.manual_seed(3)
    untouched: list[Any] = list(Layers())
    for layer, own in zip(initialised("torch"), untouched, strict=True):
        assert torch.equal(layer.weight, own.weight)
        assert torch.equal(layer.bias, own.bias)


def test_unknown_scheme_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'xavier', must be one of \('glorot', 'he', 'truncated-normal', 'torch'\)"):
        initialise(Layers(), "xavier")
    assert len(SCHEMES) == 4
