"""The one root: opens what a task needs, drives its flows, counts, writes and closes, for every command alike."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Generic, TypeVar

from vsgen import signals
from vsgen.engine.drive import drive
from vsgen.engine.source import Flows
from vsgen.errors import Unanswered
from vsgen.files.complete import OUTPUT, REJECTS
from vsgen.files.lines import Lines
from vsgen.files.origin import SEEN, Origin
from vsgen.flow import Flow
from vsgen.jobs.activity import Activity
from vsgen.jobs.counts import Counts
from vsgen.jobs.desk import Desk
from vsgen.jobs.task import Made, Task, Warn
from vsgen.ports import Journal, Source

R = TypeVar("R")
V = TypeVar("V")


class Carried(Generic[R, V]):
    """A task under way: iterate it to carry it out; each item is written when it is handed out."""

    def __init__(self, task: Task[R, V], *, warn: Warn, unfinished: int = 4096) -> None:
        """Set up.

        Args:
            task: What to do.
            warn: Gets what the user should know but what does not stop the command.
            unfinished: Flows under way at most; changes speed and memory, never the output.
        """
        self._task = task
        self._warn = warn
        self._unfinished = unfinished
        self.counts = Counts(wanted=task.wanted)
        """What has happened so far."""
        self.activity = Activity()
        """What it is doing; may be asked in any thread."""
        self.activity.noun, self.activity.counts = task.noun, self.counts
        self.summary: Mapping[str, object] = {}
        """The same for machines, once all is done; see docs/summary.md."""
        self._origin = _origin(task)  # as the user asked, before a model's size changes the template
        self._warned: set[str] = set()

    def __iter__(self) -> Generator[Made[V]]:
        """Carry the task out.

        Raises:
            VsgenError: See `vsgen.errors`; all that was written stays.
            ReaderGone: Nobody reads standard output any more.
        """
        begun = time.monotonic()
        origin, places = self._origin, self._task.places
        found = places.found()
        if (done := places.done(origin)) is not None:
            self.counts.was_done, self.counts.kept, self.counts.passed = True, done.rows, done.passed
            self.summary = done.summary
            places.write_summary(done.summary, self._warn)
            return
        self._warn_once(filter(None, [places.changed(origin)]))
        with ExitStack() as stack:
            lines, rejects = places.open_outputs(stack, found, self._warn)  # held before anything is done
            journal = places.open_journal(stack, self._warn)
            self._warn_once(journal.problems)
            places.begin(journal, origin.parts)
            desk = stack.enter_context(Desk(self._task.models, journal, self.activity))
            self.activity.stage = None
            self.counts.paid, self.counts.billing = desk.paid, desk.billing
            stack.enter_context(signals.unwound())
            self._warn_once(desk.notes)
            source = self._task.source(desk, self.counts, self._warn)
            rejects.begin()
            lines.begin()
            for made in self._values(desk, source):
                self._write(made, lines, rejects)
                yield made  # only then the task is asked whether this is enough
            desk.stop()
            signals.finishing()
            self._warn_once(desk.remarks)
            self.counts.close()
            journal.sync()  # whoever sees a whole FILE has the replies it was made from
            self._warn_once(filter(None, [places.shrinks(self.counts.kept)]))
            rejects.finish()
            lines.finish()
            self._summarize(journal, desk.model if self._task.models else None, time.monotonic() - begun)
            self._end(journal, {OUTPUT: lines.digest, REJECTS: rejects.digest})

    def _values(self, desk: Desk, source: Source[R]) -> Iterator[Made[V]]:
        """What is made of every value, and then of what waited for the last one."""
        driven = drive(
            source,
            desk.executors,
            desk.mailbox,
            most=self._task.most,
            unfinished=self._unfinished,
            stalled=desk.stalled,
            forget=desk.forget,
        )
        with closing(driven) as values:
            for value in values:
                self.counts.cut = desk.cut
                yield self._task.made(value)
                if self._task.enough():
                    break
            else:
                self._end_round(desk)
        self.activity.stage = "writing"
        yield from self._task.rest()

    def _end_round(self, desk: Desk) -> None:
        """Nothing more can be done in this run; see `vsgen.jobs.desk.Desk.end_round`."""
        try:
            desk.end_round()
        except Unanswered:
            self._warn_once(desk.remarks)
            raise

    def _write(self, made: Made[V], lines: Lines, rejects: Lines) -> None:
        self.counts.add(made)
        lines.write(made.rows)
        rejects.write(made.rejects)
        for problem in filter(None, (made.skipped, *made.problems)):
            self._warn(problem)
        self._warn_once(made.notes)

    def _summarize(self, journal: Journal, model: str | None, seconds: float) -> None:
        counts = self.counts
        self._warn_once(journal.problems)  # some show only when they are looked up
        counts.unreadable = journal.unreadable
        counts.verdict = self._task.verdict()
        counts.passed = counts.verdict is None or not counts.verdict.bad
        self.summary = counts.summary(self._task.command, model, seconds)
        self._task.places.write_summary(self.summary, self._warn)

    def _end(self, journal: Journal, made: Mapping[str, str | None]) -> None:
        counts, seen = self.counts, self._task.seen()
        parts = {**self._origin.parts, **({SEEN: seen._asdict()} if seen else {})}
        complete = counts.stopped is None
        journal.end(parts, complete=complete, passed=counts.passed, summary=self.summary, made=made)

    def _warn_once(self, notes: Iterable[str]) -> None:
        for note in notes:
            if note not in self._warned:
                self._warned.add(note)
                self._warn(note)


def _origin(task: Task[R, V]) -> Origin:
    """What its output is made from, the models included."""
    origin, models = task.origin, task.models
    return origin if models is None else replace(origin, parts={**origin.parts, **models.parts})


def answers(flows: Sequence[Flow[R]], desk: Desk) -> list[R]:
    """Drive a few flows to their ends, with nothing to write; their values in order."""
    return list(drive(Flows(flows), desk.executors, desk.mailbox))
