"""A network's file: weights in few bits, everything else in float32, and nothing that its architecture says already.

The arrays, in safetensors' format:

    weights    codes of all layers, packed; or float32 values
    places     one bit a weight: whether it is there. Without it all are; with it, `weights` holds no zeros
    scales     float32, those of the first layer first; none beside float32 values
    others     biases, means and variances, float32

Of the two forms, with and without places, a file has the smaller one.
"""

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
    weights = [layer.weight.detach().cpu().float() for layer in layers(network).values()]
    arrays = {"others": _joined([tensor.detach().cpu() for tensor in _others(network)])}
    if bits == FLOAT_BITS:
        values: Values = _joined(weights)
    else:
        quantised = [quantise(weight, bits, granularity) for weight in weights]
        values = np.concatenate([each.codes.flatten().numpy() for each in quantised])
        arrays["scales"] = _joined([each.scales for each in quantised])
    there = values != 0
    forms = (
        arrays | {"weights": _stored(values, bits)},
        arrays | {"weights": _stored(values[there], bits), "places": np.packbits(there)},
    )
    return min((save(form) for form in forms), key=len)


@torch.no_grad()
def restore(network: nn.Module, data: bytes, bits: int, granularity: str) -> float:
    """Give a network the weights of its file; return the fraction of them that are zero."""
    arrays, weights = load(data), [layer.weight for layer in layers(network).values()]
    count = sum(weight.numel() for weight in weights)
    there = np.unpackbits(arrays["places"], count=count).astype(bool) if "places" in arrays else np.ones(count, bool)
    stored = arrays["weights"] if bits == FLOAT_BITS else unpack(arrays["weights"], int(there.sum()), bits)
    values = np.zeros(count, stored.dtype)
    values[there] = stored
    scales = torch.from_numpy(arrays["scales"]) if bits != FLOAT_BITS else torch.ones(0)
    parts = torch.from_numpy(values).split([weight.numel() for weight in weights])
    for weight, part in zip(weights, parts, strict=True):
        if bits == FLOAT_BITS:
            weight.copy_(part.view(weight.shape))
        else:
            own, scales = scales.tensor_split([rows(weight, granularity)])
            weight.copy_((part.view(len(own), -1) * own[:, None]).view(weight.shape))
    others = _others(network)
    for tensor, part in zip(
        others, torch.from_numpy(arrays["others"]).split([each.numel() for each in others]), strict=True
    ):
        tensor.copy_(part.view(tensor.shape))
    return float((values == 0).mean())


def _others(network: nn.Module) -> list[Tensor]:
    """Return what an evaluation needs beside the layers' weights: not how many batches were seen."""
    weights = {id(layer.weight) for layer in layers(network).values()}
    state = network.state_dict(keep_vars=True).values()
    return [tensor for tensor in state if tensor.is_floating_point() and id(tensor) not in weights]


def _joined(tensors: list[Tensor]) -> NDArray[np.float32]:
    joined: NDArray[np.float32] = torch.cat([tensor.float().flatten() for tensor in tensors]).numpy()
    return joined


def _stored(values: Values, bits: int) -> NDArray[np.float32] | NDArray[np.uint8]:
    return pack(values.astype(np.int8), bits) if bits != FLOAT_BITS else values.astype(np.float32)
