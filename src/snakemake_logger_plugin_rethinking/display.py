"""How a run reaches a person: a live display on a terminal, plain lines elsewhere, both on stderr."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from snakemake_logger_plugin_rethinking.progress import StageView, View
from snakemake_logger_plugin_rethinking.words import clock, count, line, remaining, stamp

REFRESHES_PER_SECOND = 4
RUNNING_ROWS = 8
BAR_WIDTH = 24
# Without a terminal: a line every so many seconds if something has changed, else a sign of life.
LINE_SECONDS = 15.0
SIGN_OF_LIFE_SECONDS = 120.0

ViewNow = Callable[[], View]


class Display(Protocol):
    """What the handler needs of a display. None of these may be called with the progress lock held."""

    live: bool  # whether the progress is in view at all times, so that news of it need not be printed

    def start(self, view_now: ViewNow) -> None:
        """Begin to show progress."""

    def stage_done(self, stage: StageView, view: View) -> None:
        """A stage has been completed."""

    def note(self, text: str, view: View) -> None:
        """A short notice about the run, at once."""

    def say(self, text: str, style: str = "") -> None:
        """Print text that stays, in full."""

    def stop(self) -> None:
        """End the progress display; ``say`` still works. Harmless when repeated."""


def make_display(
    stream: TextIO, no_color: bool = False, environ: Mapping[str, str] = os.environ
) -> LiveDisplay | PlainDisplay:
    """The display that suits the stream: live if it is a terminal that can move its cursor.

    ``NO_COLOR`` takes the colours away and leaves the live display, as its definition says.
    """
    if stream.isatty() and environ.get("TERM", "") not in ("", "dumb", "unknown"):
        return LiveDisplay(stream, no_color)
    return PlainDisplay(stream)


class LiveDisplay:
    """A block of lines, redrawn in place and wiped at the end."""

    live = True

    def __init__(self, stream: TextIO, no_color: bool = False) -> None:
        # rich honours NO_COLOR only while it is not told; the rest is decided already, see make_display.
        self._console = Console(
            file=stream,
            no_color=no_color or None,
            force_terminal=True,
            force_interactive=True,
            highlight=False,
        )
        self._live: Live | None = None
        self._view_now: ViewNow | None = None

    def start(self, view_now: ViewNow) -> None:
        """Begin to redraw. What this process prints meanwhile appears above the block."""
        self._view_now = view_now
        if self._live is None:
            self._live = Live(
                get_renderable=self._render,
                console=self._console,
                refresh_per_second=REFRESHES_PER_SECOND,
                transient=True,
                redirect_stdout=sys.stdout.isatty(),  # a redirected stdout stays where it was sent
            )
            self._live.start()
            # rich hides the cursor, which would stay hidden if the process were killed outright.
            self._console.show_cursor(True)

    def stage_done(self, stage: StageView, view: View) -> None:
        """Nothing: the next redraw shows it."""

    def note(self, text: str, view: View) -> None:
        """Print a line above the block."""
        self.say(text, "yellow")

    def say(self, text: str, style: str = "") -> None:
        """Print above the block, or simply print once it has ended."""
        # Long paths are left to the terminal to wrap, so that they can be copied in one piece.
        self._console.print(Text(text, style=style), soft_wrap=True)

    def stop(self) -> None:
        """Wipe the block."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _render(self) -> RenderableType:
        try:
            if self._view_now is None:
                return Text("")
            return render(self._view_now(), self._console.width, self._console.height)
        except Exception:  # a display must never cost the run; the next redraw tries again
            return Text("")


def render(view: View, width: int, height: int) -> RenderableType:
    """The live block, within ``width`` columns and ``height`` rows."""
    if not view.stages:
        return Text(f"Working out what there is to do ... {clock(view.elapsed)}", no_wrap=True)
    jobs = view.running[: max(0, min(RUNNING_ROWS, (height - 8) // 2))]
    # The stages get what is left by the rows "and more", blank, overall, failed, and the cursor's own,
    # and by the list of jobs with its blank and its "and more".
    taken = 4 + bool(view.failed) + (len(jobs) + 2 if jobs else 0)
    stages, hidden = _stages_that_fit(view.stages, max(1, height - taken))

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for stage in stages:
        done = stage.done == stage.total
        style = "green" if done else "bold" if stage.running else "dim"
        bar = ProgressBar(
            total=max(1, stage.total),
            completed=stage.done,
            width=max(6, min(BAR_WIDTH, width - 40)),
            complete_style="cyan",
            finished_style="green",
        )
        table.add_row(Text(stage.title, style), Text(f"{stage.done}/{stage.total}", style), bar)

    overall = Text(no_wrap=True, overflow="ellipsis")
    overall.append(f"{clock(view.elapsed)} elapsed, ")
    overall.append(remaining(view), "bold")
    rows: list[RenderableType] = [table]
    if hidden:
        rows.append(Text(hidden, "dim"))
    rows += [Text(), overall]
    if view.failed:
        more = f" and {len(view.failed) - 1} more" if len(view.failed) > 1 else ""
        failed = f"failed: {view.failed[-1]}{more}; details at the end"
        rows.append(Text(failed, "red", no_wrap=True, overflow="ellipsis"))
    if jobs:
        rows += [Text(), _jobs_table(jobs, len(view.running) - len(jobs))]
    return Group(*rows)


def _jobs_table(jobs: tuple[tuple[str, float], ...], more: int) -> Table:
    running = Table.grid(padding=(0, 2))
    running.add_column(justify="right", no_wrap=True)
    running.add_column(no_wrap=True, overflow="ellipsis")
    for name, age in jobs:
        running.add_row(Text(clock(age), "cyan"), name)
    if more > 0:
        running.add_row("", Text(f"and {more} more", "dim"))
    return running


def _stages_that_fit(stages: tuple[StageView, ...], rows: int) -> tuple[tuple[StageView, ...], str]:
    """As many stages as there are rows, unfinished ones first, and a word on those left out."""
    if len(stages) <= rows:
        return stages, ""
    urgency = sorted(stages, key=lambda s: (s.done == s.total, not s.running))
    kept = set(urgency[:rows])
    out = [stage for stage in stages if stage not in kept]
    done = sum(stage.done == stage.total for stage in out)
    counts = [(done, "finished"), (len(out) - done, "to come")]
    return tuple(s for s in stages if s in kept), "and " + ", ".join(
        f"{number} more {what}" for number, what in counts if number
    )


class PlainDisplay:
    """Lines without control characters, seldom enough for the log of a build server."""

    live = False

    def __init__(
        self,
        stream: TextIO,
        line_seconds: float = LINE_SECONDS,
        sign_of_life_seconds: float = SIGN_OF_LIFE_SECONDS,
    ) -> None:
        self._stream = stream
        self._line_seconds = line_seconds
        self._sign_of_life_seconds = sign_of_life_seconds
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, view_now: ViewNow) -> None:
        """Begin to print a line now and then."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._tick, args=(view_now,), daemon=True)
            self._thread.start()

    def stage_done(self, stage: StageView, view: View) -> None:
        """Say so at once."""
        self.say(f"[{stamp(view)}] {count(stage)}, done")

    def note(self, text: str, view: View) -> None:
        """Print a line at once."""
        self.say(f"[{stamp(view)}] {text}")

    def say(self, text: str, style: str = "") -> None:
        """Print; the style is for terminals."""
        # One write for each text, so that lines of several threads cannot mix.
        self._stream.write(text + "\n")
        self._stream.flush()

    def stop(self) -> None:
        """Print no more lines now and then."""
        self._ended.set()

    def _tick(self, view_now: ViewNow) -> None:
        shown, since = (0, 0), 0.0
        while not self._ended.wait(self._line_seconds):
            try:
                view = view_now()
                since += self._line_seconds
                state = (view.done, len(view.failed))
                if view.stages and (state != shown or since >= self._sign_of_life_seconds):
                    self.say(line(view))
                    shown, since = state, 0.0
            except Exception:  # a display must never cost the run
                return
