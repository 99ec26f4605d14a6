"""Rows in: JSON objects, one a line, from a file or from standard input, read as they are needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Final, NamedTuple

from vsgen.errors import InputError
from vsgen.files.blocks import Line, filled, lines, of_file, of_stdin
from vsgen.files.fields import Skip, fields_of
from vsgen.files.mistaken import unreadable
from vsgen.values import Row

STDIN: Final = "-"
_COUNTED: Final = 1 << 28
"""Bytes of a file whose rows are counted before they are read: a fraction of a second."""
_AHEAD = 16
"""Blocks that wait to be taken."""
_KNOWN = 1.0
"""Seconds within which the end of an input is known that has ended; a slow writer's may not have."""
_PATIENCE = 0.2
"""Seconds after which a reader that waits for room sees that nobody wants more."""


class Seen(NamedTuple):
    """What was read of an input, as far as an output hangs on it."""

    rows: int
    """Lines that are not blank."""
    digest: str
    """Of these lines, 64 bits, hex."""
    whole: bool
    """There are no more."""

    def __str__(self) -> str:
        """One value to compare."""
        return f"{self.rows} rows{'' if self.whole else ' and more'}, digest {self.digest}"


class RowInput:
    """A JSONL file; or standard input or a pipe, whose bytes are kept once someone has looked ahead."""

    def __init__(self, source: str) -> None:
        """Set up; `source` is a path, or ``-`` for standard input."""
        self.source = source
        self._held: bytes | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return "<stdin>" if self.source == STDIN else self.source

    @property
    def never_waits(self) -> bool:
        """All of it is there: it is a file, and no pipe."""
        return self.source != STDIN and Path(self.source).is_file()

    def count(self) -> int | None:
        """How many rows there are, where that is quickly known: of a file that is not large.

        Raises:
            InputError: It cannot be read.
        """
        if not self.never_waits or Path(self.source).stat().st_size > _COUNTED:
            return None
        return sum(1 for _ in filled(self.blocks()))

    def look(self, rows: int | None = None) -> Seen:
        """Read the first `rows` rows, or all, and leave them to be read again.

        Raises:
            InputError: It cannot be read.
        """
        if self._held is None and not self.never_waits:  # nothing gives them again
            self._held = b"".join(self.blocks())
        count, digest, whole = 0, _Digest(), True
        for _, line in filled(self.blocks()):
            if count == rows:
                whole = False
                break
            digest.add(line)
            count += 1
        return Seen(count, digest.text, whole)

    def rows(self, *, skip: Skip | None = None) -> Iterator[Row]:
        """Its rows in order, each once it is there; the arguments and errors are those of `read_rows`."""
        for index, (number, line) in enumerate(filled(self.blocks())):
            where = f"{self.name}:{number}"
            fields = fields_of(line, where, skip)
            if fields is not None:
                yield Row(index, fields, where)

    def reader(self, *, wake: Callable[[], None], skip: Skip | None = None) -> RowReader:
        """Begin to read; the arguments are those of `RowReader`."""
        return RowReader(self, wake=wake, skip=skip)

    def blocks(self) -> Iterator[bytes]:
        """Its bytes, as soon as they are there.

        Raises:
            InputError: It cannot be read.
        """
        if self._held is not None:
            yield self._held
            return
        try:
            if self.source == STDIN:
                yield from of_stdin()
            else:
                yield from of_file(Path(self.source))
        except OSError as error:
            raise InputError(unreadable(self.name, error)) from error


class RowReader:
    """Rows of an input, read ahead by a thread of their own, so that a slow writer holds nothing else up."""

    def __init__(self, rows: RowInput, *, wake: Callable[[], None], skip: Skip | None = None) -> None:
        """Begin to read.

        Args:
            rows: What to read.
            wake: Called from another thread when there is more to take.
            skip: Gets the problem of each line that is not a JSON object, which is then passed over; without it that is
                an error.
        """
        self._input = rows
        self._wake = wake
        self._skip = skip
        self._blocks: Queue[list[Line] | InputError | None] = Queue(_AHEAD)
        self._lines: deque[Line] = deque()
        self._closed = Event()
        self._digest = _Digest()
        self._taken = 0
        self._failed: InputError | None = None
        self.ended = False
        """All rows are taken, or reading them has failed."""
        self._thread = Thread(target=self._read, name="vsgen rows", daemon=True)  # it may wait for a writer for ever
        self._thread.start()

    @property
    def seen(self) -> Seen | None:
        """What was taken so far."""
        return Seen(self._taken, self._digest.text, self.ended)

    def take(self) -> Row | None:
        """The next row; None if there is none yet, or all are taken.

        Raises:
            InputError: The input cannot be read, or a line is not a JSON object; names the line. The input has ended.
        """
        while self._lines or self._more():
            number, line = self._lines.popleft()
            self._digest.add(line)
            self._taken += 1
            where = f"{self._input.name}:{number}"
            try:
                fields = fields_of(line, where, self._skip)
            except InputError:
                self._lines.clear()
                self.ended = True
                raise
            if fields is not None:
                return Row(self._taken - 1, fields, where)
        return None

    def left(self) -> bool:
        """Whether there is another row, or what is wrong with one; of a slow writer, whether there may be."""
        with suppress(Empty):
            while not self._lines and not self.ended:
                self._receive(self._blocks.get(timeout=_KNOWN))
        return bool(self._lines) or self._failed is not None or not self.ended

    def close(self) -> None:
        """Let the thread end; it has, unless it waits for a writer."""
        self._closed.set()
        with suppress(Empty):
            while True:
                self._blocks.get_nowait()
        if self._input.never_waits:
            self._thread.join()

    def _more(self) -> bool:
        while not self._lines and not self.ended:
            try:
                self._receive(self._blocks.get_nowait())
            except Empty:
                return False
        if self._failed is not None and not self._lines:
            error, self._failed = self._failed, None
            raise error
        return bool(self._lines)

    def _receive(self, block: list[Line] | InputError | None) -> None:
        if isinstance(block, list):
            self._lines.extend(block)
            return
        self._failed, self.ended = block, True

    def _read(self) -> None:
        try:
            for block in lines(self._input.blocks()):
                if self._closed.is_set():
                    return
                self._put([(number, line) for number, line in block if line.strip()])
        except InputError as error:
            self._put(error)
        except Exception as error:  # whatever it is, the engine waits for a word from here
            problem = f"{type(error).__name__}: {error}"
            self._put(InputError(f"{self._input.name}: cannot be read: {problem}; give a JSONL file, or - for stdin"))
        else:
            self._put(None)

    def _put(self, block: list[Line] | InputError | None) -> None:
        while not self._closed.is_set():
            try:
                self._blocks.put(block, timeout=_PATIENCE)
            except Full:
                continue
            self._wake()
            return


def read_rows(source: str, *, skip: Skip | None = None) -> Iterator[Row]:
    """Read rows in order; blank lines do not count.

    Args:
        source: A path, or ``-`` for standard input.
        skip: Gets the problem of each line that is not a JSON object, which is then passed over; without it that is an
            error.

    Raises:
        InputError: The file cannot be read, or a line is not a JSON object; names the line.
    """
    return RowInput(source).rows(skip=skip)


class _Digest:
    """Of lines, whatever ends them."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=8)

    def add(self, line: bytes) -> None:
        self._hash.update(line.strip())
        self._hash.update(b"\n")

    @property
    def text(self) -> str:
        return self._hash.hexdigest()
