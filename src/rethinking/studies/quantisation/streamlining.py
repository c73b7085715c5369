"""Making cheap what stands between int8 kernels in a lowered graph; what it computes stays the same bit for bit.

As it is lowered, a graph dequantises and quantises again, in many passes over memory, around whatever has no int8
kernel of its own. At the paper's size this takes several times as long as the kernels: int8 would gain nothing.
"""

from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node
from torch.nn import functional

Scheme = tuple[Any, ...]
"""Scale, zero point, smallest and largest code and type of a quantisation."""


def streamline(lowered: GraphModule) -> GraphModule:
    """Change a lowered graph in place, and return it.

    Concatenations and max poolings between equal schemes, with which they commute, work on the codes; a value that is
    dequantised several times is dequantised once; and what is left takes fewer passes over memory.
    """
    graph = lowered.graph
    for node in list(graph.nodes):
        if _is_quantisation(node):
            _keep_codes(node)
    graph.eliminate_dead_code()
    _dequantise_once(lowered)
    for node in list(graph.nodes):
        if _is_quantisation(node):
            node.target = _codes
        elif _is_dequantisation(node):
            node.target, node.kwargs = _values, {}
        elif node.target == torch.ops.aten._assert_tensor_metadata.default:
            graph.erase_node(node)
    graph.lint()
    lowered.recompile()
    return lowered


def _is_quantisation(node: Node) -> bool:
    return bool(node.target == torch.ops.quantized_decomposed.quantize_per_tensor.default)


def _is_dequantisation(node: Node) -> bool:
    """Whether a node dequantises activations: their codes are unsigned, those of weights are not."""
    target = torch.ops.quantized_decomposed.dequantize_per_tensor.default
    return bool(node.target == target and node.args[5] == torch.uint8)


def _scheme(node: Node) -> Scheme:
    return tuple(node.args[1:6])


def _keep_codes(quantisation: Node) -> None:
    """Replace dequantisation, concatenation or max pooling, and quantisation by an operation on codes, if it can be."""
    aten, inner = torch.ops.aten, quantisation.args[0]
    assert isinstance(inner, Node)
    if getattr(inner.target, "__name__", "") == "getitem" and inner.args[1] == 0:
        (inner,) = inner.all_input_nodes  # max pooling returns places, too
    pooling = inner.target == aten.max_pool2d_with_indices.default
    if not (pooling or inner.target == aten.cat.default):
        return
    inputs = inner.all_input_nodes
    if not all(_is_dequantisation(node) and _scheme(node) == _scheme(quantisation) for node in inputs):
        return
    codes = [node.args[0] for node in inputs]
    with quantisation.graph.inserting_before(quantisation):
        found = quantisation.graph.call_function(
            _pooled if pooling else torch.cat, (codes[0] if pooling else codes, *inner.args[1:])
        )
    quantisation.replace_all_uses_with(found)
    quantisation.graph.erase_node(quantisation)


def _dequantise_once(lowered: GraphModule) -> None:
    seen: dict[Scheme, Node] = {}
    for node in list(lowered.graph.nodes):
        if _is_dequantisation(node):
            first = seen.setdefault(node.args, node)
            if first is not node:
                node.replace_all_uses_with(first)
                lowered.graph.erase_node(node)


def _codes(values: Tensor, scale: float, zero: int, low: int, high: int, dtype: torch.dtype) -> Tensor:
    """Return what `quantized_decomposed.quantize_per_tensor` does; in place after the first pass."""
    return (values * (1.0 / scale)).round_().add_(zero).clamp_(low, high).to(dtype)


def _values(codes: Tensor, scale: float, zero: int, *_: Any) -> Tensor:
    """Return what `quantized_decomposed.dequantize_per_tensor` does; in place after the first pass."""
    return codes.to(torch.float32).sub_(zero).mul_(scale)


def _pooled(codes: Tensor, *window: Any) -> Tensor:
    """Return the maxima of codes; through float32, as torch's own fails on bytes that lie channels last."""
    pooled: Tensor = functional.max_pool2d(codes.float(), *window)
    return pooled.to(codes.dtype)
