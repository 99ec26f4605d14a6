"""What a journal holds, found when it is opened: where each call's line is, what is noted, and what cannot be read."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

from vsgen.digests import SIZE, DigestMap
from vsgen.files.appended import Appended
from vsgen.files.first_line import FirstLine
from vsgen.files.notes import START as NOTE
from vsgen.files.notes import read_note
from vsgen.files.old_lines import old_call, old_end
from vsgen.files.sealed import intact

VERSION: Final = 1
"""Of the journals that are written; see docs/journal.md."""
PLACE: Final = struct.Struct("<QI")
"""Where a line begins, and how long it is."""
_FIRST: Final = FirstLine(
    "vsgen journal",
    "journal",
    VERSION,
    holds="calls and their raw replies: docs/journal.md",
    other="name another file, or one that does not exist yet",
    damaged="the first line of any other journal can take its place",
)
_KEY: Final = b'{"key":"'
_STARTS: Final = (_KEY, b'{"kind":"', _FIRST.mark)
"""How lines begin; within a line no string has these bytes, since a quotation mark has a backslash before it there."""


class Contents:
    """What the lines say, the last of each call and of each note."""

    def __init__(self, file: Appended) -> None:
        """Read all lines, and cut a torn last one off; begin the file where there are none.

        Raises:
            OutputError: The file cannot be written.
            OptionError: It is something else than a journal, one of a newer version, or damaged in its first line.
        """
        self.places = DigestMap(PLACE.size)
        """Where the line of each call is, a `PLACE`, by the call's key."""
        self.notes: dict[str, Mapping[str, Any]] = {}
        """What is noted, by name."""
        self.damaged = 0
        """Lines that cannot be read, but for those whose call has another line."""
        self.unchecked = 0
        """Lines that have no checksum."""
        found = _FIRST.recognize(file, older=_old)
        if found in ("new", "torn"):
            file.cut(0)
            file.begin(_FIRST.line)
        elif not self._read(file, versioned=found == "whole"):
            file.begin(_FIRST.line)

    def _read(self, file: Appended, *, versioned: bool) -> bool:
        """Read all lines; whether there is a version line among them."""
        at, lost = 0, list[bytes]()
        with open(file.fileno(), "rb", closefd=False) as lines:
            lines.seek(0)
            for line in lines:
                if not line.endswith(b"\n"):
                    file.cut(at)
                    break
                if not self._take(line, at):
                    if versioned or not self._take_old(line, at):
                        self._rescue(line, at, lost)
                elif not versioned:
                    versioned = _FIRST.begins(line)
                at += len(line)
        self.damaged += sum(self.places.get(key) is None for key in lost)
        return versioned

    def _take(self, line: bytes, at: int) -> bool:
        """Remember what a line says; whether it is intact."""
        if not intact(line):
            return False
        if (key := _key(line)) is not None:
            self.places[key] = PLACE.pack(at, len(line))
        elif line.startswith(NOTE):
            self.notes |= read_note(line)
        return True

    def _take_old(self, line: bytes, at: int) -> bool:
        """Remember what a line without a checksum says; whether it can be one."""
        if (key := old_call(line)) is not None:
            self.places[key] = PLACE.pack(at, len(line))
            self.unchecked += 1
        return key is not None or old_end(line)

    def _rescue(self, line: bytes, at: int, lost: list[bytes]) -> None:
        """Count a damaged line, and take the whole one that may end it, where damage has joined the two.

        Of one whose key can be read it is not known yet whether its call has another line: the key goes to `lost`.
        """
        if (key := _key(line)) is None:
            self.damaged += bool(line.strip())
        else:
            lost.append(key)
        begin = max(map(line.rfind, _STARTS))
        if begin > 0:
            self._take(line[begin:], at + begin)


def _old(line: bytes) -> bool:
    """Whether a line is one of before there were versions."""
    return old_call(line) is not None or old_end(line)


def _key(line: bytes) -> bytes | None:
    try:
        name = line[len(_KEY) : len(_KEY) + 2 * SIZE].decode("ascii")
        return bytes.fromhex(name) if line.startswith(_KEY) else None
    except ValueError:
        return None
