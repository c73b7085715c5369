"""The state of a run: stages, running jobs, elapsed and remaining time. Knows neither Snakemake nor rich.

Times are seconds since the epoch where they are points and seconds where they are spans.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from snakemake_logger_plugin_rethinking.words import TRAIN, job_name, title_of

# A target rule has nothing to execute, so it is no stage. Others like it show themselves as they start.
TARGET_RULES = frozenset({"all"})

# The displayed remaining time follows a new estimate with this time constant: a surprise of a minute
# is absorbed over about half a minute instead of making the clock jump.
SMOOTHING_SECONDS = 10.0
# A job that has run longer than its kind usually does is expected to take this share of its age more.
OVERRUN_SHARE = 0.1


@dataclass(frozen=True)
class Job:
    """One execution of a rule, ``started`` at a point in time."""

    jobid: int
    rule: str
    wildcards: Mapping[str, str]
    logs: tuple[str, ...]
    started: float

    @property
    def name(self) -> str:
        """What a person calls it."""
        return job_name(self.rule, self.wildcards)

    @property
    def kind(self) -> tuple[str, str]:
        """Jobs of one kind are expected to take equally long: same rule and, in training, same model."""
        return self.rule, self.wildcards.get("model", "") if self.rule == TRAIN else self.wildcards.get("kind", "")


@dataclass(frozen=True)
class StageView:
    """One line of the display."""

    title: str
    done: int
    total: int
    running: int
    unit: str  # "cells" or "jobs"


@dataclass(frozen=True)
class View:
    """What there is to show at one moment; ``remaining`` is None while it cannot be estimated yet."""

    stages: tuple[StageView, ...]
    running: tuple[tuple[str, float], ...]  # name and age in seconds, the longest-running first
    failed: tuple[str, ...]
    elapsed: float
    remaining: float | None

    @property
    def done(self) -> int:
        """Jobs finished in this run."""
        return sum(stage.done for stage in self.stages)


@dataclass
class _Rule:
    total: int = 0
    done: int = 0
    peak: int = 0  # most jobs seen at once


@dataclass
class _Spans:
    """Durations of finished jobs, in seconds."""

    count: int = 0
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        self.count += 1
        self.seconds += seconds

    @property
    def mean(self) -> float | None:
        return self.seconds / self.count if self.count else None


@dataclass
class Progress:
    """A run in progress. Safe to feed in one thread and view in another; the lock is never held outside.

    The remaining time adds up the stages, each the expected work left (means of the finished jobs of
    the same kind) divided by the most jobs of that rule seen at once, or the cores before any has run.
    Rules that overlap are thus counted as if they took turns: rather too late than too early.
    """

    started: float
    cores: int | None = None
    _rules: dict[str, _Rule] = field(default_factory=dict)
    _targets: set[str] = field(default_factory=lambda: set(TARGET_RULES))
    _running: dict[int, Job] = field(default_factory=dict)
    _failed: dict[int, Job] = field(default_factory=dict)
    _spans: dict[tuple[str, ...], _Spans] = field(default_factory=dict)
    _shown: tuple[float, float] | None = None  # when, and the remaining seconds displayed then
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, jobs_per_rule: Mapping[str, int]) -> None:
        """Take note of how many jobs each rule has to run, in the order of execution."""
        with self._lock:
            for rule, count in jobs_per_rule.items():
                self._rules.setdefault(rule, _Rule()).total = count

    def start(self, job: Job, is_target: bool = False) -> None:
        """A job starts (again); a target has nothing to execute."""
        with self._lock:
            if is_target:
                self._targets.add(job.rule)
            self._failed.pop(job.jobid, None)
            self._running[job.jobid] = job
            rule = self._rules.setdefault(job.rule, _Rule())
            at_once = Counter(other.rule for other in self._running.values())[job.rule]
            rule.peak = max(rule.peak, at_once)
            # A checkpoint can add jobs that the plan did not know.
            rule.total = max(rule.total, rule.done + at_once)

    def finish(self, jobid: int, now: float) -> tuple[StageView, ...]:
        """A job has finished. Returns the stage that this completes, if it completes one."""
        with self._lock:
            self._failed.pop(jobid, None)
            job = self._running.pop(jobid, None)
            if job is None:
                return ()
            self._rules[job.rule].done += 1
            for key in (job.kind, (job.rule,)):
                self._spans.setdefault(key, _Spans()).add(max(0.0, now - job.started))
            stages = self._stages()
        title = title_of(job.rule)
        return tuple(stage for stage in stages if stage.title == title and stage.done == stage.total)

    def fail(self, jobid: int) -> Job | None:
        """A job has failed; returns it if it had been seen to start."""
        with self._lock:
            job = self._running.pop(jobid, None) or self._failed.get(jobid)
            if job is not None:
                self._failed[jobid] = job
            return job

    def view(self, now: float) -> View:
        """What there is to show now."""
        with self._lock:
            jobs = sorted(self._running.values(), key=lambda job: job.started)
            return View(
                stages=self._stages(),
                running=tuple((job.name, max(0.0, now - job.started)) for job in jobs if job.rule not in self._targets),
                failed=tuple(job.name for job in self._failed.values()),
                elapsed=max(0.0, now - self.started),
                remaining=self._smooth(self._estimate(now), now),
            )

    def _stages(self) -> tuple[StageView, ...]:
        titles: dict[str, list[str]] = {}
        for rule in self._rules:
            if rule not in self._targets:
                titles.setdefault(title_of(rule), []).append(rule)
        running = Counter(job.rule for job in self._running.values())
        return tuple(
            StageView(
                title=title,
                done=sum(self._rules[rule].done for rule in rules),
                total=sum(self._rules[rule].total for rule in rules),
                running=sum(running[rule] for rule in rules),
                unit="cells" if rules == [TRAIN] else "jobs",
            )
            for title, rules in titles.items()
        )

    def _estimate(self, now: float) -> float | None:
        """Seconds until everything is done, unsmoothed; None if nothing tells yet."""
        train = self._rules.get(TRAIN)
        if train is not None and train.done == 0 and train.total > 0:
            return None
        others = [spans for (rule, *rest), spans in self._spans.items() if not rest and rule != TRAIN]
        if train is None and not others:
            return None
        # Rules none of whose jobs has finished count like the other light jobs; cells are no measure.
        seconds_of_all, count = sum(s.seconds for s in others), sum(s.count for s in others)
        fallback = seconds_of_all / count if count else 0.0
        return sum(
            self._estimate_rule(name, rule, fallback, now)
            for name, rule in self._rules.items()
            if name not in self._targets
        )

    def _estimate_rule(self, name: str, rule: _Rule, fallback: float, now: float) -> float:
        running = [job for job in self._running.values() if job.rule == name]
        failed = sum(job.rule == name for job in self._failed.values())
        left = rule.total - rule.done - failed
        if left <= 0:
            return 0.0
        usual = _first(self._mean((name,)), fallback)
        ends = [_left(_first(self._mean(job.kind), usual), now - job.started) for job in running]
        work = sum(ends) + usual * max(0, left - len(running))
        at_once = max(1, min(left, rule.peak or self.cores or 1))
        return max([work / at_once, *ends])

    def _mean(self, key: tuple[str, ...]) -> float | None:
        spans = self._spans.get(key)
        return spans.mean if spans else None

    def _smooth(self, estimate: float | None, now: float) -> float | None:
        """Count down with the clock, and lean towards the estimate; never negative."""
        if estimate is None:
            self._shown = None
            return None
        shown = estimate
        if self._shown is not None:
            then, before = self._shown
            passed = max(0.0, now - then)
            before = max(0.0, before - passed)
            shown = before + (estimate - before) * -math.expm1(-passed / SMOOTHING_SECONDS)
        self._shown = (now, shown)
        return shown


def _left(usual: float, age: float) -> float:
    return max(usual - age, OVERRUN_SHARE * age, 0.0)


def _first(*values: float | None) -> float:
    return next((value for value in values if value is not None), 0.0)
