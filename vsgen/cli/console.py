"""All that people read goes to standard error, through here; standard output is data only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import typer

from vsgen import signals
from vsgen.cli.folded import columns, hanging
from vsgen.cli.log import LOG
from vsgen.errors import VsgenError
from vsgen.money import dollars
from vsgen.terminal import harmless

if TYPE_CHECKING:
    from vsgen.jobs.bill import Bill
    from vsgen.jobs.counts import Counts

_NAME: Final = "vsgen: "
_FLAGS = {
    "truncated": "rows from replies that were cut by a limit (meta.flags: truncated)",
    "reasoning-cut": "rows whose reasoning was probably cut (meta.flags: reasoning-cut)",
    "zero-probability": "rows with stated probability 0 (meta.flags: zero-probability; sampling.p_min rejects them)",
    "unscored": "rows that could not be scored (meta.logp is null)",
    "unscored-answers": "prompts whose answers could not be scored",
    "unlabelled": "labels that could not be made (see `problem` in their rows)",
    "untaught": "rows without token log-probabilities (meta.untaught says why)",
    "text-cut": "labels of texts that were cut",
    "estimated": "labels that are estimates, since the server lists only the most probable tokens (see `bounds`)",
}
"""What is reported of the rows with a flag, in this order."""


def say(text: str) -> None:
    """A line for people, if anyone is there to read it, broken for their terminal; no character of it moves that."""
    if LOG.active:
        LOG.event("notice", text=text.removeprefix(_NAME))
        return
    with suppress(OSError):
        typer.echo(hanging(harmless(text), columns(sys.stderr)), err=True, color=True)


def say_exactly(text: str) -> None:
    """The same with every byte of a file's name, even of one that is no text, so that a shell reads it again."""
    with suppress(OSError):
        typer.echo(os.fsencode(text), err=True)


def warn(text: str) -> None:
    """What the user should know, but what does not stop the command."""
    if LOG.active:
        LOG.event("warning", text=text)
    else:
        say(f"{_NAME}{text}")


def interrupted(words: str, status: int) -> None:
    """Say that a signal has ended the command."""
    if LOG.active:
        LOG.event("interrupted", text=words.removeprefix(_NAME), status=status)
    else:
        say_exactly(words)


def unanswered(words: str, status: int) -> None:
    """Say that calls wait in batch files, and how to go on."""
    if LOG.active:
        LOG.event("unanswered", text=words.removeprefix(_NAME), status=status)
    else:
        say_exactly(words)


def last_words(words: str) -> str:
    """What is left on standard error where a signal ends the process at once."""
    if not LOG.active:
        return words
    status = signals.heard()
    first = LOG.line("interrupted", text=words.removeprefix(_NAME), status=status)
    return f"{first}\n{LOG.line('end', status=status)}"


@contextmanager
def user_errors() -> Iterator[None]:
    """Turns an error of the tree into one message and its exit status."""
    try:
        yield
    except VsgenError as error:
        text = f"{error}{_origin(error)}"
        if LOG.active:
            LOG.event("error", text=text, status=error.status)
        else:
            say(f"{_NAME}{text}")
        raise typer.Exit(error.status) from None


def _origin(error: VsgenError) -> str:
    """Where the name of a model is from that cannot be opened, where nobody may have typed it."""
    name = os.environ.get("VSGEN_MODEL")
    return " (the variable VSGEN_MODEL names it)" if name and str(error).startswith(f"{name}: ") else ""


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
    if counts.bill:
        lines.append(f"  {_paid(counts.bill)}")
    lines += [f"  {line}" for line in report]
    lines += [f"  {text}: {counts.flagged[flag]}" for flag, text in _FLAGS.items() if counts.flagged[flag]]
    if counts.cut:
        lines.append(f"  texts longer than the embedder reads (only their beginning was compared): {counts.cut}")
    if counts.skipped:
        lines.append(f"  {many(counts.skipped, 'input rows')} skipped")
    if counts.stopped:
        kept = f"{counts.kept} of {counts.wanted} rows" if counts.wanted else many(counts.kept, "rows")
        lines.append(f"  short: {kept}; {counts.stopped}")
    if counts.verdict:
        lines += [f"  {line}" for line in counts.verdict.lines()]
    return lines


def _paid(bill: Bill) -> str:
    """What was paid, and for what; what earlier runs paid is part of it."""
    usage, usd, earlier = bill.usage, bill.usd, bill.earlier.usd
    of_prompts = f"{many(usage.prompt, 'prompt tokens')}{f' ({usage.cached:,} cached)' if usage.cached else ''}"
    of_replies = f"{many(usage.drawn, 'reply tokens')}{f' ({usage.hidden:,} hidden)' if usage.hidden else ''}"
    guessed = f", {usage.estimated:,} of them estimated" if usage.estimated else ""
    tokens = f"{of_prompts}, {of_replies}{guessed}"
    if usd is None:
        return f"{tokens}; cost unknown: no 'prices:' in the template"
    return f"cost ${dollars(usd)}{f' (${dollars(earlier)} of it earlier)' if earlier else ''}: {tokens}"


def many(count: int, noun: str) -> str:
    """A number and its noun, which is given in the plural."""
    one = noun.removesuffix("s") if not noun.endswith("ies") else f"{noun[:-3]}y"
    return f"{count:,} {one if count == 1 else noun}"


def _each(counted: Mapping[str, int]) -> list[str]:
    return [f"{count} {what}" for what, count in sorted(counted.items())]
