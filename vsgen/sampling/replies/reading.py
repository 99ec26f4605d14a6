"""What comes of reading JSON that a model wrote: a value, and what in it is not whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

Container: TypeAlias = list[object] | dict[str, object]
DEPTH: Final = 64
"""Deeper nesting is not read: nothing that is asked for is that deep, and writers of JSON have limits too."""


class Unread(NamedTuple):
    """In the place of a list's entry that is not whole: where it stands."""

    start: int
    end: int


class Flaw(NamedTuple):
    """A container that is not whole."""

    start: int
    end: int
    closed: bool
    """Its bracket is there; what is missing is in it."""
    keys: frozenset[str] = frozenset()
    """Keys in it that have no whole value; the empty name for what has no key."""


class Reading(NamedTuple):
    """What was found at a position."""

    value: Container
    end: int
    """Where reading stopped: after the value, or at the first character that could not be read."""
    flaws: Mapping[int, Flaw]
    """By `id`: each container in `value` (itself included) that was never closed, or holds something unread."""
    at_end: bool
    """Whether it was the end of the text that cut the value."""
    repaired: bool

    @property
    def gave_up(self) -> bool:
        """Whether something unreadable ended it, and not the end of the reply."""
        flaw = self.flaws.get(id(self.value))
        return flaw is not None and not flaw.closed and not self.at_end
