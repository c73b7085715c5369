"""What Snakemake takes to find out what to do, with ten thousand cells: wall time and memory of `snakemake -n`.

    python benchmarks/dry_run.py              in a temporary copy of the project, with nothing done and everything done
    python benchmarks/dry_run.py --keep DIR   leave the copy in DIR, for a profile (an empty or absent folder)

No network is trained: the files are invented, and Snakemake's records are those that its own `--touch` leaves for one
seed, repeated for the others. It must then find nothing to do.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from project import Project  # noqa: E402 (found through the line above)
from rethinking.cells import RUN_FILES, Cell  # noqa: E402
from rethinking.engine.persistence import record_path  # noqa: E402
from rethinking.params import Params  # noqa: E402
from rethinking.plan import make_plan  # noqa: E402

PRESET = "smoke"
SEEDS = 330
"""With the 31 cells of the preset smoke: 10,230."""
TARGET_SECONDS = 60


class Cost(NamedTuple):
    """What one command took."""

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    said: str


def main() -> None:
    """Measure both states and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"of the preset {PRESET}, 31 cells each ({SEEDS})")
    parser.add_argument("--keep", type=Path, help="folder in which the copy is left")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rethinking-dry-run-") as temporary:
        project = Project.copy_to((options.keep or Path(temporary, "copy")).resolve())
        seeds = ", ".join(map(str, range(options.seeds)))
        project.edit("params.yaml", "\nseeds: [0]", f"\nseeds: [{seeds}]")
        plan = make_plan({"preset": PRESET}, project.root / "params.yaml")
        print(f"{len(plan.cells):,} cells", flush=True)

        _report("nothing done", cost := _dry_run(project))
        assert f"train {len(plan.cells)}" in " ".join(cost.said.split()), cost.said
        _do_everything(project, plan.params, plan.cells)
        _report("everything done", cost := _dry_run(project))
        assert "Nothing to be done" in cost.said, cost.said


def _report(state: str, cost: Cost) -> None:
    print(
        f"snakemake -n, {state}: {cost.wall_seconds:.1f} s (at most {TARGET_SECONDS} wanted), "
        f"{cost.cpu_seconds:.1f} s of the CPU, {cost.peak_megabytes:,.0f} MB at most",
        flush=True,
    )


def _dry_run(project: Project) -> Cost:
    with tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            ["snakemake", "-n", "--config", f"preset={PRESET}"],
            cwd=project.root,
            env=project.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)  # unlike getrusage, of this process alone
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - started
        output.seek(0)
        said = output.read()
    assert process.returncode == 0, said
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, said)


def _do_everything(project: Project, params: Params, cells: list[Cell]) -> None:
    """Leave the files and records of a whole run."""
    one_seed = ("--config", f"preset={PRESET}", "seeds=0")
    for output in _outputs(project, *one_seed):
        _invent(project.root / output)
    # Records are written for what is touched, and by itself it touches only what is out of date.
    _run(project, "--touch", "--forceall", *one_seed)
    digest = {cell: params.recipe(cell).digest() for cell in cells}
    for cell in cells:
        if cell.seed != 0:
            first = replace(cell, seed=0)
            for output, twin in zip(_files(first), _files(cell), strict=True):
                _invent(project.root / twin)
                record = (project.root / record_path(output)).read_text(encoding="utf-8")
                record = record.replace(str(first), str(cell)).replace(digest[first], digest[cell])
                values = json.loads(record)
                values["params"].sort()  # as Snakemake does, and digests differ
                path = project.root / record_path(twin)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(values), encoding="utf-8")
    # What is made from all runs at once: it differs from that of one seed.
    _run(project, "--touch", "--config", f"preset={PRESET}")


def _files(cell: Cell) -> list[str]:
    """Return the outputs of training a cell."""
    return [*(f"{cell.run_folder(PRESET)}/{name}" for name in RUN_FILES), str(cell.weights_path(PRESET))]


def _outputs(project: Project, *words: str) -> list[str]:
    """Return every output of the workflow, as Snakemake lists them."""
    table = [line.split("\t") for line in _run(project, "--summary", *words).splitlines()]
    start = next(number for number, row in enumerate(table) if row[0] == "output_file")
    return [row[0] for row in table[start + 1 :] if len(row) == len(table[start])]


def _invent(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{path.name}\n", encoding="utf-8")


def _run(project: Project, *words: str) -> str:
    answer = project.snakemake(*words)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


if __name__ == "__main__":
    main()
