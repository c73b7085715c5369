"""One training run in several processes, started by torchrun: each has a part of every batch.

All of them draw the same order of examples and the same augmentation, for whole batches, and hold the same weights:
gradients, sums and the statistics of batch normalisation are added up over the parts. What comes out is what a single
process gives, up to rounding; only dropout draws other masks, of its own in each process.

Gradients are added up in one piece after the backward pass. `DistributedDataParallel` would send them in pieces during
it, but orders them anew after the first step: with more than two processes, a run that was interrupted would end with
other weights. It also imports torch's compiler, which takes seconds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from rethinking.data.images import Part
from rethinking.errors import UserError
from rethinking.training.interruption import Interrupted
from rethinking.training.launch import launch


class Processes:
    """What the processes of a run do together. This class is for one that is alone, and has nothing to do."""

    rank = 0
    """From 0; the process of rank 0 leads: it alone writes files and prints."""
    size = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and prints."""
        return self.rank == 0

    def part(self, count: int) -> Part:
        """Return this process's part of `count` examples. Parts differ by one at most; none is larger than rank 0's."""
        start, stop = (-(-count * rank // self.size) for rank in (self.rank, self.rank + 1))
        return Part(start, stop, count)

    def share(self, network: nn.Module) -> None:
        """Prepare the network, in place, for batches of which each process sees a part."""

    def add_up(self, *tensors: Tensor) -> None:
        """Replace tensors of one type, on the run's device, by their sums over the processes."""

    def largest(self, number: int) -> int:
        """Return the largest number that any process gives. Waits for the processes, not for their GPUs."""
        return number

    def gathered(self, value: Any) -> list[Any]:
        """Return what the processes give, tensors in it on the CPU, in the order of their ranks."""
        return [value]

    def of_leader(self, value: Any) -> Any:
        """Return what the process that leads gives, tensors in it on the CPU."""
        return value


ALONE = Processes()


class JoinedProcesses(Processes):
    """The processes of torch's default group, within `joined`."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size

    def share(self, network: nn.Module) -> None:
        """Normalise by the statistics of whole batches."""
        from rethinking.training.batch_norm import SharedBatchNorm2d

        SharedBatchNorm2d.replace_in(network)

    def add_up(self, *tensors: Tensor) -> None:
        """Add up in one piece: each message costs time of its own."""
        together = torch.cat([tensor.flatten() for tensor in tensors])
        torch.distributed.all_reduce(together)
        sums = torch.split(together, [tensor.numel() for tensor in tensors])
        torch._foreach_copy_(tensors, [total.view_as(tensor) for tensor, total in zip(tensors, sums, strict=True)])

    def largest(self, number: int) -> int:
        """Compare on the CPU: reading a number back from a GPU would make it wait for the interpreter."""
        found = torch.tensor(number, dtype=torch.int64)
        torch.distributed.all_reduce(found, torch.distributed.ReduceOp.MAX)
        return int(found.item())

    def gathered(self, value: Any) -> list[Any]:
        """Gather in all processes."""
        found: list[Any] = [None] * self.size
        torch.distributed.all_gather_object(found, value)
        return found

    def of_leader(self, value: Any) -> Any:
        """Send from rank 0 to all."""
        found = [value]
        torch.distributed.broadcast_object_list(found, src=0)
        return found[0]


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Yield the processes that torchrun has started, joined to train on `device`, or the one that is alone.

    What lies on GPUs goes through NCCL, the rest through Gloo. Raises UserError for a device that neither serves.
    """
    place = launch()
    if place.size == 1:
        yield ALONE
        return
    if device.type not in ("cpu", "cuda"):
        raise UserError(
            f"execution.device: several processes cannot train together on '{device.type}'; "
            "use cpu or cuda, or a single process"
        )
    if device.type == "cuda":
        torch.cuda.set_device(device)
    torch.distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield JoinedProcesses(place.rank, place.size)
    except Interrupted:
        torch.distributed.destroy_process_group()
        raise
    # After any other error the group is left as it is: the others may be waiting for this process in a collective, for
    # which destroying would wait in turn. The process ends, and torchrun ends the others.
    except RuntimeError as error:
        if any(words in str(error) for words in _GONE):
            raise UserError("another process of this run has ended; its own message says why") from error
        raise
    torch.distributed.destroy_process_group()


_GONE = ("closed by peer", "reset by peer", "Broken pipe")
"""What Gloo says of a process that does not answer any more."""
