"""A network's file: weights in few bits, everything else in float32, and nothing that its architecture says already.

The arrays, in safetensors' format:

    weights    codes of all layers, packed; or float32 values
    places     one bit a weight, compressed: whether it is there. Without it all are; with it, `weights` holds no zeros
    scales     float32, one for each row of codes that are not all zero; none beside float32 values
    others     float32: biases, means and variances, in the order of their names

Of the two forms, with and without places, a file has the smaller one.
"""

import zlib
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load, save
from torch import Tensor, nn

from rethinking.studies.quantisation.packing import pack, unpack
from rethinking.studies.quantisation.quantiser import layers, quantise, rows
from rethinking.studies.quantisation.vocabulary import FLOAT_BITS

Values = NDArray[np.float32] | NDArray[np.int8]


def file_of(network: nn.Module, bits: int, granularity: str) -> bytes:
    """Return the file of a network whose weights are rounded to `bits` bits; FLOAT_BITS for weights as they are."""
    weights = [layer.weight.detach().cpu() for layer in layers(network).values()]
    arrays = {"others": _joined(tensor.detach().cpu() for tensor in _others(network))}
    values: Values
    if bits == FLOAT_BITS:
        values = _joined(weights)
    else:
        quantised = [quantise(weight, bits, granularity) for weight in weights]
        values = _joined(each.codes for each in quantised).astype(np.int8)
        arrays["scales"] = _joined(each.scales[each.codes.any(dim=1)] for each in quantised)
    there = values != 0
    places = np.frombuffer(zlib.compress(np.packbits(there).tobytes(), level=9), np.uint8)
    forms = (
        arrays | {"weights": _stored(values, bits)},
        arrays | {"weights": _stored(values[there], bits), "places": places},
    )
    return min((save(form) for form in forms), key=len)


@torch.no_grad()
def restore(network: nn.Module, data: bytes, bits: int, granularity: str) -> float:
    """Give a network the weights that its file holds; return the fraction of them that are zero."""
    arrays, weights = load(data), [layer.weight for layer in layers(network).values()]
    values = _values(arrays, sum(weight.numel() for weight in weights), bits)
    scales = torch.from_numpy(arrays.get("scales", np.empty(0, np.float32)))
    for weight, part in zip(weights, _parts(values, weights), strict=True):
        if bits != FLOAT_BITS:
            codes = part.view(rows(weight, granularity), -1)
            used = codes.any(dim=1)
            own, scales = scales.tensor_split([int(used.sum())])
            part = codes * torch.zeros(len(codes)).masked_scatter(used, own)[:, None]
        weight.copy_(part.reshape(weight.shape))
    others = _others(network)
    for tensor, part in zip(others, _parts(arrays["others"], others), strict=True):
        tensor.copy_(part.view(tensor.shape))
    return float((values == 0).mean())


def _others(network: nn.Module) -> list[Tensor]:
    """Return what an evaluation needs beside the layers' weights: not how many batches were seen."""
    weights = {id(layer.weight) for layer in layers(network).values()}
    state = sorted(network.state_dict(keep_vars=True).items())
    return [tensor for _, tensor in state if tensor.is_floating_point() and id(tensor) not in weights]


def _joined(tensors: Iterable[Tensor]) -> NDArray[np.float32]:
    joined: NDArray[np.float32] = torch.cat([tensor.flatten() for tensor in tensors]).float().numpy()
    return joined


def _parts(values: Values, tensors: list[Tensor]) -> Sequence[Tensor]:
    return torch.split(torch.from_numpy(values), [tensor.numel() for tensor in tensors])


def _stored(values: Values, bits: int) -> NDArray[np.float32] | NDArray[np.uint8]:
    return values.astype(np.float32) if bits == FLOAT_BITS else pack(values.astype(np.int8), bits)


def _values(arrays: dict[str, NDArray[np.uint8]], count: int, bits: int) -> Values:
    """Return the values or codes of all `count` weights."""
    there = np.ones(count, bool)
    if "places" in arrays:
        flags = np.frombuffer(zlib.decompress(arrays["places"].tobytes()), np.uint8)
        there = np.unpackbits(flags, count=count).astype(bool)
    packed = arrays["weights"]
    stored: Values = packed.view(np.float32) if bits == FLOAT_BITS else unpack(packed, int(there.sum()), bits)
    values: Values = np.zeros(count, stored.dtype)
    values[there] = stored
    return values
