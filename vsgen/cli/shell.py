"""How a shell runs a command that asks a model: progress, interruption, a reader that goes, the closing words."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from vsgen import signals
from vsgen.cli.again import going_on
from vsgen.cli.console import many, progress, say, say_exactly, summary
from vsgen.errors import GateError

if TYPE_CHECKING:
    from vsgen.cli.options import ProgressMode
    from vsgen.files.places import Places
    from vsgen.jobs.counts import Counts
    from vsgen.jobs.task import Task


def carry_out(task: Task[Any, Any], mode: ProgressMode, *, quiet: bool, strict: bool = False) -> Counts:
    """Carry a task out, and report what was made.

    Args:
        task: What to do.
        mode: Of progress.
        quiet: Say nothing but errors.
        strict: A bad verdict is a failure.

    Raises:
        Exit: It was interrupted, or the verdict is bad and must not be.
    """
    from vsgen.jobs.carry import Carried

    def warn(text: str) -> None:
        if not quiet:
            say(f"vsgen: {text}")

    begun, carried, words = time.monotonic(), Carried(task, warn=warn), partial(going_on, task.places)
    try:
        with (
            signals.last_words(words),
            progress(_mode(task.places, mode, quiet=quiet)) as observe,
            closing(iter(carried)) as made,
        ):
            for _ in made:
                observe(carried.counts)
    except KeyboardInterrupt as stop:
        say_exactly(words())
        raise typer.Exit(signals.status(stop)) from None
    counts, where = carried.counts, str(task.places.output or "stdout")
    if counts.was_done and not quiet:
        say(f"vsgen: {where} is complete already: {many(counts.kept, 'rows')}")
    elif not quiet:
        say("\n".join(summary(counts, task.noun, task.report(), time.monotonic() - begun, where)))
    if strict and not counts.passed:
        raise typer.Exit(GateError.status)
    return counts


def _mode(places: Places, mode: ProgressMode, *, quiet: bool) -> ProgressMode:
    if quiet:
        return "none"
    if mode == "auto" and places.file is None and sys.stdout is not None and sys.stdout.isatty():
        return "plain"  # rows are printed where the bar would stand
    return mode


@contextmanager
def not_resumable() -> Iterator[None]:
    """What Ctrl-C does to a command that asks no model and so has nothing to go on with."""
    try:
        yield
    except KeyboardInterrupt as stop:
        say("vsgen: interrupted")
        raise typer.Exit(signals.status(stop)) from None
