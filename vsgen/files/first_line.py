"""The first line of a file, which says what the file is: what does not begin with one whole is not touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from vsgen.errors import OptionError
from vsgen.files.appended import Appended
from vsgen.files.sealed import intact, sealed

_MARK = b'{"vsgen '
"""How the first line of each kind begins."""
_LONG = 1 << 24
"""Bytes of the longest line that is looked at."""
_LINES = 8
"""Lines that are looked at to tell a damaged file from another one."""


@dataclass(frozen=True, slots=True)
class FirstLine:
    """What the files of one kind begin with."""

    name: str
    """Of the kind, as ``vsgen journal``."""
    noun: str
    """The same in a sentence: ``journal``."""
    version: int
    """That is written, and the only one that is read."""
    holds: str
    """What is in such a file, for people who look into it."""
    other: str
    """What to do about a file that is none of these."""
    damaged: str
    """What to do about one whose first line is damaged."""

    @property
    def line(self) -> bytes:
        """The line itself."""
        return sealed(b'%s%d,"kind":"version","holds":"%s"}' % (self.mark, self.version, self.holds.encode()))

    @property
    def mark(self) -> bytes:
        """How the line begins, in every version."""
        return b'{"%s":' % self.name.encode()

    def begins(self, line: bytes) -> bool:
        """Whether a line is such a first line, whole and of the version that is read."""
        return line == self.line or (
            line.startswith(self.mark) and intact(line) and self._version(line) == self.version
        )

    def recognize(self, file: Appended, older: Callable[[bytes], bool] = lambda _: False) -> Found:
        """What a file is that was opened to be continued.

        Args:
            file: The file.
            older: Whether a first line is that of a file from before there were versions.

        Raises:
            OptionError: It is something else, one of another version, or one whose first line is damaged; it is left as
                it is.
        """
        with open(file.fileno(), "rb", closefd=False) as stream:
            stream.seek(0)
            line = stream.readline(_LONG)
            if self.begins(line):
                return "whole"
            if self._torn(line, file.size):
                return "torn" if line else "new"
            if older(line):
                return "older"
            following = [stream.readline(_LONG) for _ in range(_LINES)]
        raise OptionError(f"{file.path}: {self._problem(line, following)}")

    def _torn(self, line: bytes, size: int) -> bool:
        """Whether all that there is of a file is the beginning of its first line.

        That line is on the disk before another one follows, so behind what a power cut left of it are zeros at most.
        """
        begun = line.rstrip(b"\0")
        return size == len(line) <= len(self.line) and self.line.startswith(begun)

    def _problem(self, line: bytes, following: list[bytes]) -> str:
        if line.startswith(self.mark) and intact(line):
            remedy = f"this vsgen reads version {self.version}; upgrade it, or {self.other}"
            return f"is a {self.noun} of version {self._version(line)}, but {remedy}"
        other = line.startswith(_MARK) and intact(line)
        if not other and (line.startswith(self.mark) or any(map(intact, [line, *following]))):
            return f"its first line, which marks it as a {self.noun}, is damaged or missing; {self.damaged}"
        return f"is not a {self.noun} of vsgen; {self.other}"

    def _version(self, line: bytes) -> object:
        version = line.removeprefix(self.mark).partition(b",")[0].decode("ascii", "replace")
        return int(version) if version.isdecimal() else version


Found = Literal["new", "torn", "whole", "older"]
"""A file that is empty, that ends within its first line, that begins with it, or that is from before there was one."""
