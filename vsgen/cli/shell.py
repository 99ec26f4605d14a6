"""How a shell runs a command that asks a model: progress, interruption, a reader that goes, the closing words."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

import typer

from vsgen.cli.console import INTERRUPTED, Counts, Progress, progress, say

if TYPE_CHECKING:
    from vsgen.files.places import Places

C = TypeVar("C", bound=Counts)
C_co = TypeVar("C_co", bound=Counts, covariant=True)
Warn = Callable[[str], None]


class Work(Protocol[C_co]):
    """A composition root with its job bound: runs to the end, and says what happened."""

    def __call__(self, *, observe: Progress, warn: Warn) -> C_co:
        """Run; tell of progress and of what the user should know."""
        ...


def carry_out(
    work: Work[C], places: Places, mode: str, *, quiet: bool, summary: Callable[[C, float, str], Sequence[str]]
) -> C:
    """Run to the end, and tell what was made.

    Args:
        work: What to do.
        places: Its files.
        mode: Of progress: auto, plain or none.
        quiet: Say nothing but errors.
        summary: The closing lines, from the tally, the seconds it took and where the output is.

    Raises:
        Exit: The work was interrupted, or nobody reads its output any more.
    """

    def warn(text: str) -> None:
        if not quiet:
            say(f"vsgen: {text}")

    mode = "none" if quiet else mode
    if mode == "auto" and places.output is None and sys.stdout is not None and sys.stdout.isatty():
        mode = "plain"  # rows are printed where the bar would stand
    begun = time.monotonic()
    try:
        with reader_may_go(), _terminated(), progress(mode) as observe:
            tally = work(observe=observe, warn=warn)
    except KeyboardInterrupt:
        _say_interrupted(places)
        raise typer.Exit(INTERRUPTED) from None
    where = str(places.output or "stdout")
    if tally.was_done and not quiet:
        say(f"vsgen: {where} is complete already: {tally.kept} rows")
    elif not quiet:
        say("\n".join(summary(tally, time.monotonic() - begun, where)))
    return tally


@contextmanager
def reader_may_go() -> Iterator[None]:
    """Whoever reads standard output may close it: that ends a command quietly."""
    from vsgen.files.records import ReaderGone, silence_stdout

    try:
        yield
    except ReaderGone:
        silence_stdout()
        raise typer.Exit(0) from None


@contextmanager
def not_resumable() -> Iterator[None]:
    """What Ctrl-C does to a command that asks no model and so has nothing to go on with."""
    try:
        yield
    except KeyboardInterrupt:
        say("vsgen: interrupted")
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _terminated() -> Iterator[None]:
    """A batch system's SIGTERM ends a run as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say_interrupted(places: Places) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the libraries' last words are no place for a second Ctrl-C
    if places.output is None and places.journal is None:
        say("vsgen: interrupted; with -o FILE a run can be resumed")
        return
    words = [word for word in sys.argv[1:] if word not in ("--resume", "--overwrite")]
    resume = ["--resume"] if places.output else []
    say(f"vsgen: interrupted; nothing is lost. To go on:\n  {shlex.join(['vsgen', *words, *resume])}")
