"""How a run is executed: device, precision, threads. None of it is part of what the run is."""

from dataclasses import dataclass

import torch

from rethinking.errors import UserError
from rethinking.hardware import cpu_facts, cpu_name


@dataclass(frozen=True)
class Execution:
    """Where and in which precision a network is trained. Evaluation is always float32."""

    device: torch.device
    dtype: torch.dtype
    """What matrix products and convolutions of training steps compute in; weights stay float32."""

    @property
    def autocast(self) -> torch.autocast:
        """The context of a training step's forward pass."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)

    def generator(self, seed: int) -> torch.Generator:
        """Return a generator of its own on the device."""
        return torch.Generator(self.device).manual_seed(seed)

    def describe(self) -> dict[str, str | int]:
        """Return what a run's record says of its execution."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else cpu_name()
        return {
            "device": self.device.type,
            "device_name": name,
            "precision": str(self.dtype).removeprefix("torch."),
            "threads": torch.get_num_threads(),
        }


def choose(device: str, precision: str, threads: int) -> Execution:
    """Resolve "auto": CUDA, else Apple's MPS, else the CPU; bfloat16 where the hardware computes in it natively.

    Raises UserError if the device asked for is not there.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        device = next(name for name, there in present.items() if there)
    if not present[device]:
        raise UserError(
            f"execution.device: '{device}' was asked for and torch finds none here; "
            f"use auto or {' or '.join(name for name, there in present.items() if there)}"
        )
    # OpenMP's threads spin while they wait: two jobs of two threads on two cores ran five times slower than of one.
    torch.set_num_threads(threads)
    if precision == "auto":
        precision = "bfloat16" if _native_bfloat16(device) else "float32"
    return Execution(torch.device(device), getattr(torch, precision))


def _native_bfloat16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and not {"avx512_bf16", "amx_bf16"}.isdisjoint(cpu_facts().get("flags", "").split())
