"""The results of batches, in the files that a provider gave: found when they are opened, read when they are needed.

A file is untrusted. A line that is too long, damaged or somebody else's is counted and passed over, so that its call is
asked again. Of several results of one request the best counts: a reply before a refusal, and that before what has to be
asked again; of equal ones the latest attempt, and then the first line.
"""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple

from vsgen.backends.endpoint.batch.lines import Came, Lost, Result, read_result, too_long
from vsgen.backends.endpoint.batch.names import Name
from vsgen.backends.endpoint.counted import stated
from vsgen.backends.endpoint.exchange import failure_of
from vsgen.backends.endpoint.http import LARGEST, Response
from vsgen.backends.endpoint.reading import error_of
from vsgen.digests import DigestMap
from vsgen.errors import EndpointError, InputError
from vsgen.values import Usage

_LONGEST: Final = LARGEST + (1 << 16)
"""Bytes of a line: the longest response, and what stands around it."""
_PLACE: Final = struct.Struct("<HQQBB")
"""The file, where the line begins, how long it is, its rank, and its attempt."""
_REFUSED: Final = 20
"""Results, none of them a reply, that are taken for a sign that every request is refused."""
_HEAD: Final = 1 << 12
"""Bytes by which a file of something else is recognized."""
_CALLS: Final = re.compile(rb'"custom_id":"[0-9a-f-]{36,64}","(?:method|params)"')


class Found(NamedTuple):
    """A result that is there."""

    attempt: int
    came: Came
    taken: Usage = Usage()
    """Tokens of the attempts that were of no use, `came` included where it is one."""
    kept: bool = False
    """An earlier run has read it, and counted it."""


@dataclass(slots=True)
class Seen:
    """Lines of the files."""

    ours: int = 0
    """Results of requests that vsgen has written, whichever command."""
    replies: int = 0
    """Of these, those with status 2xx."""
    refused: int = 0
    """Those whose status blames their request."""
    others: int = 0
    """Lines that are none."""
    first: str = ""
    """Why the first result that is no reply is none."""
    ended: str = ""
    """Why the first request was answered in a way that every other would be, such as by a wrong key."""


class Results:
    """Files of results, open."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Open the files, and note where each result is.

        Raises:
            InputError: A file cannot be read, or holds no results.
            EndpointError: The provider has refused all requests.
        """
        self.seen = Seen()
        self._places = DigestMap(_PLACE.size)
        self._taken: set[str] = set()
        self._files: list[BinaryIO] = []
        self._open = ExitStack()
        try:
            for path in paths:
                self._read(path)
            self._refuse_none(paths)
        except BaseException:
            self._open.close()
            raise

    def __enter__(self) -> Results:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the files."""
        self._open.close()

    def __len__(self) -> int:
        """Requests that have a result."""
        return len(self._places)

    @property
    def taken(self) -> int:
        """Of these, those that were asked for."""
        return len(self._taken)

    def find(self, name: Name) -> Found | None:
        """The result of any attempt of a request."""
        place = self._places.get(bytes.fromhex(name.digest))
        if place is None:
            return None
        self._taken.add(name.digest)
        number, begin, length, _, attempt = _PLACE.unpack(place)
        file = self._files[number]
        file.seek(begin)
        result = _read_line(_Line(begin, file.read(min(length, _LONGEST)), length))
        if result is None or result.name.digest != name.digest:
            return Found(attempt, Lost("the file of results was changed while it was read", blamed=False))
        return Found(attempt, result.came)

    def _read(self, path: Path) -> None:
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: is not a regular file; give a file of results")
        try:
            file = self._open.enter_context(path.open("rb"))
            number = len(self._files)
            self._files.append(file)
            before = self.seen.ours
            if problem := _mistaken(file.read(_HEAD)):
                raise InputError(f"{path}: {problem}")
            file.seek(0)
            for line in _lines(file):
                self._take(number, line)
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}; give a file of results") from error
        if self.seen.ours == before:
            raise InputError(
                f"{path}: holds no result of a call that vsgen wrote; give the JSON lines that the provider returned "
                "for the file of --emit-batch"
            )

    def _take(self, number: int, line: _Line) -> None:
        """Note where a result is, unless a better one is known."""
        result = _read_line(line)
        if result is None:
            self.seen.others += bool(line.text.strip())
            return
        digest, rank = bytes.fromhex(result.name.digest), self._ranked(result)
        known = self._places.get(digest)
        if known is None or (rank, result.name.attempt) > _PLACE.unpack(known)[3:]:
            self._places[digest] = _PLACE.pack(number, line.begin, line.length, rank, result.name.attempt)

    def _ranked(self, result: Result) -> int:
        """How good a result is, from 0 to 2; counts it."""
        seen, came = self.seen, result.came
        seen.ours += 1
        if isinstance(came, Lost):
            seen.first = seen.first or came.why
            return 0
        if came.status < 300:
            seen.replies += 1
            return 2
        try:
            failure = failure_of(came)
        except EndpointError as error:
            seen.ended = seen.ended or str(error)
            return 0
        seen.first = seen.first or (failure.why if failure else f"HTTP {came.status} ({error_of(came)})")
        seen.refused += failure is None
        return 0 if failure else 1

    def _refuse_none(self, paths: Sequence[Path]) -> None:
        """See that there is any reply, where there are enough results to tell."""
        seen = self.seen
        if seen.replies or not seen.ours:
            return
        names = ", ".join(map(str, paths))
        if seen.ended:
            raise EndpointError(f"{names}: none of {seen.ours:,} results is a reply: {seen.ended}")
        if seen.refused >= _REFUSED:
            raise EndpointError(f"{names}: none of {seen.ours:,} results is a reply; the first: {seen.first}")


def in_vain(found: Found, lost: Lost) -> Found:
    """A result of no use, with what its request took."""
    taken = stated(found.came) if isinstance(found.came, Response) else Usage()
    return Found(found.attempt, lost, found.taken + taken)


def usable(came: Came) -> Lost | None:
    """Why a request has to be sent again though a response came; None if its dialog is to have it."""
    if isinstance(came, Lost):
        return came
    try:
        failure = failure_of(came)
    except EndpointError as error:
        return Lost(str(error), blamed=False)
    return Lost(failure.why, blamed=failure.blame == "request") if failure else None


class _Line(NamedTuple):
    """A line of a file."""

    begin: int
    text: bytes
    """Its bytes, as far as they are read."""
    length: int
    """Of all of it."""

    @property
    def long(self) -> bool:
        """There is more of it than is read."""
        return self.length > len(self.text)


def _lines(file: BinaryIO) -> Iterator[_Line]:
    begin = 0
    while text := file.readline(_LONGEST):
        length, last = len(text), text
        while not last.endswith(b"\n") and (last := file.readline(_LONGEST)):
            length += len(last)
        yield _Line(begin, text, length)
        begin += length


def _read_line(line: _Line) -> Result | None:
    if line.long:
        return too_long(line.text, LARGEST)
    result = read_result(line.text if line.begin else line.text.removeprefix(codecs.BOM_UTF8))
    if result is not None and isinstance(result.came, Lost) and not line.text.endswith(b"\n"):
        return Result(result.name, Lost("the file of results is cut off", blamed=False))
    return result


def _mistaken(head: bytes) -> str | None:
    """What a file is that holds no results, by its beginning, and what to give; None where it does not say."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "is UTF-16, as PowerShell writes; save it as UTF-8"
    if head.startswith(b"\x1f\x8b"):
        return "is compressed with gzip; unpack it with gzip -d"
    if not head.strip():
        return "is empty; give the file of results"
    if _CALLS.search(head):
        return "holds calls and no results; have it answered, and give the file that comes back"
    if head.lstrip().startswith(b"["):
        return "is one JSON array; write each of its items on a line of its own"
    return None
