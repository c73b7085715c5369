"""int8 weights and activations: the kernels of the CPU are called, and what they compute is near float32."""

import copy
import re

import pytest
import torch
from torch import Tensor, nn
from torch.fx import GraphModule

from rethinking.models import alexnet, mlp
from rethinking.models.inception import Downsample, Inception, convolution
from rethinking.studies.quantisation import lowering
from rethinking.studies.quantisation.lowering import int8_network, why_unavailable
from rethinking.studies.quantisation.quantiser import layers, quantise
from rethinking.studies.quantisation.streamlining import streamline
from rethinking.studies.quantisation.vocabulary import PER_CHANNEL, PER_TENSOR

needs_kernels = pytest.mark.skipif(why_unavailable() is not None, reason=f"int8 on this machine: {why_unavailable()}")

CASES = ("mlp", "alexnet", "inception")


def network_of(kind: str) -> nn.Module:
    torch.manual_seed(0)
    if kind == "mlp":
        return mlp.build((1, 7, 7), 10, depth=1, width=32, initialisation="he").eval()
    if kind == "alexnet":
        return alexnet.build((1, 7, 7), 10, width=0.2, initialisation="he").eval()
    found = nn.Sequential(  # one of each part of Inception: all of it takes seconds
        convolution(1, 8, 3, 1, batch_norm=True),
        Inception(8, 4, 4, batch_norm=True),
        Downsample(8, 8, batch_norm=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 10),
    )
    with torch.no_grad():
        found(torch.randn(64, 1, 7, 7))
    return found.eval()


@needs_kernels
@pytest.mark.parametrize("kind", CASES)
def test_every_layer_is_an_int8_kernel_and_outputs_stay_near(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, calibration = network_of(kind), [torch.randn(64, 1, 7, 7), torch.randn(17, 1, 7, 7)]
    before = copy.deepcopy(network.state_dict())
    batches = [torch.cat(calibration)[:size] for size in (1, 2, 81)]  # of any size, whatever the others had
    as_lowered: list[Tensor] = []

    def compute_first(graph: GraphModule) -> GraphModule:
        as_lowered.extend(graph(images) for images in batches)
        return streamline(graph)

    monkeypatch.setattr(lowering, "streamline", compute_first)
    found = int8_network(network, calibration)
    assert found.int8_calls == len(layers(network))
    assert found.float_calls == (2 if kind == "alexnet" else 0)  # response normalisation
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    with torch.no_grad():
        for images, plain in zip(batches, as_lowered, strict=True):
            expected, outputs = network(images), found(images)
            assert outputs.shape == expected.shape
            assert 0 < (outputs - expected).norm() < 0.1 * expected.norm()
            assert torch.equal(outputs, plain), "streamlining changes nothing"


@needs_kernels
def test_the_kernels_are_those_that_run() -> None:
    from torch.profiler import ProfilerActivity, profile

    network, images = network_of("mlp"), torch.randn(8, 1, 7, 7)
    found = int8_network(network, [images])
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU]) as profiled:
        found(images)
    counts = {event.key: event.count for event in profiled.key_averages()}
    assert sum(count for key, count in counts.items() if key.startswith("onednn::qlinear")) == 2


@pytest.mark.parametrize(
    ("capabilities", "reason"),
    [
        ({"architecture": "aarch64"}, "needs an x86-64 processor, this one is aarch64"),
        ({"architecture": "x86_64", "avx2": True}, r"needs a processor with integer dot products \(VNNI\)"),
    ],
)
def test_a_machine_without_such_kernels_is_told_of(
    capabilities: dict[str, object], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    found = why_unavailable()
    assert found is not None
    assert re.fullmatch(reason, found)


@pytest.mark.parametrize("granularity", [PER_TENSOR, PER_CHANNEL])
@pytest.mark.parametrize("bits", [8, 4, 2])
def test_codes_are_those_of_torchao(bits: int, granularity: str) -> None:
    from torchao.quantization.quant_primitives import MappingType, choose_qparams_affine, quantize_affine

    weight, top = torch.randn(6, 3, 5, 5), 2 ** (bits - 1) - 1
    block = (1, *weight.shape[1:]) if granularity == PER_CHANNEL else tuple(weight.shape)
    scale, zero = choose_qparams_affine(
        weight, MappingType.SYMMETRIC, block, torch.int8, -top, top, scale_dtype=torch.float32, keepdim=True
    )
    expected = quantize_affine(weight, block, scale, zero, torch.int8, -top, top)
    found = quantise(weight, bits, granularity)
    torch.testing.assert_close(found.scales.flatten(), scale.flatten(), rtol=3e-7, atol=0)
    assert (found.codes.view(weight.shape) == expected).float().mean() > 0.999  # ties may fall to either side
