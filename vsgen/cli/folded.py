"""Breaks lines between words, for the width of a terminal; what goes into files and pipes stays whole."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Iterator
from typing import IO, Final, NamedTuple

from vsgen.cli.printed import Heading
from vsgen.terminal import is_terminal

_NARROWEST: Final = 40
"""Columns below which nothing is broken further."""


class Beside(NamedTuple):
    """A line that stays to the right of its head when it is broken."""

    head: str
    text: str


def columns(stream: IO[str]) -> int | None:
    """Of the terminal that shows a stream; None where it goes elsewhere."""
    if not is_terminal(stream):
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return None


def folded(lines: Iterable[str | Beside], width: int | None) -> Iterator[str]:
    """Lines as a terminal of so many columns shows them; None leaves them whole.

    Args:
        lines: Each may hold ends of lines; a `Heading` stays whole.
        width: Of the terminal.
    """
    for line in lines:
        head, text = line if isinstance(line, Beside) else ("", line)
        if width is None or isinstance(line, Heading):
            yield line if isinstance(line, Heading) else head + text
        else:
            for part in text.split("\n"):
                yield from _broken(head, part, width)


def hanging(text: str, width: int | None) -> str:
    """Lines for a terminal: what is broken is indented by two more columns, and rows of tables stay whole."""
    if width is None:
        return text
    return "\n".join(part for line in text.split("\n") for part in _hung(line, width))


def _hung(line: str, width: int) -> list[str]:
    text = line.lstrip(" ")
    head = line[: len(line) - len(text)]
    return [line] if "  " in text else _broken(head, text, width, deeper=2)


def _broken(head: str, text: str, width: int, deeper: int = 0) -> list[str]:
    if len(head) + len(text) < width:
        return [head + text]
    wrapper = textwrap.TextWrapper(
        max(width - 1, _NARROWEST),
        initial_indent=head,
        subsequent_indent=" " * (len(head) + deeper),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.wrap(text)
