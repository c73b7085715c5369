"""In which order images are shown, and what each process has of it: pure functions."""

from collections.abc import Iterator, Sequence

import torch

from rethinking.studies.imagenet.reading import Place
from rethinking.studies.imagenet.seeds import derived_seed
from rethinking.training.distributed import Processes


def epoch_batches(examples: int, batch_size: int, seed: int, epoch: int) -> Sequence[torch.Tensor]:
    """Return the batches (m,) of an epoch, each example in one of them.

    The last one is smaller, and kept. A single example that would be left over joins the batch before it: batch
    normalisation has no variance of one image.
    """
    generator = torch.Generator().manual_seed(derived_seed(seed, "order", epoch))
    order = torch.randperm(examples, generator=generator)
    if examples > batch_size and examples % batch_size == 1:
        *before, last, single = torch.split(order, batch_size)
        return [*before, torch.cat([last, single])]
    return torch.split(order, batch_size)


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """Return the number of batches of an epoch."""
    left_over = examples > batch_size and examples % batch_size == 1
    return -(-examples // batch_size) - left_over


def training_places(
    examples: int, batch_size: int, seed: int, epochs: range, steps: int, processes: Processes
) -> Iterator[list[Place]]:
    """Yield this process's part of each batch of `epochs`, of the first one from the batch `steps` on."""
    for epoch in epochs:
        done = steps if epoch == epochs.start else 0
        for batch in epoch_batches(examples, batch_size, seed, epoch)[done:]:
            part = processes.part(len(batch))
            yield [(index, epoch) for index in batch[part.place].tolist()]


def evaluation_places(chosen: Sequence[int], block: int, processes: Processes) -> list[list[Place]]:
    """Return this process's part of the chosen images in blocks, as many in each process: some may be empty."""
    part = processes.part(len(chosen))
    longest = -(-len(chosen) // processes.size)
    starts = range(part.start, part.start + longest, block)
    return [[(index, 0) for index in chosen[start : min(start + block, part.stop)]] for start in starts]
