"""What a command prints on standard output that is no data: text, whose reader may go before the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer


def show(text: str, *, end: str = "\n") -> None:
    """Print text on standard output.

    Raises:
        ReaderGone: Nobody reads standard output any more.
        OutputError: It cannot be written.
    """
    try:
        typer.echo(f"{text}{end}", nl=False)
    except OSError as error:
        from vsgen.errors import OutputError
        from vsgen.files.lines import ReaderGone, silence_stdout

        silence_stdout()
        if isinstance(error, BrokenPipeError):
            raise ReaderGone from None
        raise OutputError(f"<stdout>: cannot be written: {error.strerror}; free some space") from error


@contextmanager
def reader_may_close() -> Iterator[None]:
    """Whoever reads standard output may close it (`| head`): that ends any command quietly, with status 0."""
    try:
        yield
    except SystemExit as end:  # rich's way out where it prints a help page
        if isinstance(end.__context__, BrokenPipeError):
            raise typer.Exit from None
        raise
    except Exception as error:
        from vsgen.files.lines import ReaderGone, silence_stdout

        if not isinstance(error, ReaderGone):
            raise
        silence_stdout()
        raise typer.Exit from None
