"""All that people read goes to standard error, through here; standard output is data only."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

import typer

from vsgen.errors import VsgenError
from vsgen.signals import at_end
from vsgen.terminal import harmless

if TYPE_CHECKING:
    from rich.progress import TaskID

    from vsgen.jobs.counts import Counts

_PLAIN_SECONDS = 10.0
_CLEARED = b"\r\x1b[2K\x1b[?25h"
"""Takes the progress line away, and shows the cursor."""
_FLAGS = {
    "truncated": "rows out of replies that a limit has cut (meta.flags: truncated)",
    "reasoning-cut": "rows whose reasoning was probably cut (meta.flags: reasoning-cut)",
    "zero-probability": "rows with stated probability 0 (meta.flags: zero-probability; sampling.p_min rejects such)",
    "unscored": "rows that could not be scored (meta.logp is null)",
    "unscored-answers": "prompts whose answers could not be scored",
    "unlabelled": "labels that could not be made (see `problem` in their rows)",
    "untaught": "rows without token log-probabilities (meta.untaught says why)",
    "text-cut": "labels of texts that were cut",
}
"""What is reported of the rows with a flag, in this order."""


def say(text: str) -> None:
    """A line for people, if anyone is there to read it; no character of it moves their terminal."""
    with suppress(OSError):
        typer.echo(harmless(text), err=True, color=True)


def say_exactly(text: str) -> None:
    """The same with every byte of a file's name, even of one that is no text, so that a shell reads it again."""
    with suppress(OSError):
        typer.echo(os.fsencode(text), err=True)


@contextmanager
def user_errors() -> Iterator[None]:
    """Turns an error of the tree into one message and its exit status."""
    try:
        yield
    except VsgenError as error:
        say(f"vsgen: {error}")
        raise typer.Exit(error.status) from None


class Progress(Protocol):
    """Shows how far a command has come."""

    def __call__(self, counts: Counts) -> None:
        """Show the counts."""
        ...


@contextmanager
def progress(mode: str) -> Iterator[Progress]:
    """A progress line that changes in place on a terminal, a plain line every ten seconds elsewhere, or nothing."""
    if mode == "none":
        yield lambda counts: None
    elif mode == "plain" or sys.stderr is None or not sys.stderr.isatty():
        yield _Plain()
    else:
        with _live() as live:
            yield live


def counts_so_far(counts: Counts) -> str:
    """Rejects by reason and tokens, in words."""
    return " · ".join([*_each(counts.rejected), *([many(counts.tokens, "tokens")] if counts.replies else [])])


def summary(counts: Counts, noun: str, report: Sequence[str], seconds: float, where: str) -> list[str]:
    """The closing lines: how much was made of what, in counts that add up; then what the command reports."""
    rate = counts.kept / max(seconds, 1e-9)
    ends = " + ".join([f"{counts.kept} kept", *_each(counts.rejected)])
    each = many(counts.candidates, noun)
    if noun == "draws" or counts.units != counts.candidates:
        each = f"{many(counts.units, noun)} · {many(counts.candidates, 'candidates')}"
    lines = [
        f"vsgen: {many(counts.kept, 'rows')} in {seconds:.1f} s ({rate:.1f} rows/s) -> {where}",
        f"  {each} = {ends}",
    ]
    if counts.replies or counts.paid:
        calls = ", ".join(_each(counts.paid)) or "none"
        replies = f"{many(counts.replies, 'replies')}, {many(counts.tokens, 'tokens')} · " if counts.replies else ""
        lines.append(f"  {replies}calls made now: {calls}")
    lines += [f"  {line}" for line in report]
    lines += [f"  {text}: {counts.flagged[flag]}" for flag, text in _FLAGS.items() if counts.flagged[flag]]
    if counts.cut:
        lines.append(f"  texts longer than the embedder reads, of which only the beginning was compared: {counts.cut}")
    if counts.skipped:
        lines.append(f"  {many(counts.skipped, 'input rows')} skipped")
    if counts.stopped:
        kept = f"{counts.kept} of {counts.wanted} rows" if counts.wanted else many(counts.kept, "rows")
        lines.append(f"  short: {kept}; {counts.stopped}")
    if counts.verdict:
        lines += [f"  {line}" for line in counts.verdict.lines()]
    return lines


def many(count: int, noun: str) -> str:
    """A number and its noun, which is given in the plural."""
    one = noun.removesuffix("s") if not noun.endswith("ies") else f"{noun[:-3]}y"
    return f"{count:,} {one if count == 1 else noun}"


def _each(counted: Mapping[str, int]) -> list[str]:
    return [f"{count} {what}" for what, count in sorted(counted.items())]


def _shown(counts: Counts) -> int:
    return counts.kept + counts.waiting


class _Rate:
    """Rows a second and the time left, measured from the first news on: loading a model is no part of the rate."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def __call__(self, counts: Counts) -> str:
        now = time.monotonic()
        begun, before = self._first = self._first or (now, _shown(counts))
        if now == begun or _shown(counts) == before:
            return "…"
        rate = (_shown(counts) - before) / (now - begun)
        left = f" · {(counts.wanted - _shown(counts)) / rate:.0f} s left" if counts.wanted else ""
        return f"{rate:.1f} rows/s{left}"


class _Plain:
    def __init__(self) -> None:
        self._last = time.monotonic()
        self._rate = _Rate()

    def __call__(self, counts: Counts) -> None:
        rate = self._rate(counts)
        if time.monotonic() - self._last >= _PLAIN_SECONDS:
            self._last = time.monotonic()
            wanted = f"/{counts.wanted}" if counts.wanted else ""
            rows = f"{_shown(counts)}{wanted} rows"
            say(f"vsgen: {' · '.join(filter(None, [rows, rate, counts_so_far(counts)]))}")


@contextmanager
def _live() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows · {task.fields[more]}", markup=False),
    )
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    task: TaskID = bar.add_task("", total=None, more="loading the model")
    rate = _Rate()

    def show(counts: Counts) -> None:
        more = " · ".join(filter(None, [rate(counts), counts_so_far(counts)]))
        bar.update(task, completed=_shown(counts), total=counts.wanted, more=harmless(more))

    with at_end(partial(os.write, sys.stderr.fileno(), _CLEARED)):
        bar.start()
        try:
            yield show
        finally:
            with suppress(OSError):  # the terminal may be gone
                bar.stop()
