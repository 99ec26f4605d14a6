"""Finds names in texts, fast where there are none: most texts hold not even the beginning of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

_LEAD = 2
"""Characters of a name's beginning that are looked for first; looking for a string is much faster than a pattern."""


class Finder:
    """Finds any of some names, be they thousands; of two that begin at the same place the longer one."""

    def __init__(self, names: Sequence[str], fold: Callable[[str], str] | None = None) -> None:
        """Set up.

        Args:
            names: To be found as they stand; none is empty.
            fold: Makes of a text another one, in which `found` looks for what it makes of the names.
        """
        self._fold = fold
        self._folded = None if fold is None else Finder([fold(name) for name in names])
        self._names = frozenset(names)
        self._lengths = sorted({len(name) for name in names}, reverse=True)
        self._leads = tuple(dict.fromkeys(name[:_LEAD] for name in names))
        self._begin = re.compile(f"(?={'|'.join(map(re.escape, self._leads)) or '(?!)'})")

    def found(self, text: str) -> list[str]:
        """The names in a text, in their order."""
        if any(lead in text for lead in self._leads) and (found := [name for _, name in self._each(text)]):
            return found
        return self._folded.found(self._fold(text)) if self._folded and self._fold else []

    def replace(self, text: str, by: Callable[[str], str]) -> str:
        """A text with something else in the place of each name."""
        parts, end = [], 0
        for start, name in self._each(text):
            parts += [text[end:start], by(name)]
            end = start + len(name)
        return "".join([*parts, text[end:]])

    def _each(self, text: str) -> Iterator[tuple[int, str]]:
        end = 0
        for match in self._begin.finditer(text):
            start = match.start()
            name = self._at(text, start) if start >= end else None
            if name is not None:
                yield start, name
                end = start + len(name)

    def _at(self, text: str, start: int) -> str | None:
        slices = (text[start : start + length] for length in self._lengths)
        return next((name for name in slices if name in self._names), None)
