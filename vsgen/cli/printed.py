"""What a command prints on standard output that is no data: text, whose reader may go before the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from vsgen.terminal import harmless, is_terminal


class Heading(str):
    """A line that is bold on a terminal."""

    __slots__ = ()


def show(*lines: str, end: str = "\n") -> None:
    """Print lines on standard output; on a terminal no character of theirs moves it.

    Raises:
        ReaderGone: Nobody reads standard output any more.
        OutputError: It cannot be written.
    """
    try:
        typer.echo("\n".join(map(_seen, lines) if is_terminal(sys.stdout) else lines) + end, nl=False, color=True)
    except OSError as error:
        from vsgen.errors import OutputError
        from vsgen.files.lines import ReaderGone, silence_stdout

        silence_stdout()
        if isinstance(error, BrokenPipeError):
            raise ReaderGone from None
        raise OutputError(f"<stdout>: cannot be written: {error.strerror}; free some space") from error


def _seen(line: str) -> str:
    bold = isinstance(line, Heading) and not os.environ.get("NO_COLOR")
    return typer.style(harmless(line), bold=True) if bold else harmless(line)


@contextmanager
def reader_may_close() -> Iterator[None]:
    """Whoever reads standard output may close it (`| head`): that ends any command quietly, with status 0."""
    try:
        yield
    except typer.Exit:
        raise
    except Exception as error:
        from vsgen.files.lines import ReaderGone, silence_stdout

        if not isinstance(error, ReaderGone):
            raise
        silence_stdout()
        raise typer.Exit from None
