"""How much room a running batch's cache has."""

from __future__ import annotations

from typing import Final

_STEP: Final = 64
"""Columns are added in multiples of this."""


class Capacity:
    """Rows and columns that a cache has, and at most may have."""

    def __init__(self, rows: int, tokens: int) -> None:
        """At most so many rows, and tokens (rows times columns) unless a single batch needs more."""
        self.capacity = (0, 0)
        """Rows and columns."""
        self._most_rows = rows
        self._most_tokens = tokens

    def holds(self, rows: int, columns: int) -> bool:
        """Whether there is room for so many rows and columns."""
        return rows <= self.capacity[0] and columns <= self.capacity[1]

    def reserve(self, rows: int, columns: int) -> None:
        """Make room for so many rows and columns: twice as much, so that growth is rare, where memory allows."""
        if self.holds(rows, columns):
            return
        roomy = min(2 * rows, self._most_rows), -(-2 * columns // _STEP) * _STEP
        self.capacity = roomy if roomy[0] * roomy[1] <= self._most_tokens else (rows, columns)
