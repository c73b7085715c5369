"""The progress display: its state, its words, and six real Snakemake runs."""

from __future__ import annotations

import fcntl
import io
import logging
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase
from snakemake_interface_logger_plugins.tests import MockOutputSettings, TestLogHandlerBase

from snakemake_logger_plugin_rethinking import LogHandler
from snakemake_logger_plugin_rethinking.display import LiveDisplay, PlainDisplay, make_display, render
from snakemake_logger_plugin_rethinking.problems import LOCKED, RESUME, Problems, log_tail
from snakemake_logger_plugin_rethinking.progress import Job, Progress
from snakemake_logger_plugin_rethinking.words import about, clock, job_name, line, title_of

SRC = Path(__file__).parents[2] / "src"


def cell(jobid: int, model: str = "mlp-1x512", started: float = 0.0, seed: int = 0) -> Job:
    wildcards = {
        "preset": "digits",
        "dataset": "digits",
        "model": model,
        "corruption": "random-labels",
        "regularizer": "none",
        "seed": str(seed),
    }
    return Job(jobid, "train", wildcards, (), started)


def training(cells: int, cores: int = 2) -> Progress:
    progress = Progress(started=0.0, cores=cores)
    progress.plan({"train": cells, "all": 1})
    return progress


# --- words


def test_cells_and_experiments_are_named_by_their_paths_and_other_jobs_by_rule_and_wildcards() -> None:
    assert cell(1, seed=3).name == "digits/mlp-1x512/random-labels/none/seed-3"
    unit = {"preset": "digits", "study": "sparsity", "kind": "one-shot", "unit": "alexnet.true.seed-0"}
    for rule in ("experiment", "experiment_with_networks"):
        assert job_name(rule, unit) == "sparsity/one-shot/alexnet.true.seed-0"
    assert job_name("fetch", {"dataset": "mnist"}) == "fetch mnist"
    assert job_name("table_one", {}) == "table one"


def test_stages_have_titles() -> None:
    assert title_of("train") == "Train"
    assert title_of("table_one") == "Table one"
    assert title_of("corrupt_labels") == title_of("corrupt_images") == "Make variants"
    assert title_of("experiment") == title_of("experiment_with_networks") == "Experiments"


def test_times_read_like_a_clock_and_estimates_are_coarser() -> None:
    assert [clock(s) for s in (-1, 5, 190, 3733)] == ["0:00", "0:05", "3:10", "1:02:13"]
    assert [about(s) for s in (0, 4.2, 187, 3733)] == ["0:00", "0:05", "3:10", "1:03:00"]


# --- state


def test_rules_with_one_title_are_one_stage_and_targets_are_none() -> None:
    progress = Progress(started=0.0)
    progress.plan({"corrupt_labels": 2, "corrupt_images": 3, "all": 1})
    (stage,) = progress.view(0.0).stages
    assert (stage.title, stage.done, stage.total) == ("Make variants", 0, 5)


def test_experiments_are_one_stage_and_each_kind_has_a_time_of_its_own() -> None:
    progress = Progress(started=0.0, cores=1)
    progress.plan({"experiment": 3, "experiment_with_networks": 2})

    def job(jobid: int, kind: str, started: float) -> Job:
        rule = "experiment_with_networks" if kind == "iterative" else "experiment"
        return Job(jobid, rule, {"study": "sparsity", "kind": kind, "unit": str(jobid)}, (), started)

    for jobid, kind, seconds in ((1, "one-shot", 10.0), (2, "retraining", 50.0), (3, "iterative", 100.0)):
        progress.start(job(jobid, kind, 0.0))
        progress.finish(jobid, seconds)
    progress.start(job(4, "retraining", 100.0))
    view = progress.view(100.0)
    (stage,) = view.stages
    assert (stage.title, stage.done, stage.total, stage.unit) == ("Experiments", 3, 5, "jobs")
    assert view.running[0][0] == "sparsity/retraining/4"
    # That of its kind is expected to take 50 s as before, the one that leaves networks 100 s.
    assert view.remaining == pytest.approx(50 + 100)
    assert line(view) == "[01:40] Experiments 3/5, 2:30 remaining"


def test_finishing_the_last_job_completes_a_stage_once() -> None:
    progress = training(2)
    progress.start(cell(1))
    progress.start(cell(2))
    assert progress.finish(1, 5.0) == ()
    assert [stage.title for stage in progress.finish(2, 6.0)] == ["Train"]
    assert progress.finish(2, 7.0) == ()


def test_a_plain_line_says_where_the_run_stands() -> None:
    progress = training(4)
    progress.start(cell(1, started=0.0))
    assert line(progress.view(3.0)) == "[00:03] Train 0/4 cells, estimating the time remaining"
    progress.finish(1, 100.0)
    progress.start(cell(2, started=100.0))
    assert line(progress.view(133.0)) == "[02:13] Train 1/4 cells, 4:30 remaining"


def test_nothing_is_estimated_before_the_first_cell_has_finished() -> None:
    progress = Progress(started=0.0, cores=1)
    progress.plan({"fetch": 1, "train": 1})
    progress.start(Job(1, "fetch", {}, (), 0.0))
    progress.finish(1, 3.0)
    assert progress.view(3.0).remaining is None
    progress.start(cell(2, started=3.0))
    assert progress.view(9.0).remaining is None


def test_a_running_cell_is_expected_to_take_as_long_as_others_of_its_model() -> None:
    progress = training(4, cores=1)
    now = 0.0
    for jobid, (model, seconds) in enumerate([("slow", 100.0), ("fast", 10.0)]):
        progress.start(cell(jobid, model, now))
        now += seconds
        progress.finish(jobid, now)
    progress.start(cell(9, "slow", now))
    # 100 s for the slow one that runs, and the mean of 100 and 10 for the one still unknown.
    assert progress.view(now).remaining == pytest.approx(100 + 55)


def test_work_is_shared_by_as_many_jobs_as_run_at_once() -> None:
    progress = training(9)
    for jobid in range(4):
        progress.start(cell(jobid))
    for jobid in range(4):
        progress.finish(jobid, 10.0)
        progress.start(cell(jobid + 4, started=10.0))
    assert progress.view(10.0).remaining == pytest.approx(5 * 10 / 4)


def test_the_remaining_time_follows_the_clock_and_surprises_softly() -> None:
    progress = training(11, cores=1)
    progress.start(cell(1))
    progress.finish(1, 10.0)
    progress.start(cell(2, started=10.0))
    shown = [progress.view(10.0 + tick / 4).remaining for tick in range(4 * 60)]
    steps = [after - before for before, after in pairwise(shown) if after and before]
    # From the tenth second on the cell takes longer than the first: the estimate turns, it does not jump.
    assert shown[0] == pytest.approx(100.0)
    assert steps[0] == pytest.approx(-0.25)
    assert all(abs(step) < 1 for step in steps)


def test_the_remaining_time_is_never_negative_nor_nought_while_a_cell_runs() -> None:
    progress = training(2, cores=1)
    progress.start(cell(1))
    progress.finish(1, 10.0)
    progress.start(cell(2, started=10.0))
    for now in (15.0, 20.0, 200.0, 100.0):  # a wall clock may be set back
        remaining = progress.view(now).remaining
        assert remaining is not None
        assert remaining > 0


def test_a_failed_job_that_is_tried_again_and_finishes_has_not_failed() -> None:
    progress, problems = training(1), Problems()
    progress.start(cell(1))
    problems.job_failed(1, progress.fail(1), "train", (), 1.0)
    assert progress.view(1.0).failed == (cell(1).name,)
    progress.start(cell(1, started=2.0))
    progress.finish(1, 3.0)
    problems.recovered(1)
    assert progress.view(3.0).failed == ()
    assert problems.report(None) == ""


def test_jobs_beyond_the_plan_extend_it() -> None:
    progress = training(1)
    for jobid in range(3):
        progress.start(cell(jobid))
    assert progress.view(0.0).stages[0].total == 3


# --- problems


def test_a_jobs_error_is_told_with_the_job_and_not_again(tmp_path: Path) -> None:
    problems = Problems()
    problems.error("RuleException", "RuleException:\nCommand 'run a' returned non-zero exit status 2.")
    problems.error("RuleException", "RuleException:\nCommand 'run b' returned non-zero exit status 137.")
    problems.claim_cause(problems.job_failed(1, cell(1), "train", [str(tmp_path / "no.log")], 1.0), "run a")
    problems.claim_cause(problems.job_failed(2, None, "table_one", [], 1.0), "run b")
    problems.error("WorkflowError", "WorkflowError:\nAt least one job did not complete successfully.")
    report = problems.report("/run/full.log")
    assert "random-labels/none/seed-0: exit status 2" in report
    assert "no.log (not written)" in report
    assert "table one: killed from outside" in report
    assert report.count("Command 'run a'") == 1
    assert "At least one job" not in report
    assert report.endswith(f"{RESUME}\nFull log: /run/full.log")


def test_other_errors_are_told_in_full_and_once() -> None:
    problems = Problems()
    for _ in range(2):
        problems.error("WorkflowError", "WorkflowError:\nparams.yaml: lr\n  allowed: a positive number")
    assert problems.report("/run/full.log") == "Error: params.yaml: lr\n  allowed: a positive number"


def test_a_locked_folder_comes_with_what_to_do() -> None:
    from snakemake.exceptions import LockException, format_exception_to_string

    problems = Problems()
    problems.error("LockException", format_exception_to_string(LockException()))
    report = problems.report(None)
    assert str(Path.cwd()) in report
    assert report.endswith(LOCKED)
    assert report.count("--unlock") == 1


def test_jobs_that_end_because_a_person_stopped_the_run_have_not_failed() -> None:
    problems = Problems(interrupted_at=100.0)
    problems.job_failed(1, cell(1, seed=1), "train", (), 50.0)
    problems.job_failed(2, cell(2, seed=2), "train", (), 99.9)
    report = problems.report(None)
    assert "seed-1" in report
    assert "seed-2" not in report
    assert "Stopped on request." in report


def test_a_log_tail_cannot_disturb_the_terminal(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"\n".join(b"line %d" % i for i in range(20)) + b"\n1%\r50%\r99%\r\n\x1b[2J\x1b[31mred\xff\n\n")
    tail = log_tail(log, 3)
    assert tail == ["line 19", "99%", "red\N{REPLACEMENT CHARACTER}"]


# --- display


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_display_is_live_only_where_the_cursor_can_move() -> None:
    assert isinstance(make_display(Terminal(), environ={"TERM": "xterm"}), LiveDisplay)
    assert isinstance(make_display(Terminal(), environ={"TERM": "dumb"}), PlainDisplay)
    assert isinstance(make_display(io.StringIO(), environ={"TERM": "xterm"}), PlainDisplay)


def test_plain_lines_appear_when_something_has_changed() -> None:
    stream, progress = io.StringIO(), training(3)
    display = PlainDisplay(stream, line_seconds=0.05, sign_of_life_seconds=60)
    progress.start(cell(1))
    display.start(lambda: progress.view(1.0))
    time.sleep(0.3)
    assert stream.getvalue() == ""
    progress.finish(1, 1.0)
    time.sleep(0.3)
    display.stop()
    assert stream.getvalue().splitlines() == ["[00:01] Train 1/3 cells, 0:02 remaining"]


@pytest.mark.parametrize("height", [6, 8, 12, 24, 60])
def test_the_live_block_fits_the_terminal(height: int) -> None:
    progress = Progress(started=0.0)
    progress.plan({f"table_{i}": 1 for i in range(40)} | {"train": 100})
    for jobid in range(30):
        progress.start(cell(jobid))
    progress.fail(29)
    console = Console(file=io.StringIO(), width=50, height=height, force_terminal=True, color_system=None)
    rows = console.render_lines(render(progress.view(1.0), 50, height))
    text = "\n".join("".join(segment.text for segment in row) for row in rows)
    assert len(rows) < height
    assert "estimating" in text
    assert "Train" in text


# --- the plugin


class TestContract(TestLogHandlerBase):
    """The checks that the plugin interface has for every plugin."""

    __test__ = True

    @pytest.fixture(autouse=True)
    def _close(self) -> Iterator[None]:
        self.handlers: list[LogHandlerBase] = []
        yield
        for handler in self.handlers:
            handler.close()

    def get_log_handler_cls(self) -> type[LogHandlerBase]:
        return LogHandler

    def get_log_handler_settings(self) -> LogHandlerSettingsBase:
        return LogHandlerSettingsBase()

    def _create_handler(self) -> LogHandlerBase:
        self.handlers.append(super()._create_handler())
        return self.handlers[-1]


def test_a_broken_display_costs_neither_the_run_nor_the_news(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no screen")

    monkeypatch.setattr(PlainDisplay, "start", broken)
    handler = LogHandler(MockOutputSettings(), LogHandlerSettingsBase())
    for event, text in ((LogEvent.WORKFLOW_STARTED, ""), (LogEvent.ERROR, "the news")):
        record = logging.makeLogRecord({"event": event, "msg": text, "quietness": None})
        handler.emit(record)
    handler.close()
    err = capsys.readouterr().err
    assert "no screen" in err
    assert "the news" in err


# --- real runs

SNAKEFILE = """
rule all:
    input: "results/cells.csv"
rule fetch:
    output: "data/{dataset}.npz"
    shell: "touch {output}"
rule train:
    input: "data/{dataset}.npz"
    output: "runs/{preset}/{dataset}/{model}/{corruption}/{regularizer}/seed-{seed}"
    log: "logs/{preset}/{dataset}/{model}/{corruption}/{regularizer}/seed-{seed}.log"
    shell: "(sleep $SECONDS_PER_CELL; echo RuntimeError: diverged {wildcards.seed}; "
        "test {wildcards.seed} != $FAIL) > {log} 2>&1; touch {output}"
rule collect:
    input: expand("runs/digits/digits/{model}/true/none/seed-{s}", model=["a", "b"], s=[0, 1])
    output: "results/cells.csv"
    shell: "touch {output}"
"""
DIVERGED = "digits/{model}/true/none/seed-1: exit status 1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    return tmp_path


def environment(fail: str = "none", seconds: float = 0.3) -> dict[str, str]:
    own = {"PYTHONPATH": str(SRC), "FAIL": fail, "SECONDS_PER_CELL": str(seconds), "TERM": "xterm-256color"}
    return {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | own


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", "--logger", "rethinking", "--cores", "2", *arguments]


def piped(folder: Path, *arguments: str, fail: str = "none") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment(fail), capture_output=True, text=True, timeout=60
    )


def _take_terminal() -> None:
    """Only a controlling terminal turns the key into a signal, and a shell's background job would ignore it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def on_terminal(folder: Path, interrupt_at: str | None = None, seconds: float = 0.3) -> tuple[str, int]:
    """Run on a pseudo terminal; press Ctrl-C once the text shows up. Returns the raw output and status."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen(
        command(),
        cwd=folder,
        env=environment(seconds=seconds),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    raw = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # how Linux reports that the other side has been closed
            break
        if not chunk:
            break
        raw += chunk
        if interrupt_at is not None and interrupt_at.encode() in raw:
            time.sleep(0.5)  # a job is announced just before its process starts, and would miss the signal
            os.write(ours, b"\x03")
            interrupt_at = None
    os.close(ours)
    return raw.decode(), process.wait(timeout=60)


def screen(raw: str) -> list[str]:
    """What a terminal shows in the end; knows the control sequences that the display uses."""
    rows, row, column = [""], 0, 0
    for control, text in re.findall(r"(\x1b\[[0-9;?]*[A-Za-z]|\r|\n)|([^\x1b\r\n]+)", raw):
        if text:
            rows[row] = rows[row].ljust(column)[:column] + text + rows[row][column + len(text) :]
            column += len(text)
        elif control == "\r":
            column = 0
        elif control == "\n":
            row += 1
            rows += [""] * (row + 1 - len(rows))
        elif control.endswith("A"):
            row -= int(control[2:-1] or 1)
        elif control == "\x1b[2K":
            rows[row] = ""
    return [line for line in map(str.rstrip, rows) if line]


def test_a_run_on_a_terminal_is_shown_live_and_leaves_one_line_then_there_is_nothing_to_do(
    folder: Path,
) -> None:
    raw, status = on_terminal(folder)
    assert status == 0
    assert "digits/a/true/none/seed-0" in raw
    assert "estimating the time remaining" in raw
    (last,) = screen(raw)
    assert re.fullmatch(r"Done in 0:\d\d: Fetch data 1, Train 4 cells, Collect results 1\.", last)

    again = piped(folder)
    assert again.returncode == 0
    assert again.stderr.splitlines() == ["Nothing to do: all requested files are present and up to date."]


def test_ctrl_c_leaves_the_terminal_as_it_was_and_blames_no_job(folder: Path) -> None:
    raw, status = on_terminal(folder, interrupt_at="digits/b/true/none", seconds=10)
    assert status != 0
    assert raw.rfind("\x1b[?25h") > raw.rfind("\x1b[?25l")  # the cursor is visible
    assert screen(raw) == ["Stopping the running jobs ...", "Stopped on request.", RESUME]


def test_failed_cells_are_told_at_the_end_with_their_logs_and_a_dry_run_lists_what_is_left(
    folder: Path,
) -> None:
    run = piped(folder, "--keep-going", fail="1")
    assert run.returncode == 1
    assert run.stdout == ""
    assert "\x1b" not in run.stderr
    assert "\r" not in run.stderr
    report = run.stderr.partition("2 jobs failed:")[2]
    for model in "ab":
        assert DIVERGED.format(model=model) in report
        assert f"log: logs/digits/digits/{model}/true/none/seed-1.log" in report
    assert report.count("  | RuntimeError: diverged 1") == 2
    assert RESUME in report
    full_log = Path(report.partition("Full log: ")[2].strip())
    assert full_log.parent == folder / ".snakemake" / "log"
    assert "Error in rule train" in full_log.read_text()

    dry = piped(folder, "--dry-run")
    assert dry.returncode == 0
    assert re.search(r"train +2\n", dry.stdout)
    assert "Missing output files" in dry.stdout


def test_an_error_in_the_workflow_is_told_in_full_without_noise(folder: Path) -> None:
    (folder / "Snakefile").write_text('raise ValueError("params.yaml: train.lr\\n  allowed: a number")\n')
    run = piped(folder)
    assert run.returncode == 1
    assert run.stderr.startswith("Error: ValueError in file")
    assert "params.yaml: train.lr\n  allowed: a number" in run.stderr
    assert "Building DAG" not in run.stderr
