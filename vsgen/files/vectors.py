"""The vectors of texts, beside the journal: a file of float16 components that grows at its end.

Each vector stands there under the digest of its embedder's name and its text, so that later runs, and whatever looks
for repeats, share it. Vectors are float16 wherever they are (`vsgen.values.Vector`), so a run decides with what the
file holds, and a resumed one decides alike.

The first line says what the file is and its version. Then follow records: 16 bytes of digest, the number of bytes of
the vector and the CRC-32 of all else in the record, both as little-endian 4 bytes, and the vector. A record whose
checksum does not fit counts as not there; the next whole one is looked for behind its head, by the sizes that vectors
have, since its own size may be what is damaged. What follows the last one that fits is cut off. It is written and
synced as the journal is.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from zlib import crc32

from vsgen.digests import SIZE, DigestMap
from vsgen.files.appended import Appended
from vsgen.files.first_line import FirstLine
from vsgen.values import Vector

_FIRST = FirstLine(
    "vsgen vectors",
    "file of vectors",
    1,
    holds="float16 vectors of texts: docs/journal.md",
    other="move it away: the vectors of this journal belong there",
    damaged="remove the file: its texts are embedded again",
)
_HEAD = struct.Struct(f"<{SIZE}sII")
_COVERED = SIZE + 4
"""The bytes of a head before its checksum."""
_PLACE = struct.Struct("<QI")
_LARGEST = 1 << 17
"""Bytes of a vector; a head that says more is damaged."""


def vectors_path(journal: Path) -> Path:
    """Where the vectors of a journal lie: FILE.vectors beside FILE.journal."""
    return journal.with_name(journal.name.removesuffix(".journal") + ".vectors")


class Vectors:
    """The open file, which one run at a time may hold; it is read through a map of its bytes."""

    def __init__(self, path: Path) -> None:
        """Open or create; cut a torn tail off.

        Raises:
            OutputError: The file cannot be written, or another run holds it.
            OptionError: It is something else, of a newer version, or damaged in its first line.
        """
        self._file = Appended(path, "the vectors")
        self._places = DigestMap(_PLACE.size)
        self._bytes: bytes | mmap.mmap = b""
        self.unreadable = 0
        """Stretches of damaged records, before the last whole one."""
        try:
            self._open()
        except BaseException as error:
            self._file.__exit__(type(error), error, None)
            raise

    def __enter__(self) -> Vectors:
        """Return the open file itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close, and let another run in: the map holds the file open too."""
        self._bytes = b""
        self._file.__exit__(kind, error, at)

    def __len__(self) -> int:
        """How many vectors are in it."""
        return len(self._places)

    def find(self, digest: bytes) -> Vector | None:
        """The vector of a digest, if it is there."""
        place = self._places.get(digest)
        if place is None:
            return None
        begin, size = _PLACE.unpack(place)
        if begin + size > len(self._bytes):
            self._map()
        return Vector(self._bytes[begin : begin + size])

    def add(self, digest: bytes, vector: Vector) -> None:
        """Append a vector.

        Raises:
            OutputError: It could not be written whole.
        """
        data = vector.data
        covered = digest + len(data).to_bytes(4, "little")
        begin = self._file.append(b"%s%s%s" % (covered, crc32(data, crc32(covered)).to_bytes(4, "little"), data))
        self._places[digest] = _PLACE.pack(begin + _HEAD.size, len(data))

    def sync(self) -> None:
        """Write all vectors to the disk now.

        Raises:
            OutputError: The disk did not take them.
        """
        self._file.sync()

    def _open(self) -> None:
        """Read the places of all vectors."""
        if _FIRST.recognize(self._file) != "whole":
            self._file.cut(0)
            self._file.begin(_FIRST.line)
            return
        self._map()
        end = start = len(_FIRST.line)
        for digest, begin, size in self._records(start):
            self._places[digest] = _PLACE.pack(begin, size)
            self.unreadable += begin - _HEAD.size > end
            end = begin + size
        if end < self._file.size:
            self._bytes = b""
            self._file.cut(end)

    def _records(self, start: int) -> Iterator[tuple[bytes, int, int]]:
        """The digest of each intact record from `start` on, and where its vector begins and how long it is."""
        ahead = dict[int, int]()
        with memoryview(self._bytes) as whole:
            at = start
            while at + _HEAD.size <= len(whole):
                digest, size, check = _HEAD.unpack_from(whole, at)
                begin = at + _HEAD.size
                can_be = 0 < size <= _LARGEST and size % 2 == 0
                if can_be and crc32(whole[begin : begin + size], crc32(whole[at : at + _COVERED])) == check:
                    ahead.setdefault(size, at)
                    yield digest, begin, size
                    at = begin + size
                else:
                    at = self._next(at, ahead) if ahead else begin + size

    def _next(self, at: int, ahead: dict[int, int]) -> int:
        """Where the next record may begin behind a damaged one.

        Args:
            at: Where the damaged one begins.
            ahead: The sizes that vectors have, and for each where the last head was found that names it.
        """
        for size, last in ahead.items():
            if last <= at:
                place = self._bytes.find(size.to_bytes(4, "little"), at + 1 + SIZE)
                ahead[size] = len(self._bytes) if place < 0 else place - SIZE
        return min(ahead.values())

    def _map(self) -> None:
        self._bytes = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
