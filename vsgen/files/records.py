"""Records and rejects out: JSON objects, one a line, to a file that appears only when it is whole, or to a pipe."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

import orjson

from vsgen.errors import OutputError
from vsgen.values import Record, Rejected, SoftLabel, Unlabelled

_DIGITS = 6
"""Significant digits of probabilities."""
_STDOUT = "<stdout>"


def record_line(record: Record, *, meta: bool = True) -> dict[str, object]:
    """The JSON object of a record, in the order in which people read it."""
    line: dict[str, object] = {"id": record.id, **record.fields, "probability": _round(record.probability)}
    if record.labels:
        line["labels"] = {name: label_line(label) for name, label in record.labels.items()}
    if meta:
        line["meta"] = record.meta
    return line


def label_line(label: SoftLabel | Unlabelled) -> object:
    """The JSON object of a label: its probabilities first, and only what is known."""
    if isinstance(label, Unlabelled):
        return {"probs": None, "problem": label.problem}
    line: dict[str, object] = {"probs": label.probs, "entropy": label.entropy, "margin": label.margin}
    optional = {"label_mass": label.label_mass, "disagreement": label.disagreement}
    return _round(line | {key: value for key, value in optional.items() if value is not None} | dict(label.details))


def rejected_line(rejected: Rejected, *, meta: bool = True) -> dict[str, object]:
    """The JSON object of a reject: the record that it would have been, and why it is none."""
    why: dict[str, object] = {"reason": rejected.reason, "clause": rejected.clause, "detail": rejected.detail or None}
    why |= {"twin": rejected.twin, "similarity": rejected.similarity, "raw": rejected.raw}
    return record_line(rejected.record, meta=meta) | {key: value for key, value in why.items() if value is not None}


def part_of(path: Path) -> Path:
    """Where the lines of an unfinished `path` lie."""
    return path.with_name(path.name + ".part")


def count_lines(path: Path) -> int:
    """How many lines a file has."""
    with path.open("rb") as lines:
        return sum(1 for _ in lines)


class FileLines:
    """Lines into ``FILE.part``, which `finish` renames to FILE."""

    def __init__(self, path: Path) -> None:
        """Start with an empty part.

        Raises:
            OutputError: It cannot be written.
        """
        self._path = path
        self._part = part_of(path)
        try:
            self._file = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        except OSError as error:
            raise _failed(self._part, error) from error

    def __enter__(self) -> FileLines:
        """Return the open file itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close; the part stays unless `finish` was called."""
        os.close(self._file)

    def write(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Append lines; they are with the system when this returns."""
        data = b"".join(map(_dumps, lines))
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise _failed(self._part, error) from error

    def finish(self) -> None:
        """Make the whole file appear."""
        try:
            os.fsync(self._file)
            self._part.replace(self._path)
        except OSError as error:
            raise _failed(self._path, error) from error


def write_line(path: Path, line: Mapping[str, object]) -> None:
    """Write one line: to a file that appears when it is whole, or to what is there and no regular file.

    Raises:
        OutputError: It cannot be written.
    """
    if path.exists() and not path.is_file():  # a device or a pipe, whose place no file may take
        try:
            path.write_bytes(_dumps(line))
        except OSError as error:
            raise _failed(path, error) from error
        return
    with FileLines(path) as lines:
        lines.write([line])
        lines.finish()


class ReaderGone(Exception):
    """Whoever read standard output has closed it; no error, but the end of the run."""


class PipeLines:
    """Lines to standard output, each visible to the reader at once."""

    def __init__(self) -> None:
        """Check that there is a standard output.

        Raises:
            OutputError: It is closed.
        """
        if sys.stdout is None:
            raise OutputError(f"{_STDOUT}: is closed; write to a file with -o FILE")

    def __enter__(self) -> PipeLines:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave standard output open."""

    def write(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Write and flush.

        Raises:
            ReaderGone: It is a pipe that nobody reads any more.
            OutputError: Standard output cannot be written for another reason.
        """
        try:
            sys.stdout.buffer.write(b"".join(map(_dumps, lines)))
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise ReaderGone from None
        except OSError as error:
            raise _failed(_STDOUT, error) from error

    def finish(self) -> None:
        """Nothing is left to do."""


class NoLines:
    """Where lines go that nobody wants in a file."""

    def __enter__(self) -> NoLines:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is open."""

    def write(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Forget them."""

    def finish(self) -> None:
        """Nothing is left to do."""


def silence_stdout() -> None:
    """After a broken pipe: let the interpreter's last flush go nowhere instead of raising."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dumps(line: Mapping[str, object]) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)


def _round(value: object) -> object:
    match value:
        case float():
            return float(f"{value:.{_DIGITS}g}")
        case dict() | Mapping():
            return {key: _round(inner) for key, inner in value.items()}
        case _:
            return value


def _failed(where: Path | str, error: OSError) -> OutputError:
    remedy = "choose another path"
    if error.errno == errno.ENOSPC:
        resumed = where != _STDOUT
        remedy = "free some space, then run the same command " + ("with --resume" if resumed else "with -o FILE")
    return OutputError(f"{where}: cannot be written: {error.strerror}; {remedy}")
