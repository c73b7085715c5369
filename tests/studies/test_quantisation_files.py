"""Files of quantised networks: what is written is read back to the last bit, and is as small as it is said to be."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn

from rethinking.models import inception, mlp
from rethinking.studies.quantisation.files import file_of, restore
from rethinking.studies.quantisation.packing import pack, unpack
from rethinking.studies.quantisation.quantiser import layers, quantise
from rethinking.studies.quantisation.vocabulary import FLOAT_BITS, PER_CHANNEL, PER_TENSOR


@st.composite
def codes(draw: st.DrawFn) -> tuple[NDArray[np.int8], int]:
    bits = draw(st.integers(2, 8))
    half = 2 ** (bits - 1)
    return np.array(draw(st.lists(st.integers(-half, half - 1), max_size=50)), np.int8), bits


@given(codes())
def test_packed_codes_come_back_and_fill_their_bits_alone(given_codes: tuple[NDArray[np.int8], int]) -> None:
    found, bits = given_codes
    packed = pack(found, bits)
    assert len(packed) == math.ceil(len(found) * bits / 8)
    assert np.array_equal(unpack(packed, len(found), bits), found)


@pytest.mark.parametrize("code", [-5, 4])
def test_codes_that_do_not_fit_are_refused(code: int) -> None:
    with pytest.raises(ValueError, match=r"do not fit into 3 bits"):
        pack(np.array([code], np.int8), 3)


def network_of(kind: str) -> nn.Sequential:
    torch.manual_seed(1)
    if kind == "mlp":
        return mlp.build((1, 7, 7), 10, depth=1, width=64, initialisation="torch").eval()
    found = inception.build((1, 7, 7), 10, width=0.1, batch_norm=True, initialisation="he")
    found(torch.randn(32, 1, 7, 7))  # other statistics than those at first
    return found.eval()


@pytest.mark.parametrize("granularity", [PER_TENSOR, PER_CHANNEL])
@pytest.mark.parametrize("bits", [FLOAT_BITS, 8, 5, 2])
@pytest.mark.parametrize("kind", ["mlp", "inception"])
def test_a_file_gives_back_the_rounded_weights_and_everything_else(kind: str, bits: int, granularity: str) -> None:
    network = network_of(kind)
    blank = copy.deepcopy(network)
    for tensor in blank.state_dict().values():
        tensor.fill_(1)
    restore(blank, file_of(network, bits, granularity), bits, granularity)
    state, found = network.state_dict(), blank.state_dict()
    for name, layer in layers(network).items():
        rounded = layer.weight
        if bits != FLOAT_BITS:
            rounded = quantise(layer.weight, bits, granularity).weight().view(layer.weight.shape)
        assert torch.equal(found.pop(f"{name}.weight"), rounded), name
    assert found.keys() >= {f"{name}.bias" for name in layers(network)}
    assert all(torch.equal(found[name], state[name]) for name in found if not name.endswith("num_batches_tracked"))


def test_bytes_are_those_of_codes_scales_and_the_rest() -> None:
    network = network_of("mlp")
    weights, channels = 64 * 49 + 10 * 64, 64 + 10
    header = 400  # at most: names, types and shapes of the arrays
    for bits in (8, 6, 4):
        expected = math.ceil(weights * bits / 8) + 4 * channels + 4 * channels  # scales and biases
        assert expected < len(file_of(network, bits, PER_CHANNEL)) < expected + header
    assert 0 < len(file_of(network, FLOAT_BITS, PER_CHANNEL)) - 4 * (weights + channels) < header


def prune(network: nn.Module, fraction: float) -> None:
    for layer in layers(network).values():
        flat = layer.weight.detach().abs().flatten()
        with torch.no_grad():
            layer.weight[layer.weight.abs() < flat.kthvalue(max(1, int(fraction * flat.numel()))).values] = 0


@pytest.mark.parametrize("bits", [FLOAT_BITS, 8, 3])
def test_zeros_are_not_stored_and_stay_zero(bits: int) -> None:
    network, blank = network_of("mlp"), network_of("mlp")
    dense = len(file_of(network, bits, PER_CHANNEL))
    prune(network, 0.95)
    data = file_of(network, bits, PER_CHANNEL)
    assert len(data) < 0.55 * dense
    assert restore(blank, data, bits, PER_CHANNEL) >= 0.94
    for name, layer in layers(network).items():
        assert not blank.get_submodule(name).weight[layer.weight == 0].any()  # type: ignore[index]


def test_rows_of_zeros_need_no_scale() -> None:
    network, blank = network_of("mlp"), network_of("mlp")
    with torch.no_grad():
        layers(network)["1"].weight[:50] = 0
    data = file_of(network, 8, PER_CHANNEL)
    restore(blank, data, 8, PER_CHANNEL)
    expected = quantise(layers(network)["1"].weight, 8, PER_CHANNEL).weight().view(64, 49)
    assert torch.equal(layers(blank)["1"].weight, expected)
    assert len(data) < len(file_of(network_of("mlp"), 8, PER_CHANNEL)) - 50 * (4 + 49) + 200
