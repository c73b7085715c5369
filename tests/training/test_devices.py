"""Where and in which precision a run is executed."""

from pathlib import Path

import pytest
import torch
from torch import nn

from rethinking.cells import Cell
from rethinking.errors import UserError
from rethinking.params_file import load_params
from rethinking.training.devices import Execution, choose
from rethinking.training.distributed import joined
from rethinking.training.launch import Launch, launch
from rethinking.training.optimiser import SGD
from rethinking.training.steps import step

RECIPE = load_params(Path(__file__).resolve().parents[2] / "params.yaml", "smoke").recipe(
    Cell("digits", "mlp-1x512", "true", "none", 0)
)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_where_there_is_none_is_refused_with_what_there_is() -> None:
    with pytest.raises(UserError, match=r"execution\.device: 'cuda' was asked for .* use auto or .*cpu"):
        choose("cuda", "auto", 1)


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="there is an MPS device")
def test_mps_where_there_is_none_is_refused() -> None:
    with pytest.raises(UserError, match=r"execution\.device: 'mps' was asked for"):
        choose("mps", "float32", 1)


def test_auto_takes_the_fastest_device_there_is() -> None:
    present = [
        name
        for name, there in (
            ("cuda", torch.cuda.is_available()),
            ("mps", torch.backends.mps.is_available()),
            ("cpu", True),
        )
        if there
    ]
    assert choose("auto", "float32", 1).device.type == present[0]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_precision_asked_for_is_used(precision: str) -> None:
    chosen = choose("cpu", precision, 1)
    assert chosen.dtype == getattr(torch, precision)
    assert chosen.describe()["precision"] == precision


def test_auto_precision_is_one_of_both() -> None:
    assert choose("cpu", "auto", 1).dtype in (torch.float32, torch.bfloat16)


def test_the_number_of_threads_is_that_of_the_job() -> None:
    before = torch.get_num_threads()
    try:
        for threads in (2, 1):
            assert choose("cpu", "float32", threads).describe()["threads"] == threads
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_a_record_says_device_precision_threads_and_processes() -> None:
    said = choose("cpu", "float32", 1).describe()
    assert set(said) == {"device", "device_name", "precision", "threads", "processes"}
    assert (said["device"], said["processes"]) == ("cpu", 1)
    assert said["device_name"]


def test_generators_of_one_seed_draw_alike_and_leave_the_global_one_alone() -> None:
    execution = Execution(torch.device("cpu"), torch.float32)
    before = torch.get_rng_state()
    first, second = (torch.rand(3, generator=execution.generator(5)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_process_is_alone_unless_torchrun_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RANK", "3"), ("WORLD_SIZE", "4")):
        monkeypatch.setenv(name, value)
    assert launch() == Launch(0, 1, 0), "another program's variables"
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert launch() == Launch(3, 4, 1)
    assert (launch().leads, Launch(0, 4, 0).leads) == (False, True)


def test_each_process_takes_the_gpu_of_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose("cuda", "float32", 1).device == torch.device("cuda")
    for name, value in (("RANK", "5"), ("WORLD_SIZE", "6"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    assert choose("cuda", "float32", 1).device == torch.device("cuda", 1)
    assert choose("cpu", "float32", 1).device == torch.device("cpu")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(UserError, match="there are 2 GPUs here and process 2 of torchrun has none"):
        choose("cuda", "float32", 1)


def test_a_device_that_processes_cannot_share_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RANK", "0"), ("WORLD_SIZE", "2"), ("LOCAL_RANK", "0")):
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(UserError, match=r"execution\.device: several processes cannot train together on 'mps'"),
        joined(torch.device("mps")),
    ):
        pass


def test_global_generators_go_on_where_their_state_was_taken() -> None:
    execution = Execution(torch.device("cpu"), torch.float32)
    state = execution.random_state()
    drawn = torch.rand(3)
    execution.set_random_state(state)
    assert torch.equal(torch.rand(3), drawn)


def test_bfloat16_computes_products_shortly_and_keeps_weights_and_loss_in_float32() -> None:
    """One step of a small network: close to float32, not equal to it."""
    losses, weights = [], []
    for dtype in (torch.float32, torch.bfloat16):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        optimiser = SGD(list(network.parameters()), [], weight_decay=0.0, momentum=0.0, learning_rate=0.1)
        images, labels = torch.randn(16, 1, 8, 8), torch.arange(16) % 10
        execution = Execution(torch.device("cpu"), dtype)
        loss, _ = step(network, optimiser, RECIPE, execution, images, labels, 16)
        assert loss.dtype == torch.float32
        assert all(p.dtype == torch.float32 for p in network.parameters())
        losses.append(loss.item())
        weights.append(torch.cat([p.detach().flatten() for p in network.parameters()]))
    assert losses[0] == pytest.approx(losses[1], rel=0.01)
    assert losses[0] != losses[1]
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=2e-3)
