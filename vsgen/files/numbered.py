"""Files that several runs write one after the other under one name: FILE, then its name with 2, 3 and so on in it.

None of them is ever overwritten unless that is wanted. They appear together, each whole, when all are written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import TracebackType

from vsgen.errors import OutputError
from vsgen.files.lines import writing
from vsgen.files.part import Part


def numbered(path: Path) -> Iterator[Path]:
    """The names in their order: ``calls.jsonl``, ``calls.2.jsonl``, ``calls.3.jsonl``."""
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}.{number}{path.suffix}")


class Numbered:
    """Files under way; those that are not placed leave nothing behind."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        """Set up; nothing is written yet.

        Args:
            path: The name of the first file.
            overwrite: Begin with it, and replace whatever is there; else the first names that are free are taken.
        """
        self._names = numbered(path)
        self._overwrite = overwrite
        self._parts: list[tuple[Path, Part]] = []

    def __enter__(self) -> Numbered:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let other runs in."""
        for _, part in self._parts:
            part.close()

    def begin(self) -> Part:
        """The next file, empty.

        Raises:
            OutputError: It cannot be written, or another run writes it.
        """
        path = next(name for name in self._names if self._overwrite or not os.path.lexists(name))
        with writing(path):
            part = Part(path, keep=False)
            self._parts.append((path, part))
            part.begin()
        return part

    def place(self) -> list[Path]:
        """Let all files appear, in the order in which they were begun; returns their names.

        Raises:
            OutputError: One cannot be placed; those before it are there.
        """
        for path, part in self._parts:
            if not self._overwrite and os.path.lexists(path):
                raise OutputError(f"{path}: has appeared while it was written; run the command again")
            with writing(path):
                part.place()
        return [path for path, _ in self._parts]
