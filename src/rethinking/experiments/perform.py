"""Carrying out an experiment, and leaving its results and their record."""

import importlib
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from rethinking import provenance
from rethinking.errors import UserError
from rethinking.experiments.experiment import Experiment
from rethinking.experiments.identity import experiment_code, experiment_roots, recipes_of
from rethinking.experiments.records import ExperimentRecord, table_text, write_record, write_table
from rethinking.files import checksum, require_writable
from rethinking.fingerprint import modules
from rethinking.locks import held
from rethinking.params import Params

if TYPE_CHECKING:
    from rethinking.training.devices import Execution

LOCK = ".experiment.lock"


def perform(
    params: Params, experiment: Experiment, root: Path, threads: int, expected: tuple[str, str] | None = None
) -> ExperimentRecord:
    """Carry out `experiment` and write its results below `root`, the record last; return it.

    `expected` are the digests of settings and code as they were when the job was planned. Raises UserError if these
    have changed since, if data or networks are missing or damaged, or if the results cannot be written; Interrupted if
    a signal has asked training to stop: what was finished is kept and gone on with. Under torchrun, this is for the
    process that leads, and the others call `help_perform`.
    """
    recipes, preset = recipes_of(params, experiment), params.preset
    digest, code = _as_planned(params, experiment, expected)
    started, checkout, begun = provenance.now(), provenance.checkout(), time.perf_counter()
    table, networks = root / experiment.table_path(preset), root / experiment.networks_path(preset)
    scratch = root / experiment.scratch_folder(preset)
    for folder in (table.parent, scratch, *([networks.parent] if experiment.leaves_networks else [])):
        require_writable(folder)

    # Torch takes seconds to import: only after everything that can be said without it.
    from rethinking.experiments.laboratory import Laboratory, write_tensors

    def waiting() -> None:
        print(f"{experiment}: another process is at it; waiting for that to end", flush=True)

    with (
        held(scratch.with_name(f"{experiment.unit}{LOCK}"), waiting),
        _launched(params, experiment, threads) as execution,
    ):
        print(
            f"{experiment} (preset {preset}), code {code}, {execution.describe()}, on {provenance.place()}", flush=True
        )
        laboratory = Laboratory(experiment, preset, recipes, execution, root, code)
        rows = importlib.import_module(experiment.module).run(laboratory)
        if experiment.leaves_networks:
            write_tensors(networks, laboratory.networks)
        write_table(table, table_text(rows))
        record = ExperimentRecord(
            study=experiment.study,
            kind=experiment.kind,
            unit=experiment.unit,
            preset=preset,
            digest=digest,
            settings=dict(experiment.settings),
            cells=laboratory.weights_read,
            variants=laboratory.data_read,
            table=checksum(table),
            networks=checksum(networks) if experiment.leaves_networks else None,
            seconds=round(time.perf_counter() - begun, 3),
            code=code,
            modules=modules(*experiment_roots(experiment, recipes)),
            **checkout._asdict(),
            command=_command(experiment, preset, threads, execution.processes.size),
            provenance={
                **execution.describe(),
                **provenance.environment(),
                "started": started,
                "finished": provenance.now(),
            },
        )
        write_record(root / experiment.record_path(preset), record)
        laboratory.discard_scratch()
    return record


def help_perform(
    params: Params, experiment: Experiment, root: Path, threads: int, expected: tuple[str, str] | None = None
) -> None:
    """Carry out `experiment` together with the process that leads, in which `perform` runs; write nothing.

    Raises as `perform` does.
    """
    recipes = recipes_of(params, experiment)
    _, code = _as_planned(params, experiment, expected)

    from rethinking.experiments.laboratory import Laboratory

    with _launched(params, experiment, threads) as execution:
        laboratory = Laboratory(experiment, params.preset, recipes, execution, root, code)
        importlib.import_module(experiment.module).run(laboratory)


def _as_planned(params: Params, experiment: Experiment, expected: tuple[str, str] | None) -> tuple[str, str]:
    """Return the digests of settings and code. Raises UserError if they are not as `expected`."""
    recipes = recipes_of(params, experiment)
    digest, code = experiment.digest(recipes), experiment_code(experiment, recipes)
    for changed, now, planned in zip(("params.yaml", "the code"), (digest, code), expected or (), strict=False):
        if now != planned:
            raise UserError(f"{changed} changed while {experiment} was waiting; start again to use it as it is now")
    return digest, code


def _launched(params: Params, experiment: Experiment, threads: int) -> "AbstractContextManager[Execution]":
    """Return the context of an execution on the experiment's device, joined with torchrun's other processes, if any."""
    from rethinking.training import devices

    device = "cpu" if experiment.on_cpu else params.execution.device
    return devices.launched(device, params.execution.precision, threads, params.execution.cuda_graphs)


def _command(experiment: Experiment, preset: str, threads: int, processes: int) -> str:
    """Return the command that carries out just this again; `threads` are those of each process."""
    options = f" --threads {threads * processes} --processes {processes}" if processes > 1 else ""
    return f"rethinking experiment {experiment.study} {experiment.kind} {experiment.unit} --preset {preset}{options}"
