"""Steps that are recorded once and repeated are the steps that they stand for."""

import copy
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.nn.utils import prune

from rethinking.cells import Cell
from rethinking.data.images import DeviceImages
from rethinking.errors import UserError
from rethinking.models import build
from rethinking.params_file import load_params
from rethinking.recipe import Recipe
from rethinking.studies.quantisation.quantiser import train_rounded
from rethinking.studies.quantisation.vocabulary import PER_CHANNEL
from rethinking.training.devices import Execution, choose
from rethinking.training.loop import one_epoch
from rethinking.training.optimiser import optimiser_of
from rethinking.training.progress import EpochInProgress
from rethinking.training.recorded import WARMING_UP, RecordedSteps, Recorder, steps_of
from rethinking.training.steps import Steps

PAPER = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "paper")
CPU = Execution(torch.device("cpu"), torch.float32)
EXAMPLES = 70
"""Eight batches of eight and a smaller one."""
NETWORKS = [
    ("mlp-1x512", "none", {}),
    ("mlp-3x512", "wd", {}),
    ("mlp-3x512", "dropout", {}),
    ("alexnet", "crop+wd", {}),
    ("inception", "none", {"model": {"width": 0.25}}),
    ("inception", "flip+rotate", {"model": {"width": 0.25}}),
    ("inception-nobn", "crop", {"model": {"width": 0.25}}),
    ("mlp-1x512", "none", {"optimiser": "adam", "learning_rate_schedule": "inverse-sqrt", "learning_rate_period": 2}),
    ("mlp-1x512", "none", {"loss": "squared"}),
]


class Repeating:
    """Records like a device that does the work itself: anew each time that the recording is repeated."""

    def __init__(self) -> None:
        self.recordings = 0
        self.repetitions = 0

    def under_way(self) -> AbstractContextManager[object]:
        return nullcontext()

    def record(self, work: Callable[[], None], draws: torch.Generator) -> Callable[[], None]:
        self.recordings += 1

        def repeat() -> None:
            self.repetitions += 1
            work()

        return repeat


def recipe(model: str, regularizer: str, changes: dict[str, object]) -> Recipe:
    found = PAPER.recipe(Cell("cifar10", model, "true", regularizer, 0))
    architecture = {**found.model, **changes.get("model", {})}  # type: ignore[dict-item]
    return found.model_copy(
        update={"batch_size": 8, "initial_learning_rate": 2.0**-7, **changes, "model": architecture}
    )


def network_and_split(resolved: Recipe, device: str = "cpu") -> tuple[nn.Module, DeviceImages]:
    draws = torch.Generator().manual_seed(0)
    images = torch.randint(256, (EXAMPLES, 3, 32, 32), generator=draws, dtype=torch.uint8)
    labels = torch.randint(10, (EXAMPLES,), generator=draws)
    torch.manual_seed(0)
    network = build(resolved, (3, resolved.crop_size, resolved.crop_size), 10)
    network = network.to(device).to(memory_format=torch.channels_last).train()
    return network, DeviceImages(images.to(device), labels.to(device), resolved, augment=True)


def three_epochs(steps: Steps) -> list[tuple[float, float]]:
    found = []
    for number in range(3):
        epoch = EpochInProgress.begin(steps.recipe, steps.execution, len(steps.split), number)
        found.append(one_epoch(steps, epoch))
    return found


def both(
    resolved: Recipe, execution: Execution, recorder: Recorder
) -> tuple[list[list[tuple[float, float]]], list[dict[str, torch.Tensor]]]:
    """Return what three epochs of both kinds of steps, from the same weights, say and leave."""
    network, split = network_and_split(resolved, execution.device.type)
    other = copy.deepcopy(network)
    said = [
        three_epochs(Steps(network, optimiser_of(network, resolved), resolved, execution, split)),
        three_epochs(RecordedSteps(other, optimiser_of(other, resolved), resolved, execution, split, recorder)),
    ]
    return said, [network.state_dict(), other.state_dict()]


@pytest.mark.parametrize(("model", "regularizer", "changes"), NETWORKS)
def test_recorded_steps_give_the_same(model: str, regularizer: str, changes: dict[str, object]) -> None:
    """Over three epochs with rates, orders, augmentation and dropout of their own, and a smaller batch in each."""
    resolved, recorder = recipe(model, regularizer, changes), Repeating()
    said, (plain, recorded) = both(resolved, CPU, recorder)
    if resolved.optimiser == "adam":  # which knows its rate to sixteen digits, where a recording holds seven of them
        torch.testing.assert_close(said[0], said[1], rtol=1e-5, atol=0)
        torch.testing.assert_close(plain, recorded, rtol=1e-4, atol=1e-6)
    else:
        assert said[0] == said[1]
        assert all(torch.equal(plain[name], recorded[name]) for name in plain)
    assert (recorder.recordings, recorder.repetitions) == (1, 3 * (EXAMPLES // 8) - WARMING_UP)


def test_the_comparison_sees_what_a_recording_would_miss() -> None:
    """Draws that are not those of the epoch, sums that are, a rate that stays."""
    resolved = recipe("alexnet", "crop", {})

    class Stale(RecordedSteps):
        def _repetition(self, epoch: EpochInProgress, index: torch.Tensor) -> Callable[[], None]:
            if self._repeat is not None:
                epoch = copy.copy(epoch)
            return super()._repetition(epoch, index)

    network, split = network_and_split(resolved)
    other = copy.deepcopy(network)
    said = three_epochs(Steps(network, optimiser_of(network, resolved), resolved, CPU, split))
    stale = three_epochs(Stale(other, optimiser_of(other, resolved), resolved, CPU, split, Repeating()))
    assert said[0] == stale[0]
    assert said[1] != stale[1]


def test_an_interrupted_epoch_goes_on_within_a_recording() -> None:
    """A checkpoint in the middle of a recorded epoch holds its sums and draws: the rest of it is the same elsewhere."""
    resolved = recipe("alexnet", "crop", {"dropout": 0.5})
    network, split = network_and_split(resolved)
    optimiser = optimiser_of(network, resolved)
    steps = RecordedSteps(network, optimiser, resolved, CPU, split, Repeating())
    one_epoch(steps, EpochInProgress.begin(resolved, CPU, EXAMPLES, 0))
    epoch = EpochInProgress.begin(resolved, CPU, EXAMPLES, 1)
    kept: list[tuple[object, ...]] = []

    def after_step() -> None:
        if epoch.steps == 5:
            state = copy.deepcopy((epoch.state(CPU), network.state_dict(), optimiser.state_dict()))
            kept.append(state)

    whole = one_epoch(steps, epoch, after_step)
    ((state, weights, velocities),) = kept
    other, _ = network_and_split(resolved)
    other.load_state_dict(weights)  # type: ignore[arg-type]
    resumed = optimiser_of(other, resolved)
    resumed.load_state_dict(velocities)  # type: ignore[arg-type]
    again = RecordedSteps(other, resumed, resolved, CPU, split, Repeating())
    assert one_epoch(again, EpochInProgress.restored(state, resolved, CPU)) == whole  # type: ignore[arg-type]
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(("model", "regularizer", "changes"), NETWORKS)
@pytest.mark.parametrize("weights", ["as they are", "masked", "rounded"])
def test_a_step_reads_no_number_back(model: str, regularizer: str, changes: dict[str, object], weights: str) -> None:
    """A GPU would wait for the interpreter, and could not record it. Tensors without numbers tell who asks for one."""
    resolved = recipe(model, regularizer, changes)
    network, split = network_and_split(resolved)
    if weights == "rounded":
        train_rounded(network, 3, PER_CHANNEL)
    if weights == "masked":
        for layer in network.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                prune.custom_from_mask(layer, "weight", torch.ones_like(layer.weight))  # type: ignore[no-untyped-call]
    with FakeTensorMode() as mode:
        for layer in network.modules():
            tensors: tuple[dict[str, Any], ...] = (layer._parameters, layer._buffers)
            for held in tensors:
                held.update({name: mode.from_tensor(tensor) for name, tensor in held.items() if tensor is not None})
        split.stored, split.labels = mode.from_tensor(split.stored), mode.from_tensor(split.labels)
        steps = Steps(network, optimiser_of(network, resolved), resolved, CPU, split)
        epoch = EpochInProgress.begin(resolved, CPU, EXAMPLES, 0)
        for index in torch.split(epoch.order, resolved.batch_size):
            steps.take(epoch, index, 0.5)
        with pytest.raises(DataDependentOutputException):
            epoch.loss_sum.item()


def test_steps_are_recorded_on_one_gpu_alone() -> None:
    """Not with several processes, not where the settings forbid it; on a CPU there is nothing to gain."""
    gpu = Execution(torch.device("cuda"), torch.bfloat16)
    assert gpu.records
    assert not Execution(torch.device("cuda"), torch.bfloat16, cuda_graphs=False).records
    assert not CPU.records
    assert not choose("cpu", "float32", 1).records
    network, split = network_and_split(recipe("mlp-1x512", "none", {}))
    resolved = split.recipe
    assert type(steps_of(network, optimiser_of(network, resolved), resolved, CPU, split)) is Steps


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


@needs_gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("model", "regularizer", "changes"), NETWORKS)
def test_on_a_gpu_recorded_steps_give_the_same(
    model: str, regularizer: str, changes: dict[str, object], precision: str
) -> None:
    """Up to what a GPU's own order of sums leaves open from run to run, which these networks multiply little."""
    resolved, execution = recipe(model, regularizer, changes), choose("cuda", precision, 1)
    network, split = network_and_split(resolved, "cuda")
    steps = steps_of(network, optimiser_of(network, resolved), resolved, execution, split)
    assert isinstance(steps, RecordedSteps)
    said, (plain, recorded) = both(resolved, execution, steps.recorder)
    for here, there in zip(*said, strict=True):
        assert here == pytest.approx(there, rel=1e-3 if precision == "float32" else 2e-2)
    for name in plain:
        scale = float(plain[name].double().abs().max()) or 1.0
        apart = float((plain[name].double() - recorded[name].double()).abs().max()) / scale
        assert apart < (1e-4 if precision == "float32" else 2e-2), name


def _on_a_gpu(seed: int) -> torch.Tensor:
    """Return the weights that three epochs leave, in one piece, of a network that a seed begins."""
    resolved = recipe("alexnet", "crop", {"seed": seed})
    network, split = network_and_split(resolved, "cuda")
    execution = choose("cuda", "float32", 1)
    three_epochs(steps_of(network, optimiser_of(network, resolved), resolved, execution, split))
    return torch.cat([parameter.detach().flatten().cpu() for parameter in network.parameters()])


@needs_gpu
def test_cells_that_share_a_gpu_end_where_they_end_alone() -> None:
    seeds = [0, 1, 2]
    alone = [_on_a_gpu(seed) for seed in seeds]
    with ProcessPoolExecutor(len(seeds), mp_context=multiprocessing.get_context("spawn")) as processes:
        together = list(processes.map(_on_a_gpu, seeds))
    for one, other, another in zip(alone, together, [*alone[1:], alone[0]], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)
        assert not torch.allclose(one, another, rtol=1e-3, atol=1e-5), "other seeds end elsewhere"


@needs_gpu
def test_what_a_gpu_cannot_record_is_said_with_the_setting_that_helps() -> None:
    class Asking(nn.Linear):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return super().forward(images.flatten(1)) * float(images.mean() > -1)

    resolved = recipe("mlp-1x512", "none", {})
    _, split = network_and_split(resolved, "cuda")
    network = Asking(3 * 28 * 28, 10).cuda()
    steps = steps_of(network, optimiser_of(network, resolved), resolved, choose("cuda", "float32", 1), split)
    with pytest.raises(UserError, match=r"execution\.cuda_graphs: false"):
        three_epochs(steps)
