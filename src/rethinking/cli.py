"""`rethinking <command>`: what the workflow's rules run, and what a person may run by hand.

Modules are imported inside the commands, so that light commands start at once and only training loads torch.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NoReturn

from rethinking.errors import UserError
from rethinking.training.interruption import Interrupted
from rethinking.training.launch import launch

DATA, RUNS_ROOT, REPORT, ARTICLES = Path("data"), Path(), Path("report"), Path("articles")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. Exits with 2 and one sentence where a person can put something right."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(words, argparse.Namespace(words=words))
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads, such as `head`, has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except UserError as error:
        print(f"rethinking: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except Interrupted as error:
        if launch().leads:
            what = getattr(options, "cell", None) or f"{options.study}/{options.kind}/{options.unit}"
            print(f"rethinking: {what}: {error}; the same command goes on from there", file=sys.stderr)
        raise SystemExit(error.exit_status) from None
    except KeyboardInterrupt:
        print("rethinking: interrupted", file=sys.stderr)
        raise SystemExit(130) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rethinking", description="The steps of the reproduction, one at a time.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: object, summary: str, *, preset: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=summary)
        added.set_defaults(run=function)
        if preset:
            added.add_argument("--preset", help="preset of params.yaml (default: the one that it names)")
        return added

    for name, function, summary in (
        ("check", _check, "Validate params.yaml and the selection; say what would be trained."),
        ("why", _why, "Say what would run now, and for each group of jobs the reason; nothing is run."),
        ("plan", _plan, "Say what a run would train, how long that takes and how much space; nothing is run."),
        ("benchmark", _benchmark, "Measure what training takes on this machine, and record it for `plan`."),
        ("speed", _speed, "Measure how fast training is beside a plain loop, and with several cells at once."),
    ):
        command(name, function, summary).add_argument(
            "--config", nargs="*", default=[], metavar="KEY=VALUE", help="as for snakemake --config"
        )
    fetch = command("fetch", _fetch, "Fetch and verify a data set's original files.", preset=False)
    fetch.add_argument("dataset")
    corrupt = command("corrupt", _corrupt, "Write one corrupted variant of a data set.", preset=False)
    corrupt.add_argument("dataset")
    corrupt.add_argument("corruption")
    corrupt.add_argument("--seed", type=int, help="of the corruption (default: the one in params.yaml)")
    train = command("train", _train, "Train one cell and leave its run.")
    train.add_argument("cell", help="dataset/model/corruption/regularizer/seed-<k>")
    train.add_argument("--threads", type=int, default=1, help="CPU threads, of all processes together (default: 1)")
    train.add_argument("--processes", type=int, default=1, help="train with torchrun, a GPU each (default: 1)")
    train.add_argument(
        "--expect", nargs=2, metavar=("RECIPE", "CODE"), help="stop if the cell's recipe or code is not this any more"
    )
    experiment = command("experiment", _experiment, "Carry out one experiment of a study and leave its results.")
    for name in ("study", "kind", "unit"):
        experiment.add_argument(name)
    experiment.add_argument("--threads", type=int, default=1, help="CPU threads, of all processes (default: 1)")
    experiment.add_argument(
        "--processes", type=int, default=1, help="carry it out with torchrun, a GPU each, if it can be (default: 1)"
    )
    experiment.add_argument(
        "--expect", nargs=2, metavar=("DIGEST", "CODE"), help="stop if its settings or its code are not this any more"
    )
    command(
        "collect", _collect, "Collect a preset's runs into results/<preset>/: cells.csv, histories.csv, curves.csv."
    )
    for kind, function in (("table", _table), ("figure", _figure)):
        one = command(kind, function, f"Make one {kind} of a study from collected results.")
        one.add_argument("study")
        one.add_argument("name")
    command("summary", _summary, "Judge the claims, write the headline numbers and the curves for `dvc plots`.")
    trace = command("trace", _trace, "Say where a table, a figure or a run comes from.", preset=False)
    trace.add_argument("file", help="a file below results/, runs/ or weights/, or the folder of a run")
    command("article", _article, "Render the article from a preset's results, without running anything else.")
    command(
        "report", _report, "Put the workflow's record, Snakemake's report, beside the rendered article of a preset."
    )
    record = command("record", _record, "Record what is here of a preset in .dvc files, beside what they hold already.")
    record.add_argument("--stage", action="store_true", help="the whole preset has run: mark DVC's stage as up to date")
    for name, function, summary in (
        ("push", _push, "Bring what is recorded of a preset to a remote."),
        ("pull", _pull, "Bring what is recorded of a preset here from a remote."),
    ):
        transfer = command(name, function, summary)
        transfer.add_argument("--remote", help="one of `dvc remote list` (default: DVC's default remote)")
        transfer.add_argument(
            "--no-weights", dest="weights", action="store_false", help="leave the weights where they are"
        )
    publish = command("publish", _publish, "Push the rendered article of a preset to the branch that Pages serves.")
    publish.add_argument("--remote", default="origin", help="Git remote (default: origin)")
    publish.add_argument("--dry-run", action="store_true", help="say what would be published")
    checked = command("codecheck", _codecheck, "Compare results with the recorded ones; exit 1 if they differ.")
    checked.add_argument("--revision", default="HEAD", help="Git revision that holds the recorded ones (default: HEAD)")
    checked.add_argument("--relative", type=float, help="how much of its size a number may differ by (default: 1e-4)")
    checked.add_argument("--absolute", type=float, help="how much it may differ by in any case (default: 1e-6)")
    command("manifest", _manifest, "Print codecheck.yml, the outputs to be made again by who checks them.")
    command("schema", _schema, "Print the JSON schema of the params.", preset=False)
    return parser


def _check(options: argparse.Namespace) -> None:
    from rethinking.plan import make_plan, require_folders

    plan = make_plan(_selection(options))
    require_folders(plan)
    print(f"preset {plan.params.preset}: {len(plan.cells)} cells of {', '.join(s.name for s in plan.studies)}")


def _why(options: argparse.Namespace) -> None:
    from rethinking.plan import make_plan
    from rethinking.why.report import why

    config = _selection(options)
    print(*why(make_plan(config), config), sep="\n")


def _plan(options: argparse.Namespace) -> None:
    from rethinking.cost.forecast import described, forecast
    from rethinking.cost.measurements import read_measurements
    from rethinking.plan import make_plan, require_folders

    plan = make_plan(_selection(options))
    require_folders(plan)
    print(described(forecast(plan, read_measurements(), RUNS_ROOT)))


def _benchmark(options: argparse.Namespace) -> None:
    from rethinking.cost.benchmark import benchmark
    from rethinking.cost.lines import merged
    from rethinking.cost.measurements import MEASUREMENTS, read_measurements, write_measurements
    from rethinking.plan import make_plan

    plan = make_plan(_selection(options))
    recorded = read_measurements()
    for measured in benchmark(plan.params, plan.cells):
        print(measured, flush=True)
        recorded = merged(recorded, [measured.measurement])
        write_measurements(recorded)
    print(f"Recorded in {MEASUREMENTS}; `rethinking plan` reads it.")


def _speed(options: argparse.Namespace) -> None:
    from rethinking.cost.floor import floor_of
    from rethinking.cost.lines import merged, read, write
    from rethinking.cost.speed import SPEED, Speed, measure_speed, table
    from rethinking.plan import make_plan

    plan = make_plan(_selection(options))
    recorded, found = read(Speed, SPEED), list[Speed]()
    for measured in measure_speed(plan.params, plan.cells):
        found.append(measured)
        print(
            f"{measured.workload}, {measured.cells_at_once} at once: {measured.images_per_second:,.0f} images/s",
            flush=True,
        )
        recorded = merged(recorded, [measured])
        write(Speed, recorded, SPEED)
    device = next(f"{line.device_name}, {line.precision}, {line.threads} threads a cell" for line in found)
    print(f"\n{device}:\n{table(found)}")
    floor = floor_of({cell: plan.params.recipe(cell) for cell in plan.cells}, found)
    print(*([floor] if floor else []), f"Recorded in {SPEED}.", sep="\n")


def _fetch(options: argparse.Namespace) -> None:
    from rethinking.data.sources import MIRROR_VARIABLE, fetch
    from rethinking.params_file import load_params

    mirror = os.environ.get(MIRROR_VARIABLE) or load_params().data.mirror
    print(fetch(options.dataset, DATA, mirror))


def _corrupt(options: argparse.Namespace) -> None:
    from rethinking.data.variants import corrupt
    from rethinking.params_file import load_params

    seed = load_params().data.corruption_seed if options.seed is None else options.seed
    print(corrupt(DATA, options.dataset, options.corruption, seed))


def _train(options: argparse.Namespace) -> None:
    if options.processes > 1 and launch().size == 1:
        _start_together(options)
    _leave_to_worker(options)

    from rethinking.cells import Cell
    from rethinking.plan import make_plan, require_cell
    from rethinking.runs import help_train, train_cell

    plan = make_plan({"preset": options.preset} if options.preset else {})
    cell = Cell.parse(options.cell)
    require_cell(plan.params, cell)
    train = train_cell if launch().leads else help_train
    train(plan.params, cell, DATA, RUNS_ROOT, options.threads, options.expect and tuple(options.expect))


def _leave_to_worker(options: argparse.Namespace) -> None:
    """Have a process do it that has loaded what takes seconds to load, and end as it does; return where none is."""
    from rethinking.trainer.client import run_elsewhere

    if (status := run_elsewhere(options.words)) is not None:
        raise SystemExit(status)


def _start_together(options: argparse.Namespace) -> NoReturn:
    """Become torchrun, which starts this command in several processes."""
    threads = str(max(1, options.threads // options.processes))
    runner = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(options.processes), "-m", "rethinking"]
    os.environ.update(OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads)
    os.execv(sys.executable, [sys.executable, "-m", *runner, *options.words, "--threads", threads])


def _experiment(options: argparse.Namespace) -> None:
    if options.processes == 1:
        _leave_to_worker(options)

    from rethinking.experiments.streamed import StreamedExperiment
    from rethinking.plan import make_plan
    from rethinking.studies.registry import require_experiment

    params = make_plan(_config(options)).params
    found = require_experiment(params, options.study, options.kind, options.unit)
    if options.processes > 1 and not isinstance(found, StreamedExperiment):
        raise UserError(f"--processes: {found} is carried out by one process; leave the option out")
    if options.processes > 1 and launch().size == 1:
        _start_together(options)

    from rethinking.experiments.perform import help_perform, perform

    carry_out = perform if launch().leads else help_perform
    carry_out(params, found, RUNS_ROOT, options.threads, options.expect and tuple(options.expect))


def _collect(options: argparse.Namespace) -> None:
    from rethinking.files import write_text
    from rethinking.plan import make_plan
    from rethinking.results.frame import collect, write_results
    from rethinking.results.learning_curves import CURVES, collect_curves
    from rethinking.studies.registry import histories as read_by_studies

    plan = make_plan({"preset": options.preset} if options.preset else {})
    cells, histories, missing = collect(plan.params, plan.all_cells, RUNS_ROOT, read_by_studies(plan.params))
    for line in missing:
        print(f"left out: {line}")
    if not cells:
        raise UserError(f"no run of preset {plan.params.preset} is there to collect; train some cells first")
    folder = _results_folder(plan.params.preset)
    write_text(folder / CURVES, collect_curves(plan.params, plan.all_cells, RUNS_ROOT))
    write_results(folder, cells, histories)


def _table(options: argparse.Namespace) -> None:
    _write("table", options)


def _figure(options: argparse.Namespace) -> None:
    _write("figure", options)


def _write(kind: Literal["table", "figure"], options: argparse.Namespace) -> None:
    _leave_to_worker(options)

    from rethinking.results.outputs import write
    from rethinking.studies.registry import require_output

    study = require_output(kind, options.study, options.name)
    write(kind, study, options.name, _load(options), _results_folder(_preset(options)))


def _summary(options: argparse.Namespace) -> None:
    from rethinking.results.summary import write_summary
    from rethinking.studies.registry import STUDIES

    write_summary(_load(options), list(STUDIES.values()), _results_folder(_preset(options)))


def _trace(options: argparse.Namespace) -> None:
    from rethinking.trace.report import trace

    print(*trace(options.file), sep="\n")


def _article(options: argparse.Namespace) -> None:
    from rethinking.article.assemble import assemble
    from rethinking.article.render import render
    from rethinking.article.site import complete

    preset, results = _preset(options), _load(options)
    source, place = _results_folder(preset), ARTICLES / preset
    assemble(results, source, REPORT)
    print(render(REPORT, place, lambda site: complete(site, REPORT, results.fresh(), source, place)))


def _report(options: argparse.Namespace) -> None:
    from rethinking.publishing.report import report

    preset = _preset(options)
    print(report(preset, ARTICLES / preset))


def _publish(options: argparse.Namespace) -> None:
    from rethinking.article.render import find_quarto
    from rethinking.publishing.site import publish

    preset = _preset(options)
    site, results = ARTICLES / preset, _results_folder(preset)
    print(publish(site, results, remote=options.remote, quarto=find_quarto(), dry_run=options.dry_run))


def _codecheck(options: argparse.Namespace) -> None:
    from rethinking.publishing.codecheck import Tolerance, codecheck

    given = {name: getattr(options, name) for name in Tolerance._fields if getattr(options, name) is not None}
    comparison, lines = codecheck(_results_folder(_preset(options)), options.revision, Tolerance(**given))
    print(*lines, sep="\n")
    if comparison.differences:
        raise SystemExit(1)


def _manifest(options: argparse.Namespace) -> None:
    from rethinking.publishing.manifest import manifest

    print(manifest(_preset(options)), end="")


def _record(options: argparse.Namespace) -> None:
    from rethinking.plan import make_plan
    from rethinking.versions.record import record
    from rethinking.versions.repository import NotACheckout

    try:
        recorded = record(make_plan(_config(options)), stage=options.stage)
    except NotACheckout as error:
        # Runs from a source archive are as good: there is only nothing to record them in.
        print(f"rethinking: not recorded for DVC: {error}", file=sys.stderr)
        return
    if recorded.changed:
        print(f"Recorded: {_folders(recorded.changed)}. Commit the .dvc files to Git to share it.")
    for sentence in recorded.skipped:
        print(f"rethinking: {sentence}", file=sys.stderr)


def _push(options: argparse.Namespace) -> None:
    from rethinking.plan import make_plan
    from rethinking.versions.transfer import push

    done = push(make_plan(_config(options)), weights=options.weights, remote=options.remote)
    print(f"Remote '{done.remote}' holds {_folders(done.folders)}: {done.copied} objects were new to it.")


def _pull(options: argparse.Namespace) -> None:
    from rethinking.plan import make_plan
    from rethinking.versions.transfer import pull

    done = pull(make_plan(_config(options)), weights=options.weights, remote=options.remote)
    print(f"Here from remote '{done.remote}': {_folders(done.folders)}; {done.copied} objects were fetched.")


def _folders(folders: Sequence[Path]) -> str:
    """Name folders, the variants of data sets by their number: there are more than a line holds."""
    variants = sum(folder.parts[0] == DATA.name for folder in folders)
    counted = [f"{variants} data variant{'s' * (variants != 1)}"] if variants else []
    return ", ".join([*counted, *(str(folder) for folder in folders if folder.parts[0] != DATA.name)])


def _config(options: argparse.Namespace) -> dict[str, str]:
    return {"preset": options.preset} if options.preset else {}


def _selection(options: argparse.Namespace) -> dict[str, str]:
    config = _config(options)
    for setting in options.config:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UserError(f"--config {setting}: must be KEY=VALUE, for example models=mlp-1x512")
        config[key] = value
    return config


def _schema(options: argparse.Namespace) -> None:
    import json

    from rethinking.params import Params

    print(json.dumps(Params.model_json_schema(), indent=2))


def _preset(options: argparse.Namespace) -> str:
    from rethinking.params_file import load_params

    return load_params(preset=options.preset).preset


def _results_folder(preset: str) -> Path:
    return Path("results") / preset


def _load(options: argparse.Namespace):  # type: ignore[no-untyped-def]  # naming the type would import pandas
    from rethinking.params_file import load_params
    from rethinking.results.frame import load_results
    from rethinking.studies.registry import experiments

    params = load_params(preset=options.preset)
    return load_results(params, _results_folder(params.preset), experiments(params))
