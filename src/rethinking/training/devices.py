"""How a run is executed: device, precision, threads, processes. None of it is part of what the run is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rethinking.errors import UserError
from rethinking.hardware import cpu_facts, cpu_name
from rethinking.training.distributed import ALONE, Processes, joined
from rethinking.training.launch import launch


@dataclass(frozen=True)
class Execution:
    """Where and in which precision a network is trained."""

    device: torch.device
    dtype: torch.dtype
    """What matrix products and convolutions of training steps compute in; weights stay float32."""
    processes: Processes = ALONE
    """Those that train together, each on its own device of this type."""
    cuda_graphs: bool = True
    """Whether NVIDIA's GPUs may record the training step and repeat it by themselves."""

    @property
    def records(self) -> bool:
        """Whether training steps are recorded; not with several processes: their messages are in no recording."""
        return self.cuda_graphs and self.device.type == "cuda" and self.processes.size == 1

    @property
    def autocast(self) -> torch.autocast:
        """The context of a training step's forward pass."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)

    def generator(self, seed: int) -> torch.Generator:
        """Return a generator of its own on the device."""
        return torch.Generator(self.device).manual_seed(seed)

    def seed(self, seed: int) -> None:
        """Seed torch's global generators: the CPU's and the device's.

        `torch.manual_seed` takes a thousand times as long where there is no GPU: it notes where it was called from, for
        the GPU that may come.
        """
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        if self.device.type == "mps":
            torch.mps.manual_seed(seed)

    def random_state(self) -> dict[str, Tensor]:
        """Return the states, on the CPU, of torch's global generators: the CPU's and the device's."""
        states = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.device)
        if self.device.type == "mps":
            states["mps"] = torch.mps.get_rng_state()
        return states

    def set_random_state(self, states: dict[str, Tensor]) -> None:
        """Bring torch's global generators to states taken on a device of this type."""
        torch.set_rng_state(states["cpu"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(states["cuda"], self.device)
        if self.device.type == "mps":
            torch.mps.set_rng_state(states["mps"])

    def describe(self) -> dict[str, str | int]:
        """Return what a run's record says of its execution."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else cpu_name()
        return {
            "device": self.device.type,
            "device_name": name,
            "precision": str(self.dtype).removeprefix("torch."),
            "threads": torch.get_num_threads(),
            "processes": self.processes.size,
        }


def choose(device: str, precision: str, threads: int, cuda_graphs: bool = True) -> Execution:
    """Resolve "auto": CUDA, else Apple's MPS, else the CPU; bfloat16 where the hardware computes in it natively.

    Under torchrun, each process takes the GPU of its number. Raises UserError if the device asked for is not there.
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
    return Execution(_of_this_process(device), getattr(torch, precision), cuda_graphs=cuda_graphs)


@contextmanager
def launched(device: str, precision: str, threads: int, cuda_graphs: bool = True) -> Iterator[Execution]:
    """Yield what `choose` chooses, joined with the other processes that torchrun has started, if it has.

    Raises UserError as `choose` does, and for a device that several processes cannot use together.
    """
    chosen = choose(device, precision, threads, cuda_graphs)
    with joined(chosen.device) as processes:
        yield replace(chosen, processes=processes)


def _of_this_process(device: str) -> torch.device:
    place = launch()
    if device != "cuda" or place.size == 1:
        return torch.device(device)
    if place.local_rank >= torch.cuda.device_count():
        raise UserError(
            f"there are {torch.cuda.device_count()} GPUs here and process {place.local_rank} of torchrun has none; "
            "start as many processes as there are GPUs, with --nproc-per-node gpu"
        )
    return torch.device("cuda", place.local_rank)


def _native_bfloat16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and not {"avx512_bf16", "amx_bf16"}.isdisjoint(cpu_facts().get("flags", "").split())
