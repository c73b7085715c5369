"""`rethinking trace FILE`: first what the record says, then whether what lies here now is what it speaks of."""

import os
from pathlib import Path

from rethinking.cells import RUN_FILES, WEIGHTS_FILE, Cell
from rethinking.errors import UserError
from rethinking.params_file import load_params
from rethinking.results.frame import load_results
from rethinking.results.learning_curves import CURVES
from rethinking.results.lineage import used_experiments, used_runs
from rethinking.studies.registry import experiments
from rethinking.trace.experiments import NETWORKS_SUFFIX, trace_experiment
from rethinking.trace.outputs import trace_output
from rethinking.trace.runs import trace_run
from rethinking.trace.words import UNCOMMITTED, sources_words


def trace(file: str, root: Path = Path()) -> list[str]:
    """Return the lines that say where `file`, a result of the project in `root`, comes from.

    Raises UserError, in one sentence, if it is no result or if there is no record of it.
    """
    lines = _trace(file, root)
    if any(UNCOMMITTED in line for line in lines):
        lines.append("Where there were uncommitted changes, the commit alone may not give the same again.")
    return lines


def _trace(file: str, root: Path) -> list[str]:
    place = Path(os.path.relpath(file or ".", root))
    match place.parts:
        case ("results", preset, "tables" | "figures", _):
            return trace_output(place, preset, root)
        case ("results", preset, "experiments", _, _, _):
            return trace_experiment(place, preset, root)
        case ("weights", preset, "experiments", *_) if place.suffix == NETWORKS_SUFFIX and len(place.parts) == 6:
            return trace_experiment(place, preset, root)
        case ("results", preset, *_) if (root / place).is_file():
            return _trace_summary(place, preset, root)
        case ("runs" | "weights", preset, *names) if len(names) >= 5 and "/".join(names[5:]) in (
            "",
            *RUN_FILES,
            WEIGHTS_FILE,
        ):
            return trace_run(Cell.parse("/".join(names[:5])), preset, root)
    raise UserError(
        f"'{file}' is no result of this project: neither a file below results/<preset>/, nor a run, "
        "which is a folder below runs/<preset>/ or weights/<preset>/ or a file in it"
    )


def _trace_summary(place: Path, preset: str, root: Path) -> list[str]:
    """Say what the files come from that sum up all runs: collected lines, headline numbers, claims, plots."""
    collected = place.name in ("cells.csv", "histories.csv", CURVES)
    params = load_params(root / "params.yaml", preset)
    results = load_results(params, root / "results" / preset, experiments(params))
    used = [] if collected else used_experiments(results.experiments)
    return [
        f"{place}: {'collected from the' if collected else 'sums up all'} runs of preset {preset}",
        f"made again by: rethinking {'collect' if collected else 'summary'} --preset {preset}",
        "",
        *sources_words(used, used_runs(results.cells, preset)),
    ]
