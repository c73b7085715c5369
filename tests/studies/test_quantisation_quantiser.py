"""Rounding weights: how far they move, which values are left, and how gradients pass."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from rethinking.models import alexnet, inception
from rethinking.studies.quantisation.quantiser import (
    Rounded,
    layers,
    limit,
    make_permanent,
    quantise,
    train_rounded,
)
from rethinking.studies.quantisation.vocabulary import PER_CHANNEL, PER_TENSOR

BITS = range(2, 9)
GRANULARITIES = (PER_TENSOR, PER_CHANNEL)


@st.composite
def weights(draw: st.DrawFn) -> Tensor:
    """Weights of a layer, of any magnitude, some channels much larger than others, some all zero."""
    shape = draw(st.sampled_from([(4, 7), (1, 1), (6, 3, 1, 1), (5, 2, 3, 3)]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    sizes = torch.tensor(draw(st.lists(st.sampled_from([0.0, 1e-6, 0.1, 30.0]), min_size=shape[0], max_size=shape[0])))
    return torch.randn(shape, generator=generator) * sizes.view(-1, *[1] * (len(shape) - 1))


@given(weights(), st.sampled_from(BITS), st.sampled_from(GRANULARITIES))
def test_no_weight_moves_by_more_than_half_a_scale(weight: Tensor, bits: int, granularity: str) -> None:
    found = quantise(weight, bits, granularity)
    moved = (found.weight() - weight.reshape(len(found.codes), -1)).abs() / found.scales
    assert moved.max() <= 0.5 + limit(bits) * 2**-23  # the second part is float32's own rounding
    assert found.codes.dtype == torch.int8
    assert found.codes.abs().max() <= limit(bits)


@given(weights(), st.sampled_from(BITS), st.sampled_from(GRANULARITIES))
def test_rounding_again_changes_no_code(weight: Tensor, bits: int, granularity: str) -> None:
    found = quantise(weight, bits, granularity)
    again = quantise(found.weight().view(weight.shape), bits, granularity)
    assert torch.equal(again.codes, found.codes)
    torch.testing.assert_close(again.weight(), found.weight(), rtol=1e-6, atol=0)


@given(weights(), st.sampled_from(BITS))
def test_a_channels_own_scale_is_never_coarser_than_the_layers(weight: Tensor, bits: int) -> None:
    own, shared = (quantise(weight, bits, granularity) for granularity in (PER_CHANNEL, PER_TENSOR))
    assert len(own.scales) == len(weight)
    assert shared.scales.shape == (1, 1)
    assert (own.scales <= shared.scales).all()


@pytest.mark.parametrize("bits", BITS)
def test_so_many_bits_are_so_many_values_around_zero(bits: int) -> None:
    weight = torch.linspace(-1, 1, 2001)[None]
    codes = sorted(set(quantise(weight, bits, PER_TENSOR).codes.flatten().tolist()))
    assert codes == list(range(-limit(bits), limit(bits) + 1))
    assert len(codes) == 2**bits - 1


def test_errors_shrink_with_bits_and_with_scales_of_their_own() -> None:
    weight = torch.randn(64, 100, generator=torch.Generator().manual_seed(0))
    errors = {
        granularity: [
            float((quantise(weight, bits, granularity).weight().view(weight.shape) - weight).square().mean())
            for bits in BITS
        ]
        for granularity in GRANULARITIES
    }
    assert all(sorted(found, reverse=True) == found for found in errors.values())
    assert all(own < shared for own, shared in zip(errors[PER_CHANNEL], errors[PER_TENSOR], strict=True))


def test_what_is_no_number_has_no_code() -> None:
    assert quantise(torch.full((2, 2), torch.nan), 4, PER_CHANNEL).codes.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("bits", [1, 9])
def test_one_bit_and_nine_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match=f"found {bits} bits, must be 2 to 8"):
        quantise(torch.ones(1, 1), bits, PER_TENSOR)


def test_an_unknown_granularity_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no granularity 'per pixel'"):
        quantise(torch.ones(1, 1), 4, "per pixel")


# --- training while rounded ---


def test_gradients_pass_as_if_nothing_had_been_rounded() -> None:
    weight = torch.randn(5, 8, requires_grad=True)
    factor = torch.randn(5, 8)
    (Rounded(2, PER_CHANNEL)(weight) * factor).sum().backward()
    assert weight.grad is not None
    assert torch.equal(weight.grad, factor)


def small_inception() -> nn.Sequential:
    torch.manual_seed(0)
    return inception.build((1, 7, 7), 10, width=0.05, batch_norm=True, initialisation="he")


def test_every_layer_computes_with_rounded_weights_and_trains_its_own() -> None:
    network, images = small_inception(), torch.randn(8, 1, 7, 7)
    before = {name: layer.weight.detach().clone() for name, layer in layers(network).items()}
    train_rounded(network, 2, PER_CHANNEL)
    for name, layer in layers(network).items():
        assert torch.equal(layer.weight, quantise(before[name], 2, PER_CHANNEL).weight().view(before[name].shape))
    functional.cross_entropy(network(images), torch.arange(8)).backward()  # type: ignore[no-untyped-call]
    trained = dict(network.named_parameters())
    names = [name for name in trained if name.endswith("parametrizations.weight.original")]
    assert len(names) == len(before)
    assert all(trained[name].grad is not None for name in names)


def test_rounded_weights_stay_when_they_become_ordinary_ones() -> None:
    network, images = small_inception(), torch.randn(8, 1, 7, 7)
    plain = copy.deepcopy(network)
    train_rounded(network, 3, PER_CHANNEL)
    network(images)  # measures the statistics of batch normalisation
    network.eval()
    found = network(images)
    make_permanent(network)
    assert torch.equal(network(images), found)
    plain.load_state_dict(network.state_dict())
    assert torch.equal(plain.eval()(images), found)


def test_state_dicts_and_checkpoints_hold_what_is_trained() -> None:
    network, other = (alexnet.build((1, 7, 7), 10, width=0.1, initialisation="he") for _ in range(2))
    train_rounded(network, 4, PER_CHANNEL)
    train_rounded(other, 4, PER_CHANNEL)
    other.load_state_dict(network.state_dict())
    images = torch.randn(3, 1, 7, 7)
    assert torch.equal(network(images), other(images))
