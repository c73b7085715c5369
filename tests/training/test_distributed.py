"""Several processes give what one gives: started by torchrun, on the CPU, with gloo."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from project import Project
from resuming import CPU, After, finished, recipe
from rethinking.cells import RUN_FILES, Cell
from rethinking.params_file import load_params
from rethinking.recipe import Recipe
from rethinking.records import read_metrics
from rethinking.runs import training_code
from rethinking.training import checkpoint
from rethinking.training.devices import Execution
from rethinking.training.distributed import JoinedProcesses
from rethinking.training.interruption import Interrupted
from rethinking.training.progress import EpochInProgress
from rethinking.training.run import Outcome, run
from together import BATCHES, Task, batch_of, normalised

TORCHRUN = [str(Path(sys.executable).with_name("torchrun")), "--standalone"]

# 128 examples in batches of 41: parts of 21 and 20, at last of 3 and 2. In batches of 127: at last of 1 and none.
# With batch normalisation at its usual rate, training makes of a last bit changed at the start per cents after ten
# steps, in one process as in two; hence the smaller rates.
LIKE_ONE = {
    "mlp": Task("mlp-3x512", "crop+wd", {"batch_size": 41}),
    "mlp, last batch of one": Task("mlp-1x512", "none", {"batch_size": 127}),
    "alexnet": Task("alexnet", "flip+rotate", {"batch_size": 41}),
    "alexnet, last batch of one": Task("alexnet", "crop", {"batch_size": 127, "initial_learning_rate": 1.0}),
    "inception": Task("inception", "flip+rotate", {"batch_size": 41, "initial_learning_rate": 0.01}),
    "inception, last batch of one": Task(
        "inception", "crop+wd", {"batch_size": 127, "initial_learning_rate": 0.001, "epochs": 1}
    ),
}
STOPPED = {
    "inception": Task("inception", "flip+rotate", {"batch_size": 41}),
    "alexnet": Task("alexnet", "dropout", {"batch_size": 41}),
}
# An epoch: looks after its 4 steps, its 2 evaluated blocks and its end.
LOOKS, PLACES = (0, 2, 4), [(0, 1), (0, 4), (1, 2)]
SHORT = Task("inception", "crop", {"batch_size": 41, "initial_learning_rate": 0.001}, precision="bfloat16")
OF_OTHERS = Task("alexnet", "crop", {"batch_size": 41})
"""Begun by one process and finished by two, or the other way round."""


def launch(
    folder: Path, tasks: dict[str, Task], data: list[Path]
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Perform `tasks` in as many processes as there are data roots; return also what they have given."""
    torch.save({"tasks": tasks, "data": data}, folder / "tasks.pt")
    answer = subprocess.run(
        [*TORCHRUN, "--nproc-per-node", str(len(data)), str(Path(__file__).with_name("together.py")), str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    path = folder / "results.pt"
    return answer, torch.load(path, weights_only=False) if path.exists() else {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("together")


@pytest.fixture(scope="module")
def results(digits_root: Path, folder: Path) -> dict[str, Any]:
    """What two processes give of all tasks, in one launch: each takes seconds to start."""
    tasks = {**LIKE_ONE, "one, then two": OF_OTHERS, "two, then one": replace(OF_OTHERS, looks=(9,), goes_on=False)}
    tasks["short"] = SHORT
    for name, task in STOPPED.items():
        tasks[f"{name}, left alone"], tasks[f"{name}, stopped"] = task, replace(task, looks=LOOKS, asking=1)
    with pytest.raises(Interrupted):
        run(recipe_of(OF_OTHERS), digits_root, CPU, folder / "one, then two", "code", lambda epoch: None, After(9))
    answer, found = launch(folder, tasks, [digits_root] * 2)
    assert answer.returncode == 0, answer.stderr
    return found


def recipe_of(task: Task) -> Recipe:
    return recipe(task.model, task.regularizer, **task.changes)


def assert_close(found: dict[str, Any], alone: Outcome) -> None:
    """A relative 1e-5 in float32: sums over examples are added up in another order."""
    assert len(found["history"]) == len(alone.history)
    for mine, others in zip(found["history"], alone.history, strict=True):
        for name, value in others._asdict().items():
            if value is None:
                assert mine[name] is None, name
            elif name.endswith("loss") or name == "learning_rate":
                assert mine[name] == pytest.approx(value, rel=1e-5), name
            elif name != "seconds":  # an example may be right by less than rounding
                assert mine[name] == pytest.approx(value, abs=1 / 128), name
    torch.testing.assert_close(found["weights"], alone.network.state_dict(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 128])
def test_parts_are_a_batch_in_order_and_as_even_as_can_be(count: int, size: int) -> None:
    parts = [JoinedProcesses(rank, size).part(count) for rank in range(size)]
    assert [example for part in parts for example in range(count)[part.place]] == list(range(count))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert sizes[0] == max(sizes), "evaluation counts its blocks by it"
    assert {part.of for part in parts} == {count}


@pytest.mark.parametrize("name", LIKE_ONE)
def test_two_processes_give_what_one_gives(
    digits_root: Path, tmp_path: Path, results: dict[str, Any], name: str
) -> None:
    alone, _ = finished(recipe_of(LIKE_ONE[name]), digits_root, tmp_path)
    assert_close(results[name], alone)
    assert alone.history[-1].train_loss is not None
    assert abs(alone.history[-1].train_loss / alone.history[0].online_loss - 1) > 1e-3, (
        "what is compared has been trained"
    )


def test_two_processes_learn_in_bfloat16_what_one_does(
    digits_root: Path, tmp_path: Path, results: dict[str, Any]
) -> None:
    """Eight bits are left of a number: the losses agree to a per cent."""
    short = Execution(torch.device("cpu"), torch.bfloat16)
    alone = run(recipe_of(SHORT), digits_root, short, tmp_path, "code", lambda epoch: None).history
    together = results["short"]["history"]
    assert [epoch["train_loss"] for epoch in together] == pytest.approx([e.train_loss for e in alone], rel=0.01)
    assert [epoch["online_loss"] for epoch in together] == pytest.approx([e.online_loss for e in alone], rel=0.01)


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("count", BATCHES)
def test_batch_normalisation_is_that_of_the_whole_batch(results: dict[str, Any], count: int, affine: bool) -> None:
    """Of batches of which a process may have nothing. Gradients by parameters are sums over the parts."""
    whole = normalised(nn.BatchNorm2d(3, affine=affine), *batch_of(count))
    first, second = results["normalised"][count, affine]
    assert (len(first["output"]), len(second["output"])) == (-(-count // 2), count // 2)
    for name, expected in whole.items():
        parts = first[name], second[name]
        if name in ("output", "evaluated", "by images"):
            together = torch.cat(parts)
        elif name.startswith("by parameter"):
            together = parts[0] + parts[1]
        else:  # statistics
            assert torch.equal(*parts)
            together = parts[0]
        torch.testing.assert_close({name: together}, {name: expected}, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [*LIKE_ONE, *(f"{name}, stopped" for name in STOPPED)])
def test_all_processes_hold_the_same(results: dict[str, Any], name: str) -> None:
    """Else each would train a network of its own."""
    assert len(set(results[name]["digests"])) == 1
    histories = results[name]["histories"]
    assert len(histories) == 2
    assert histories[0] == histories[1]


def test_only_the_process_that_leads_reports(results: dict[str, Any]) -> None:
    assert results["mlp"]["reported"] == [[1, 2, 3], []]


def test_dropout_draws_other_numbers_in_each_process(results: dict[str, Any]) -> None:
    EpochInProgress.begin(recipe(), CPU, 128, 0)
    alone = torch.rand(4).tolist()
    assert results["dropout"][0] == alone
    assert results["dropout"][1] != alone


def test_a_record_says_how_many_processes_there_were(results: dict[str, Any]) -> None:
    assert results["described"]["processes"] == 2


@pytest.mark.parametrize("name", STOPPED)
def test_processes_stop_together_and_go_on_bit_for_bit(results: dict[str, Any], name: str) -> None:
    """Only the one of rank 1 is asked."""
    stopped, whole = results[f"{name}, stopped"], results[f"{name}, left alone"]
    expected = [(*place, 128 + signal.SIGTERM) for place in PLACES]
    assert stopped["stops"] == [expected, expected]
    assert whole["stops"] == [[], []]
    assert stopped["digests"] == whole["digests"]
    assert stopped["histories"] == whole["histories"]


def test_a_run_of_one_process_is_finished_by_two(digits_root: Path, tmp_path: Path, results: dict[str, Any]) -> None:
    found = results["one, then two"]
    assert found["reported"] == [[2, 3], []]
    assert_close(found, finished(recipe_of(OF_OTHERS), digits_root, tmp_path)[0])


def test_a_run_of_two_processes_is_finished_by_one(
    digits_root: Path, tmp_path: Path, results: dict[str, Any], folder: Path
) -> None:
    assert results["two, then one"]["stops"] == [[(1, 3, 143)]] * 2
    assert {path.name for path in (folder / "two, then one").iterdir()} == {checkpoint.FILE_NAME}
    outcome, seen = finished(recipe_of(OF_OTHERS), digits_root, folder / "two, then one")
    assert seen == [2, 3]
    found = {"history": [epoch._asdict() for epoch in outcome.history], "weights": outcome.network.state_dict()}
    assert_close(found, finished(recipe_of(OF_OTHERS), digits_root, tmp_path)[0])


def test_a_process_that_fails_ends_the_run_with_its_sentence(digits_root: Path, tmp_path: Path) -> None:
    """Its data are damaged. The other one waits for it, is told that it is gone, and says so."""
    damaged = Path(shutil.copytree(digits_root, tmp_path / "data"))
    path = damaged / "digits" / "true" / "train_labels.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    started = time.monotonic()
    answer, found = launch(tmp_path, {"mlp": LIKE_ONE["mlp"]}, [digits_root, damaged])
    assert answer.returncode != 0
    assert found == {}
    assert time.monotonic() - started < 60
    said = [line for line in answer.stderr.splitlines() if line.startswith("said: ")]
    assert any("train_labels.npy has sha256" in line for line in said)
    assert set(said) - {"said: another process of this run has ended; its own message says why"} == {
        line for line in said if "train_labels.npy" in line
    }


@pytest.mark.slow
def test_three_processes_go_on_bit_for_bit(digits_root: Path, tmp_path: Path) -> None:
    """With more than two, the order matters in which their numbers are added up."""
    task = LIKE_ONE["inception"]
    tasks = {"whole": task, "stopped": replace(task, looks=LOOKS, asking=2)}
    answer, found = launch(tmp_path, tasks, [digits_root] * 3)
    assert answer.returncode == 0, answer.stderr
    assert [place[:2] for place in found["stopped"]["stops"][2]] == PLACES
    assert found["stopped"]["digests"] == found["whole"]["digests"]
    assert_close(found["whole"], finished(recipe_of(task), digits_root, tmp_path / "alone")[0])


@pytest.mark.slow
def test_the_command_trains_a_cell_in_two_processes(tmp_path: Path) -> None:
    """Stopped by a signal to torchrun, started again without it, and once more although the run is kept."""
    cell, epochs = Cell("digits", "alexnet", "true", "dropout", 0), 40
    project = Project.copy_to(tmp_path / "project")
    project.edit(
        "params.yaml", "      epochs: 2\n      batch_size: 32\n", f"      epochs: {epochs}\n      batch_size: 32\n"
    )
    assert project.command("rethinking", "fetch", "digits").returncode == 0
    recipe = load_params(project.root / "params.yaml", "smoke").recipe(cell)
    words = [*TORCHRUN, "--nproc-per-node", "2", "-m", "rethinking", "train", str(cell), "--preset", "smoke"]
    words += ["--expect", recipe.digest(), training_code(recipe)]
    folder = project.root / cell.run_folder("smoke")

    process = project.start(*words)
    assert process.stdout is not None
    output = ""
    while "epoch    2" not in output:
        line = process.stdout.readline()
        assert line, output
        output += line
    process.terminate()
    output += process.communicate(timeout=60)[0]
    assert process.returncode != 0
    assert output.count(f"rethinking: {cell}: interrupted after") == 1
    assert checkpoint.FILE_NAME in {path.name for path in folder.iterdir()}
    assert not (folder / "metrics.json").exists()

    together = ["rethinking", *words[words.index("train") :], "--threads", "2", "--processes", "2"]
    answer = project.command(*together)
    assert answer.returncode == 0, answer.stderr
    printed = [line for line in (output + answer.stdout).splitlines() if line.startswith("epoch ")]
    assert [int(line.split()[1]) for line in printed] == list(range(1, epochs + 1))
    assert not (folder / checkpoint.FILE_NAME).exists()
    assert {path.name for path in folder.iterdir() if path.is_file()} == set(RUN_FILES)
    provenance = read_metrics(folder / "metrics.json").provenance
    assert (provenance["processes"], provenance["threads"]) == (2, 1)
    assert provenance["command"] == f"rethinking train {cell} --preset smoke --threads 2 --processes 2"

    answer = project.command(*words)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines() == [
        f"{cell}: trained before, and kept in {folder.relative_to(project.root)}/.kept"
    ]
