"""What the workflow costs beside the work: shares of a whole run, from nothing to the article.

    python benchmarks/overhead.py                     the preset smoke, in a temporary copy of the project
    python benchmarks/overhead.py --preset digits     a quarter of an hour on two cores
    python benchmarks/overhead.py --of DIR SECONDS    of a run in DIR from nothing, and the wall time that it took

Time is that of all cores: a run of 100 s on two cores has 200. Of these, training is the epochs of cells as their
records have them, and experiments likewise. A start is the rest of these jobs: the shell, handing over to a process
that has loaded torch, reading and verifying data, writing the run. Between jobs are Snakemake's own work, which finds
out what to run, checks outputs and writes records, and cores that had nothing to do.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from project import Project  # noqa: E402 (found through the line above)
from rethinking.cost.estimate import available_cores  # noqa: E402


def main() -> None:
    """Run a preset, or take a run that is there, and print where its time went."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--preset", default="smoke")
    parser.add_argument("--of", nargs=2, metavar=("DIR", "SECONDS"), help="a run that is finished")
    options = parser.parse_args()
    if options.of:
        report(Path(options.of[0]), options.preset, float(options.of[1]))
        return
    with tempfile.TemporaryDirectory(prefix="rethinking-overhead-") as temporary:
        project = Project.copy_to(Path(temporary, "copy").resolve())
        started = time.perf_counter()
        answer = project.snakemake("--config", f"preset={options.preset}")
        wall = time.perf_counter() - started
        assert answer.returncode == 0, answer.stdout + answer.stderr
        report(project.root, options.preset, wall)


def report(root: Path, preset: str, wall: float) -> None:
    """Print the shares of the run of `preset` in `root`."""
    cores = available_cores()
    total = wall * cores
    jobs, seconds = job_seconds(root, preset)
    work = {
        "train": sum(_seconds(path) for path in (root / "runs" / preset).rglob("metrics.json")),
        "experiment": sum(map(_seconds, _experiments(root, preset))),
    }
    print(f"{preset}: {wall:.1f} s on {cores} cores, {total:.1f} core seconds, {sum(jobs.values())} jobs")
    for rule, spent in work.items():
        print(_line(f"{rule}: epochs" if rule == "train" else f"{rule}: itself", spent, total, jobs[rule]))
        print(_line(f"{rule}: start", seconds[rule] - spent, total, jobs[rule]))
    for rule, spent in seconds.most_common():
        if rule not in work:
            print(_line(rule, spent, total, jobs[rule]))
    print(_line("between jobs", total - sum(seconds.values()), total))
    print(_line("all but epochs and experiments", total - sum(work.values()), total))


def job_seconds(root: Path, preset: str) -> tuple[Counter[str], Counter[str]]:
    """Return the number of jobs of each rule and how long they took, from the records of their outputs."""
    found: dict[tuple[str, tuple[str, ...]], list[float]] = {}
    for folder in (root / "runs" / preset, root / "data"):
        for path in folder.rglob(".snakemake/**/*"):
            if path.is_file():
                record = json.loads(path.read_text(encoding="utf-8"))
                # Streamed, with networks or without: one kind of work. A job has as many records as outputs.
                rule = "experiment" if "experiment" in record["rule"] else record["rule"]
                times = record["starttime"], record["endtime"]
                found.setdefault((rule, tuple(record["log"])), []).extend(times)
    jobs, seconds = Counter[str](), Counter[str]()
    for (rule, _), times in found.items():
        jobs[rule] += 1
        seconds[rule] += max(times) - min(times)  # type: ignore[assignment]  # a counter counts anything
    return jobs, seconds


def _experiments(root: Path, preset: str) -> list[Path]:
    """Return the records of the experiments of this run: results may hold some that earlier ones have left."""
    made = root / "runs" / preset / ".snakemake" / "results" / "experiments"
    return [root / "results" / preset / "experiments" / path.relative_to(made) for path in made.rglob("*.json")]


def _seconds(path: Path) -> float:
    return float(json.loads(path.read_text(encoding="utf-8")).get("seconds", 0.0))


def _line(what: str, seconds: float, total: float, jobs: int | None = None) -> str:
    each = f"{1000 * seconds / jobs:8.0f} ms each of {jobs}" if jobs else ""
    return f"{what:32} {seconds:9.1f} s {seconds / total:7.1%} {each}".rstrip()


if __name__ == "__main__":
    main()
