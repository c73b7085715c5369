"""Whole numbers of few bits in as few bytes as they fill, and back."""

import numpy as np
from numpy.typing import NDArray


def pack(codes: NDArray[np.int8], bits: int) -> NDArray[np.uint8]:
    """Return (n,) codes in ceil(n * bits / 8) bytes, the lowest bit of the first code first.

    Raises ValueError if a code does not lie in [-2^(bits - 1), 2^(bits - 1)).
    """
    half = 2 ** (bits - 1)
    if codes.size and not -half <= codes.min() <= codes.max() < half:
        raise ValueError(f"codes from {codes.min()} to {codes.max()} do not fit into {bits} bits")
    shifted = (codes.astype(np.int16) + half).astype(np.uint8)
    flags = np.unpackbits(shifted[:, None], axis=1, count=bits, bitorder="little")
    return np.packbits(flags, bitorder="little")


def unpack(packed: NDArray[np.uint8], count: int, bits: int) -> NDArray[np.int8]:
    """Return the (count,) codes that `pack` has packed."""
    flags = np.unpackbits(packed, count=count * bits, bitorder="little").reshape(count, bits)
    shifted = np.packbits(flags, axis=1, bitorder="little")[:, 0]
    codes: NDArray[np.int8] = (shifted.astype(np.int16) - 2 ** (bits - 1)).astype(np.int8)
    return codes
