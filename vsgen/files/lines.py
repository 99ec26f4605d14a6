"""Where lines of JSON go: into a file that appears only when it is whole, or through a device or a pipe."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol

import orjson

from vsgen.errors import FullError, OutputError
from vsgen.files.destinations import is_written_through, open_through
from vsgen.files.part import Part
from vsgen.terminal import harmless_json, is_terminal

_STDOUT = "<stdout>"
_OPTION = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS


class ReaderGone(Exception):
    """Whoever read the rows has closed the pipe; no error, but the end of the run."""


class Lines(Protocol):
    """Where lines go, open."""

    @property
    def digest(self) -> str | None:
        """Of all lines so far, as `vsgen.files.complete.Content` has it; None where nobody reads them again."""
        ...

    def __enter__(self) -> Lines:
        """Return itself."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        ...

    def begin(self) -> None:
        """Forget what an earlier run left there."""
        ...

    def write(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Append JSON objects."""
        ...

    def finish(self) -> None:
        """All is there."""
        ...


class FileLines:
    """Lines into ``FILE.part``, which `finish` renames to FILE."""

    def __init__(self, path: Path, *, keep: bool = True) -> None:
        """Hold the part, and leave it as it is.

        Args:
            path: FILE.
            keep: An unfinished part stays: the command can be resumed.

        Raises:
            OutputError: It cannot be written, or another run holds it.
        """
        self._path = path
        self._digest = blake2b(digest_size=8)
        with writing(path):
            self._part = Part(path, keep=keep)

    @property
    def digest(self) -> str:
        """Of all lines so far."""
        return self._digest.hexdigest()

    def __enter__(self) -> FileLines:
        """Return the open file itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close, and let another run in."""
        self._part.close()

    def begin(self) -> None:
        """Empty the part."""
        with writing(self._part.path):
            self._part.begin()

    def write(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Append lines; they are with the system when this returns."""
        if data := _dumps(lines):
            self._digest.update(data)
            with writing(self._part.path):
                self._part.write(data)

    def finish(self) -> None:
        """Make the whole file appear; it is on the disk, under its name, when this returns."""
        with writing(self._path):
            self._part.place()


class ThroughLines:
    """Lines to what no whole file may replace: each visible to the reader at once, and nothing to finish."""

    digest: Final = None
    """Nobody reads them again."""

    def __init__(self, path: Path, warn: Callable[[str], None], *, quiet: bool = False) -> None:
        """Open it; a named pipe waits for its reader.

        Args:
            path: Its name; see `vsgen.files.destinations.is_written_through`.
            warn: Gets what a pipe waits for.
            quiet: A reader that goes is no error.

        Raises:
            OutputError: It cannot be opened.
        """
        self._path, self._quiet = path, quiet
        with writing(path):
            self._file = open_through(path, warn)
        self._seen = os.isatty(self._file)

    def __enter__(self) -> ThroughLines:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        os.close(self._file)

    def begin(self) -> None:
        """What was written before is gone."""

    def write(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Write lines.

        Raises:
            ReaderGone: It is a pipe that nobody reads any more, and that is no error.
            OutputError: It cannot be written.
        """
        data = _dumps(lines, seen=self._seen)
        with writing(self._path):
            while data:
                try:
                    data = data[os.write(self._file, data) :]
                except BlockingIOError:  # a descriptor that another program set so
                    select.select([], [self._file], [])
                except BrokenPipeError:
                    if self._quiet:
                        raise ReaderGone from None
                    raise

    def finish(self) -> None:
        """Nothing is left to do."""


class PipeLines:
    """Lines to standard output, each visible to the reader at once."""

    digest: Final = None
    """Nobody reads them again."""

    def __init__(self) -> None:
        """Check that there is a standard output.

        Raises:
            OutputError: It is closed.
        """
        if sys.stdout is None:
            raise OutputError(f"{_STDOUT}: is closed; write to a file with -o FILE")
        self._seen = is_terminal(sys.stdout)

    def __enter__(self) -> PipeLines:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave standard output open."""

    def begin(self) -> None:
        """What was written before is gone."""

    def write(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Write and flush.

        Raises:
            ReaderGone: It is a pipe that nobody reads any more.
            OutputError: Standard output cannot be written for another reason.
        """
        try:
            sys.stdout.buffer.write(_dumps(lines, seen=self._seen))
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise ReaderGone from None
        except OSError as error:
            raise _failed(_STDOUT, error, "with -o FILE") from error

    def finish(self) -> None:
        """Nothing is left to do."""


class NoLines:
    """Where lines go that nobody wants in a file."""

    digest: Final = None
    """Nobody reads them again."""

    def __enter__(self) -> NoLines:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is open."""

    def begin(self) -> None:
        """Nothing is there."""

    def write(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Forget them."""

    def finish(self) -> None:
        """Nothing is left to do."""


def open_lines(path: Path, warn: Callable[[str], None], *, quiet: bool, keep: bool) -> Lines:
    """Open what a name leads to, which `vsgen.files.destinations.destination` has followed.

    Args:
        path: The name.
        warn: Gets what is waited for.
        quiet: A reader that goes is no error.
        keep: An unfinished part stays.

    Raises:
        OutputError: It cannot be written, or another run holds it.
    """
    return ThroughLines(path, warn, quiet=quiet) if is_written_through(path) else FileLines(path, keep=keep)


def write_line(path: Path, line: Mapping[str, object], warn: Callable[[str], None]) -> None:
    """Write one line to what a name leads to; nothing of it stays where it cannot be written whole.

    Raises:
        OutputError: It cannot be written, or another run writes it just now.
    """
    with open_lines(path, warn, quiet=False, keep=False) as lines:
        lines.write([line])
        lines.finish()


def silence_stdout() -> None:
    """After a broken pipe: let the interpreter's last flush go nowhere instead of raising."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dumps(lines: Iterable[Mapping[str, object]], *, seen: bool = False) -> bytes:
    """JSON, such that a terminal shows all of it where it is seen."""
    data = b"".join([orjson.dumps(line, option=_OPTION) for line in lines])
    return harmless_json(data) if seen else data


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Within it, what the system refuses becomes an error of the tree.

    Args:
        where: What is written, as messages call it.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise _failed(where, error) from error


def no_place(path: Path) -> str | None:
    """Why no file can be made under a name, and what to do; None where one can, as far as its folder says."""
    folder = path.parent
    if not folder.exists():
        return f"{path}: cannot be written: there is no folder {folder}; create it, or choose another path"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{path}: cannot be written: no permission to write in {folder}; choose another path"
    return None


def _failed(where: Path | str, error: OSError, how: str = "again") -> OutputError:
    if error.errno == errno.ENOENT and (problem := no_place(Path(where))):
        return OutputError(problem)
    problem = f"{where}: cannot be written: {error.strerror or error}"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return FullError(problem, how)
    return OutputError(f"{problem}; choose another path")
