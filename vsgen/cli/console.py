"""All that people read goes to standard error, through here; standard output is data only."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

import typer

from vsgen.errors import VsgenError

if TYPE_CHECKING:
    from rich.progress import TaskID

    from vsgen.jobs.generate import Tally

_PLAIN_SECONDS = 10.0
_ZERO = "zero-probability"
INTERRUPTED = 130


def say(text: str) -> None:
    """A line for people, if anyone is there to read it."""
    with suppress(OSError):
        typer.echo(text, err=True)


@contextmanager
def user_errors() -> Iterator[None]:
    """Turns an error of the tree into one message and its exit status."""
    try:
        yield
    except VsgenError as error:
        say(f"vsgen: {error}")
        raise typer.Exit(error.status) from None


class Counts(Protocol):
    """How far a command has come."""

    kept: int
    wanted: int | None
    tokens: int
    was_done: bool

    @property
    def rejected(self) -> Mapping[str, int]:
        """What did not become a row, by reason."""
        ...


class Progress(Protocol):
    """Shows how far a command has come."""

    def __call__(self, tally: Counts) -> None:
        """Show the tally."""
        ...


@contextmanager
def progress(mode: str) -> Iterator[Progress]:
    """A progress line that changes in place on a terminal, a plain line every ten seconds elsewhere, or nothing."""
    if mode == "none":
        yield lambda tally: None
    elif mode == "plain" or not sys.stderr.isatty():
        yield _Plain()
    else:
        with _live() as live:
            yield live


def counts(tally: Counts) -> str:
    """Rejects by reason and tokens, in words."""
    return " · ".join([*_each(tally.rejected), f"{tally.tokens:,} tokens"])


def summary(tally: Tally, seconds: float, where: str) -> list[str]:
    """The closing lines: how much was made of what, in counts that add up."""
    kept = " + ".join([f"{tally.kept} kept", *_each(tally.rejected)])
    paid = ", ".join(_each(tally.paid)) or "none"
    lines = [
        f"vsgen: {tally.kept} rows in {seconds:.1f} s ({tally.kept / max(seconds, 1e-9):.1f} rows/s) -> {where}",
        f"  {tally.draws} draws · {tally.candidates} candidates = {kept}",
        f"  {tally.calls} replies, {tally.tokens:,} tokens · calls made now: {paid}",
    ]
    lines += [f"  {one}" for one in tally.tried.values()]
    if tally.cut:
        lines.append(f"  {tally.cut} texts were longer than the embedder reads; only their beginnings were compared")
    if zero := tally.flagged[_ZERO]:
        lines.append(f"  {zero} rows have stated probability 0 (meta.flags: {_ZERO}); sampling.p_min rejects such")
    if unscored := tally.flagged["unscored"]:
        lines.append(f"  {unscored} rows could not be scored (meta.logp is null)")
    if tally.ranks:
        mean, draws = math.fsum(tally.ranks) / len(tally.ranks), len(tally.ranks)
        lines.append(f"  stated probabilities and the model's own: rank correlation {mean:.2f} (mean of {draws} draws)")
    if tally.skipped:
        lines.append(f"  {tally.skipped} input rows skipped")
    if tally.stopped:
        wanted = f" of {tally.wanted}" if tally.wanted else ""
        lines.append(f"  short: {tally.kept}{wanted} rows; {tally.stopped}")
    if tally.verdict:
        lines += [f"  {line}" for line in tally.verdict.lines()]
    return lines


def _each(counted: Mapping[str, int]) -> list[str]:
    return [f"{count} {what}" for what, count in sorted(counted.items())]


class _Rate:
    """Rows a second and the time left, measured from the first news on: loading a model is no part of the rate."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def __call__(self, tally: Counts) -> str:
        now = time.monotonic()
        begun, before = self._first = self._first or (now, tally.kept)
        if now == begun or tally.kept == before:
            return "…"
        rate = (tally.kept - before) / (now - begun)
        left = f" · {(tally.wanted - tally.kept) / rate:.0f} s left" if tally.wanted else ""
        return f"{rate:.1f} rows/s{left}"


class _Plain:
    def __init__(self) -> None:
        self._last = time.monotonic()
        self._rate = _Rate()

    def __call__(self, tally: Counts) -> None:
        rate = self._rate(tally)
        if time.monotonic() - self._last >= _PLAIN_SECONDS:
            self._last = time.monotonic()
            wanted = f"/{tally.wanted}" if tally.wanted else ""
            say(f"vsgen: {tally.kept}{wanted} rows · {rate} · {counts(tally)}")


@contextmanager
def _live() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("rows · {task.fields[more]}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task: TaskID = bar.add_task("", total=None, more="loading the model")
        rate = _Rate()

        def show(tally: Counts) -> None:
            bar.update(task, completed=tally.kept, total=tally.wanted, more=f"{rate(tally)} · {counts(tally)}")

        yield show
