"""What torchrun starts in the tests: several runs, one after the other, in the processes of one launch.

    torchrun ... together.py <folder>

`folder/tasks.pt` holds the tasks, one a name; what each gives goes to `folder/results.pt`.
"""

import hashlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from resuming import After, recipe
from rethinking.errors import UserError
from rethinking.records import Epoch
from rethinking.training import devices
from rethinking.training.devices import Execution
from rethinking.training.interruption import Interrupted, Interruption
from rethinking.training.progress import EpochInProgress
from rethinking.training.run import Outcome, run

BATCHES = (1, 2, 7)
"""Numbers of images to normalise."""


@dataclass(frozen=True)
class Task:
    """A run of a recipe in `root/<name>`, stopped and continued, each time by the process `asking`."""

    model: str
    regularizer: str
    changes: dict[str, Any]
    looks: tuple[int, ...] = ()
    """After how many looks it is asked to stop, one time after the other."""
    goes_on: bool = True
    """Whether it is trained to its end after that."""
    asking: int = 0
    precision: str = "float32"


def perform(task: Task, data: Path, folder: Path, execution: Execution) -> dict[str, Any]:
    """Return history and weights, where it stopped on the way, and digests of the weights in all processes."""
    resolved = recipe(task.model, task.regularizer, **task.changes)
    stops: list[tuple[int, int, int]] = []
    reported: list[Epoch] = []
    execution = replace(execution, dtype=getattr(torch, task.precision))
    outcome: Outcome | None = None
    for looks in [*task.looks, *([None] if task.goes_on else [])]:
        asked = After(looks) if looks is not None and execution.processes.rank == task.asking else Interruption()
        try:
            outcome = run(resolved, data, execution, folder, "code", reported.append, asked)
        except Interrupted as error:
            stops.append((error.epochs, error.steps, error.exit_status))
    given: dict[str, Any] = {"stops": execution.processes.gathered(stops)}
    given["reported"] = execution.processes.gathered([epoch.epoch for epoch in reported])
    if outcome is not None:
        weights = outcome.network.state_dict()
        given |= {"history": [epoch._asdict() for epoch in outcome.history], "weights": weights}
        content = b"".join(value.contiguous().numpy().tobytes() for value in weights.values())
        given["digests"] = execution.processes.gathered(hashlib.sha256(content).hexdigest())
        given["histories"] = execution.processes.gathered([epoch[:-1] for epoch in outcome.history])
    return given


def dropout_draws(execution: Execution) -> list[list[float]]:
    """Return the first numbers that dropout would use in an epoch, for each process."""
    EpochInProgress.begin(recipe(), execution, 128, 0)
    drawn: list[list[float]] = execution.processes.gathered(torch.rand(4).tolist())
    return drawn


def normalised(layer: nn.BatchNorm2d, images: Tensor, gradient: Tensor) -> dict[str, Tensor]:
    """Return what a layer gives of images that it has seen twice, and in evaluation, its statistics, and gradients.

    `gradient` is that by the output. Parameters are drawn.
    """
    draws = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.rand(parameter.shape, generator=draws))
    images = images.clone().requires_grad_()
    layer(images)
    output = layer(images)
    output.backward(gradient)
    found = {name: value.clone() for name, value in layer.named_buffers()}
    found |= {f"by parameter {name}": by for name, value in layer.named_parameters() if (by := value.grad) is not None}
    if images.grad is not None:
        found["by images"] = images.grad
    return {**found, "output": output.detach(), "evaluated": layer.eval()(images).detach()}


def batch_of(count: int) -> tuple[Tensor, Tensor]:
    """Return images (count, 3, 4, 5), whose means are large, and a gradient of that shape."""
    draws = torch.Generator().manual_seed(0)
    images, gradient = torch.randn((2, count, 3, 4, 5), generator=draws)
    scale, mean = torch.tensor([[1.0, 0.1, 10.0], [0.0, 10.0, 100.0]])[:, :, None, None]
    return images * scale + mean, gradient


def normalised_in_parts(execution: Execution, count: int, affine: bool) -> list[dict[str, Tensor]]:
    """Return what `normalised` gives of its part, for each process."""
    network = nn.Sequential(nn.BatchNorm2d(3, affine=affine))
    execution.processes.share(network)
    images, gradient = (values[execution.processes.part(count).place] for values in batch_of(count))
    layer = network[0]
    assert isinstance(layer, nn.BatchNorm2d)
    found: list[dict[str, Tensor]] = execution.processes.gathered(normalised(layer, images, gradient))
    return found


def main() -> None:
    """Perform all tasks."""
    folder = Path(sys.argv[1])
    with devices.launched("cpu", "float32", 1) as execution:
        given: dict[str, Any] = torch.load(folder / "tasks.pt", weights_only=False)
        # Each process may have been given data of its own.
        data = given["data"][execution.processes.rank]
        results: dict[str, Any] = {
            name: perform(task, data, folder / name, execution) for name, task in given["tasks"].items()
        }
        results["dropout"] = dropout_draws(execution)
        results["described"] = execution.describe()
        results["normalised"] = {
            (count, affine): normalised_in_parts(execution, count, affine)
            for count in BATCHES
            for affine in (False, True)
        }
    if execution.processes.leads:
        torch.save(results, folder / "results.pt")


if __name__ == "__main__":
    try:
        main()
    except UserError as problem:
        sys.exit(f"said: {problem}")
