"""Networks whose weights and activations are int8: through PT2E of torchao to oneDNN's integer kernels.

Exporting gives the network as a graph; observers note the range of each activation on calibration images; conversion
puts quantisations and dequantisations into the graph, which is then still computed in float32. Lowering fuses these
with the products between them into calls of oneDNN's int8 kernels. No compiler is needed, as nothing is generated.

torchao's own `lower_pt2e_quantized_to_x86` fixes the size of the batch, and fails on views of what int8 convolutions
return, which lies channels last; hence the steps one by one.
"""

import logging
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.fx import GraphModule

from rethinking.studies.quantisation.streamlining import streamline

# torchao 0.18 registers a class in a way that torch 2.15 calls deprecated; there is nothing that we could do about it.
logging.getLogger("torch.utils._pytree").setLevel(logging.ERROR)

INT8_CALLS = ("onednn.qconv", "onednn.qlinear")
FLOAT_CALLS = ("aten.conv", "aten.linear", "aten.addmm", "aten.mm", "aten.matmul", "mkldnn.")
"""How the names of functions begin that compute products in int8, and in float32."""


def why_unavailable() -> str | None:
    """Return why this machine has no int8 kernels to lower to; None if it has."""
    capabilities = torch.cpu.get_capabilities()
    if capabilities.get("architecture") != "x86_64":
        return f"needs an x86-64 processor, this one is {capabilities.get('architecture')}"
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return "needs oneDNN, which this build of PyTorch lacks"
    if not (capabilities.get("avx512_vnni") or capabilities.get("avx_vnni")):
        return "needs a processor with integer dot products (VNNI)"
    return None


class Int8Network(nn.Module):
    """A network that calls int8 kernels, for evaluation alone. It takes batches of any size, on the CPU."""

    def __init__(self, graph: GraphModule) -> None:
        super().__init__()
        # Not as a submodule: exported graphs refuse to be put into evaluation mode, which is the only one they have.
        self._graph = (graph,)

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs (n, classes), float32, for images (n, c, h, w), float32."""
        outputs: Tensor = self._graph[0](images)
        return outputs

    def _calls(self, beginnings: tuple[str, ...]) -> int:
        return sum(str(node.target).startswith(beginnings) for node in self._graph[0].graph.nodes)

    @property
    def int8_calls(self) -> int:
        """How many convolutions and linear layers are computed by int8 kernels."""
        return self._calls(INT8_CALLS)

    @property
    def float_calls(self) -> int:
        """How many are still computed in float32."""
        return self._calls(FLOAT_CALLS)


@torch.no_grad()
def int8_network(network: nn.Module, calibration: Sequence[Tensor]) -> Int8Network:
    """Return a network, on the CPU, with int8 weights and activations, whose ranges are those on batches of images.

    `network` stays as it is. The first batch must hold two images at least.
    """
    example = calibration[0][:2]
    return Int8Network(streamline(_lowered(_converted(network, calibration), example)))


def _converted(network: nn.Module, calibration: Sequence[Tensor]) -> GraphModule:
    """Return a graph with a quantisation and a dequantisation around every product, computed in float32."""
    from torch.export import export
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import (
        X86InductorQuantizer,
        get_default_x86_inductor_quantization_config,
    )

    exported = export(network.eval(), (calibration[0],), dynamic_shapes=_any_batch()).module()
    quantizer = X86InductorQuantizer().set_global(get_default_x86_inductor_quantization_config())
    observed = prepare_pt2e(exported, quantizer)
    for images in calibration:
        observed(images)
    converted: GraphModule = convert_pt2e(observed)
    return converted


def _lowered(converted: GraphModule, example: Tensor) -> GraphModule:
    """Return a graph that calls int8 kernels."""
    from torch._export.utils import _is_cia_op
    from torch._inductor.constant_folding import constant_fold
    from torch._inductor.fx_passes.freezing_patterns import freezing_passes
    from torch.export import default_decompositions, export

    aten = torch.ops.aten
    decompositions = default_decompositions().items()  # type: ignore[no-untyped-call]
    composite = {op: how for op, how in decompositions if _is_cia_op(op)}
    exported = export(converted, (example,), dynamic_shapes=_any_batch(), strict=True)
    lowered: GraphModule = exported.run_decompositions(composite).module()
    for node in lowered.graph.nodes:
        if node.target == aten.t.default:  # the patterns that are looked for have permutations
            node.target, node.args = aten.permute.default, (node.args[0], [1, 0])
    lowered.recompile()
    freezing_passes(lowered, (example,))
    constant_fold(lowered)
    for node in lowered.graph.nodes:
        if node.target == aten.view.default:
            node.target = aten.reshape.default
    lowered.graph.lint()
    lowered.recompile()
    return lowered


def _any_batch() -> tuple[dict[int, object]]:
    from torch.export import Dim

    return ({0: Dim("batch", min=2)},)
