"""Independent random streams from one seed."""

import hashlib


def derived_seed(seed: int, purpose: str, *numbers: int) -> int:
    """Return a seed, 63 bits, for one purpose of a run, as ("augmentation", epoch, image): none shares a stream."""
    name = "/".join([str(seed), purpose, *map(str, numbers)])
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 1
