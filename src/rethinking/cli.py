"""`rethinking <command>`: what the workflow's rules run, and what a person may run by hand.

Modules are imported inside the commands, so that light commands start at once and only training loads torch.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rethinking.errors import UserError

DATA, RUNS_ROOT, REPORT = Path("data"), Path(), Path("report")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. Exits with 2 and one sentence where a person can put something right."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except UserError as error:
        print(f"rethinking: {error}", file=sys.stderr)
        raise SystemExit(2) from None
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

    command("check", _check, "Validate params.yaml and the selection; say what would be trained.").add_argument(
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
    train.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    train.add_argument(
        "--expect", nargs=2, metavar=("RECIPE", "CODE"), help="stop if the cell's recipe or code is not this any more"
    )
    command("collect", _collect, "Collect a preset's runs into results/<preset>/cells.csv and histories.csv.")
    for kind, function in (("table", _table), ("figure", _figure)):
        one = command(kind, function, f"Make one {kind} of a study from collected results.")
        one.add_argument("study")
        one.add_argument("name")
    command("summary", _summary, "Judge the claims and write the headline numbers of collected results.")
    command("article", _article, "Render the article from a preset's results, without running anything else.")
    command("schema", _schema, "Print the JSON schema of the params.", preset=False)
    return parser


def _check(options: argparse.Namespace) -> None:
    from rethinking.plan import make_plan

    config = {"preset": options.preset} if options.preset else {}
    for setting in options.config:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UserError(f"--config {setting}: must be KEY=VALUE, for example models=mlp-1x512")
        config[key] = value
    plan = make_plan(config)
    print(f"preset {plan.params.preset}: {len(plan.cells)} cells of {', '.join(s.name for s in plan.studies)}")


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
    from rethinking.cells import Cell
    from rethinking.plan import make_plan, require_cell
    from rethinking.runs import train_cell

    plan = make_plan({"preset": options.preset} if options.preset else {})
    cell = Cell.parse(options.cell)
    require_cell(plan.params, cell)
    train_cell(plan.params, cell, DATA, RUNS_ROOT, options.threads, options.expect and tuple(options.expect))


def _collect(options: argparse.Namespace) -> None:
    from rethinking.plan import make_plan
    from rethinking.results.frame import collect, write_results

    plan = make_plan({"preset": options.preset} if options.preset else {})
    cells, histories, missing = collect(plan.params, plan.all_cells, RUNS_ROOT)
    for line in missing:
        print(f"left out: {line}")
    if not cells:
        raise UserError(f"no run of preset {plan.params.preset} is there to collect; train some cells first")
    write_results(_results_folder(plan.params.preset), cells, histories)


def _table(options: argparse.Namespace) -> None:
    from rethinking.files import write_text

    table = _study(options).table(options.name)(_load(options))
    base = _results_folder(_preset(options)) / "tables" / f"{options.study}-{options.name}"
    write_text(base.with_suffix(".csv"), table.csv())
    write_text(base.with_suffix(".md"), table.markdown())


def _figure(options: argparse.Namespace) -> None:
    from rethinking.files import write_text
    from rethinking.results.style import style, svg

    with style():
        drawn = _study(options).figure(options.name)(_load(options))
        text = svg(drawn)
    write_text(_results_folder(_preset(options)) / "figures" / f"{options.study}-{options.name}.svg", text)


def _summary(options: argparse.Namespace) -> None:
    from rethinking.results.summary import write_summary
    from rethinking.studies.registry import STUDIES

    write_summary(_load(options), list(STUDIES.values()), _results_folder(_preset(options)))


def _article(options: argparse.Namespace) -> None:
    from rethinking.article.assemble import assemble
    from rethinking.article.render import render

    assemble(_load(options), _results_folder(_preset(options)), REPORT)
    print(render(REPORT))


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

    params = load_params(preset=options.preset)
    return load_results(params, _results_folder(params.preset))


def _study(options: argparse.Namespace):  # type: ignore[no-untyped-def]
    from rethinking.studies.registry import STUDIES

    if options.study not in STUDIES:
        raise UserError(f"study: found '{options.study}', must be one of {', '.join(STUDIES)}")
    study = STUDIES[options.study]
    made = study.tables if options.run is _table else study.figures
    if options.name not in made:
        raise UserError(f"{options.study} has no '{options.name}', it has {', '.join(made)}")
    return study
