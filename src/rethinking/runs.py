"""Training a cell and leaving its record."""

from pathlib import Path
from typing import Any

from rethinking import kept, provenance
from rethinking.cells import WEIGHTS_FILE, Cell
from rethinking.errors import UserError
from rethinking.files import atomic_path, checksum, require_writable
from rethinking.fingerprint import fingerprint, modules
from rethinking.locks import held
from rethinking.params import Params
from rethinking.recipe import Recipe
from rethinking.records import Epoch, Metrics, finite, read_metrics, write_history, write_metrics
from rethinking.training.launch import launch

LOCK = ".training.lock"
"""Held in the run folder by the process that trains the cell."""


def training_code(recipe: Recipe) -> str:
    """Return the fingerprint of all code that determines what training `recipe` gives."""
    return fingerprint(*_roots(recipe))


def training_modules(recipe: Recipe) -> dict[str, str]:
    """Return what `training_code` sums up, module by module."""
    return modules(*_roots(recipe))


def _roots(recipe: Recipe) -> tuple[str, ...]:
    return provenance.training_roots(str(recipe.model["architecture"]))


def train_cell(
    params: Params,
    cell: Cell,
    data_root: Path,
    root: Path,
    threads: int,
    expected: tuple[str, str] | None = None,
) -> Metrics:
    """Train `cell` and write its run below `root`; the metrics are written last. Return them.

    `expected` are the digests of recipe and code as they were when the run was planned: what Snakemake remembers the
    run by. A run that is kept because Snakemake may not have taken note of it (`rethinking.kept`) is then taken as it
    is; without `expected` it is trained anew. Under torchrun, this is for the process that leads, and the others call
    `help_train`. Raises UserError if recipe or code has changed since, if the data are missing or damaged, or if the
    results cannot be written; Interrupted if a signal has asked the training to stop.
    """
    recipe = params.recipe(cell)
    code = _planned_code(cell, recipe, expected)
    manifest = _manifest(params.preset, cell, data_root)
    folder, weights = root / cell.run_folder(params.preset), root / cell.weights_path(params.preset)
    require_writable(folder)
    require_writable(weights.parent)

    def waiting() -> None:
        print(f"{cell}: another process trains it; waiting for that to end", flush=True)

    with held(folder / LOCK, waiting):
        identity = kept.identity(recipe, code, manifest)
        if expected is not None and kept.is_kept(folder, identity):
            print(f"{cell}: trained before, and kept in {folder / kept.FOLDER}", flush=True)
            _dismiss_helpers(params, threads)
            # Whoever trained it may have been killed between keeping the run and taking this away.
            from rethinking.training import checkpoint

            checkpoint.discard(folder)
        else:
            _train(params, cell, data_root, threads, folder, identity)
        kept.publish(folder, weights)
        if expected is None:
            kept.discard(folder)
    return read_metrics(folder / "metrics.json")


def help_train(
    params: Params, cell: Cell, data_root: Path, root: Path, threads: int, expected: tuple[str, str] | None = None
) -> None:
    """Train `cell` together with the process that leads, in which `train_cell` runs; touch no file below `root`.

    Raises UserError if recipe or code is not as `expected`, or if the data are missing or damaged; Interrupted if a
    signal has asked any of the processes to stop.
    """
    recipe = params.recipe(cell)
    code = _planned_code(cell, recipe, expected)
    _manifest(params.preset, cell, data_root)

    from rethinking.training import devices
    from rethinking.training.run import run

    with devices.launched(
        params.execution.device, params.execution.precision, threads, params.execution.cuda_graphs
    ) as execution:
        if execution.processes.of_leader(None):
            run(recipe, data_root, execution, root / cell.run_folder(params.preset), code, lambda epoch: None)


def _dismiss_helpers(params: Params, threads: int) -> None:
    """Let the processes that torchrun has started beside this one end: there is nothing to train."""
    if launch().size > 1:
        from rethinking.training import devices

        with devices.launched(
            params.execution.device, params.execution.precision, threads, params.execution.cuda_graphs
        ) as execution:
            execution.processes.of_leader(False)


def _planned_code(cell: Cell, recipe: Recipe, expected: tuple[str, str] | None) -> str:
    """Return the fingerprint of the training code. Raises UserError if it or the recipe is not as `expected`."""
    code = training_code(recipe)
    if expected is not None:
        for changed, now, planned in zip(
            ("params.yaml", "the training code"), (recipe.digest(), code), expected, strict=True
        ):
            if now != planned:
                raise UserError(
                    f"{changed} changed while the run of {cell} was waiting; start again to use it as it is now"
                )
    return code


def _train(params: Params, cell: Cell, data_root: Path, threads: int, folder: Path, identity: str) -> None:
    """Train `cell` and keep its run in `folder`."""
    # As things are when the code is read, not when training ends: somebody may commit meanwhile.
    started, checkout = provenance.now(), provenance.checkout()
    recipe = params.recipe(cell)
    code = training_code(recipe)

    # Torch takes seconds to import: only after everything that can be said without it.
    from safetensors.torch import save

    from rethinking.training import checkpoint, devices
    from rethinking.training.run import run

    trained_here: list[int] = []

    def report(epoch: Epoch) -> None:
        trained_here.append(epoch.epoch)
        _print_epoch(epoch)

    with devices.launched(
        params.execution.device, params.execution.precision, threads, params.execution.cuda_graphs
    ) as execution:
        execution.processes.of_leader(True)
        print(
            f"{cell} (preset {params.preset}), recipe {recipe.digest()}, code {code}, {execution.describe()}, "
            f"on {provenance.place()}",
            flush=True,
        )
        outcome = run(recipe, data_root, execution, folder, code, report)

    history, last = outcome.history, outcome.history[-1]
    # The last epoch of every run is evaluated on both sets.
    assert last.train_accuracy is not None
    assert last.train_loss is not None
    best = max(history, key=lambda epoch: epoch.test_accuracy)
    metrics = Metrics(
        cell=str(cell),
        preset=params.preset,
        status="diverged" if last.diverged else "finished",
        epochs=last.epoch,
        parameters=outcome.parameters,
        train_examples=outcome.train_examples,
        train_accuracy=last.train_accuracy,
        train_loss=finite(last.train_loss),
        test_accuracy=last.test_accuracy,
        test_loss=finite(last.test_loss),
        best_test_accuracy=best.test_accuracy,
        best_test_epoch=best.epoch,
        online_loss=finite(last.online_loss),
        online_accuracy=last.online_accuracy,
        seconds=round(sum(epoch.seconds for epoch in history), 3),
        recipe=recipe.model_dump(),
        recipe_digest=recipe.digest(),
        provenance={
            "command": provenance.train_command(cell, params.preset, threads, execution.processes.size),
            "command_with_data": provenance.run_command(cell, params.preset),
            "code": code,
            "modules": training_modules(recipe),
            **checkout._asdict(),
            "variant": outcome.variant_digest,
            "seeds": provenance.seeds(recipe),
            **execution.describe(),
            "gpu": _gpu() if execution.device.type == "cuda" else None,
            **provenance.environment(),
            "started": started,
            "resumed_after_epoch": last.epoch - len(trained_here) or None,
        },
    )
    with kept.keeping(folder, identity) as whole:
        weights = {name: tensor.contiguous().cpu() for name, tensor in outcome.network.state_dict().items()}
        # Through bytes: the library reports a full disk as an error of its own, not as the OSError that it is.
        with atomic_path(whole / WEIGHTS_FILE) as temporary:
            temporary.write_bytes(save(weights))
        write_history(whole / "history.csv", history)
        metrics.provenance.update(weights=checksum(whole / WEIGHTS_FILE), finished=provenance.now())
        write_metrics(whole / "metrics.json", metrics)
    checkpoint.discard(folder)


def _manifest(preset: str, cell: Cell, data_root: Path) -> Path:
    """Return the variant's manifest; damage to the arrays is found on loading.

    Raises UserError, with the command that helps, if the variant has not been made.
    """
    manifest = data_root.joinpath(*cell.variant, "manifest.json")
    if not manifest.is_file():
        raise UserError(
            f"{manifest} is missing; `snakemake {manifest.as_posix()} --config preset={preset}` makes the data, "
            f"`{provenance.run_command(cell, preset)}` the data and then this run"
        )
    return manifest


def _gpu() -> dict[str, Any]:
    """Return the versions of NVIDIA's driver and libraries that torch computes with."""
    import torch

    return {
        "driver": provenance.nvidia_driver(),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
    }


def _print_epoch(epoch: Epoch) -> None:
    on_train = f"{epoch.train_accuracy:7.2%}" if epoch.train_accuracy is not None else f"{'-':>7}"
    print(
        f"epoch {epoch.epoch:4d}  online loss {epoch.online_loss:7.4f}  train {on_train}  "
        f"test {epoch.test_accuracy:7.2%}  {epoch.seconds:6.2f} s",
        flush=True,
    )
