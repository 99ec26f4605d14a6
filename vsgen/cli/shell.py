"""How a shell runs a command that asks a model: progress, interruption, a reader that goes, the closing words."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Any

import typer

from vsgen import signals
from vsgen.cli.again import going_on, next_round, once_well, with_space
from vsgen.cli.console import interrupted, last_words, many, say, summary, unanswered, warn
from vsgen.cli.log import LOG, VERSION
from vsgen.errors import EndpointError, FullError, GateError, Unanswered
from vsgen.terminal import is_terminal

if TYPE_CHECKING:
    from vsgen.cli.groups import TalkGroup
    from vsgen.cli.options import ProgressMode
    from vsgen.files.places import Places
    from vsgen.jobs.activity import Progress
    from vsgen.jobs.carry import Carried
    from vsgen.jobs.counts import Counts
    from vsgen.jobs.task import Task


def carry_out(task: Task[Any, Any], talk: TalkGroup, *, strict: bool = False) -> Counts:
    """Carry a task out, and report what was made.

    Args:
        task: What to do.
        talk: What is printed on standard error.
        strict: A bad verdict is a failure.

    Raises:
        Exit: It was interrupted, calls wait in batch files, or the verdict is bad and must not be.
    """
    from vsgen.jobs.carry import Carried

    begun, carried = time.monotonic(), Carried(task, warn=_nothing if talk.quiet else warn)
    _begin(task, talk)
    try:
        with (
            signals.last_words(lambda: last_words(going_on(task.places))),
            shown(carried.activity.progress, talk, rows_there=_on_terminal(task.places)),
            closing(iter(carried)) as made,
        ):
            for _ in made:
                pass
    except KeyboardInterrupt as stop:
        interrupted(going_on(task.places), signals.status(stop))
        raise typer.Exit(signals.status(stop)) from None
    except Unanswered as wait:
        unanswered(next_round(wait, task.places), wait.status)
        raise typer.Exit(wait.status) from None
    except FullError as error:
        raise with_space(error, task.places) from error
    except EndpointError as error:
        raise (once_well(error, task.places) if carried.counts.paid else error) from error
    if not talk.quiet:
        _report(task, carried, time.monotonic() - begun)
    if strict and not carried.counts.passed:
        raise typer.Exit(GateError.status)
    return carried.counts


def shown(
    progress: Callable[[], Progress], talk: TalkGroup, *, rows_there: bool = False
) -> AbstractContextManager[None]:
    """Within it, progress is shown on standard error.

    Args:
        progress: Says from another thread how far a command has come.
        talk: What is printed there.
        rows_there: Rows are printed on the same terminal, where no line could change in place.
    """
    from vsgen.cli.live import following

    mode: ProgressMode = "none" if talk.quiet else talk.progress
    return following(progress, "plain" if mode == "auto" and rows_there else mode)


@contextmanager
def not_resumable() -> Iterator[None]:
    """What Ctrl-C does to a command that asks no model and so has nothing to go on with."""
    words = "vsgen: interrupted"
    try:
        with signals.last_words(lambda: last_words(words)):
            yield
    except KeyboardInterrupt as stop:
        interrupted(words, signals.status(stop))
        raise typer.Exit(signals.status(stop)) from None


def _nothing(_: str) -> None:
    """Say nothing."""


def _on_terminal(places: Places) -> bool:
    return places.file is None and is_terminal(sys.stdout)


def _begin(task: Task[Any, Any], talk: TalkGroup) -> None:
    LOG.output = str(task.places.output) if task.places.output else None
    if LOG.active and not talk.quiet:
        from importlib.metadata import version

        LOG.event(
            "start",
            log=VERSION,
            vsgen=version("vsgen"),
            command=task.command,
            model=task.models and task.models.asked,
            wanted=task.wanted,
        )


def _report(task: Task[Any, Any], carried: Carried[Any, Any], seconds: float) -> None:
    """The closing words."""
    counts, where = carried.counts, str(task.places.output or "stdout")
    if LOG.active:
        if (verdict := carried.summary.get("verdict")) is not None:
            LOG.event("verdict", verdict=verdict)
        lines = [] if counts.was_done else task.report()
        LOG.event("summary", already=counts.was_done, summary=carried.summary, report=lines)
    elif counts.was_done:
        say(f"vsgen: {where} is complete already: {many(counts.kept, 'rows')}")
    else:
        lines = summary(counts, task.noun, task.report(), seconds, where)
        if counts.kept and (unjudged := task.unjudged()):
            lines.append(f"  {unjudged}")
        say("\n".join(lines))
