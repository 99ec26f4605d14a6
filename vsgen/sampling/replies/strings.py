"""Where a string ends: at the quote after which its container goes on; a quote anywhere else belongs to the text."""

from __future__ import annotations

from collections.abc import Set
from enum import Enum
from typing import NamedTuple

from vsgen.sampling.replies.patterns import (
    CLOSED_BEFORE,
    CLOSERS,
    END_IN_LIST,
    END_IN_OBJECT,
    HALF_NEXT,
    KEY_INSIDE,
    KNOWN_KEY,
    NAME_INSIDE,
    NEXT_STRING,
    REST,
    SIGNS,
    UP_TO,
)


class End(Enum):
    """How a string ends."""

    SURE = "sure"
    UNSURE = "unsure"
    """It ends, but it holds what looks like the end of it, and more of the reply: nobody marked which is right."""
    KEY = "key"
    """It runs into a key that is expected, so it was never closed."""
    TEXT = "text"
    """It runs to the end of the reply."""


class Ending(NamedTuple):
    """The end of a string."""

    how: End
    at: int
    """After its quote; where it runs into a key, the place of that key's quote."""
    inner: int = 0
    """How many quotes are in it that were not escaped."""


def end_of_string(text: str, start: int, *, in_list: bool, names: Set[str]) -> Ending:
    """Find the end of the string whose first quote stands at `start`; each later quote is looked at once.

    Args:
        text: the reply.
        start: of the string.
        in_list: it is an entry of a list, and not the value of a key.
        names: keys that are expected, in lower case.
    """
    closers = CLOSERS[text[start]]
    ends, up_to = END_IN_LIST if in_list else END_IN_OBJECT, UP_TO[closers]
    found = up_to.match(text, start + 1)
    inner = 0
    while found is not None and not ends.match(text, found.end()):
        at = found.end()
        if inner % 2 == 0 and _next_string(text, at) and (in_list or not inner):
            return Ending(End.SURE if in_list else End.UNSURE, at, inner)
        known = KNOWN_KEY.match(text, at - 1)
        if known and known[1].casefold() in names:
            return Ending(End.KEY, at - 1, inner)
        inner += 1
        found = up_to.match(text, at)
    if found is None or (inner and REST.match(text, found.end())):
        return Ending(End.TEXT, len(text))  # there, one more inner quote looks just like the closing one
    unsure = inner and _holds_json(text[start : found.end() - 1], closers, inner, names)
    return Ending(End.UNSURE if unsure else End.SURE, found.end(), inner)


def _next_string(text: str, at: int) -> bool:
    """Whether the next string of a list begins here, without a comma or its first quote."""
    if NEXT_STRING.match(text, at):
        return text[at] != '"' or text[at - 2] in ".!?" or text[at - 2].isalnum()
    return HALF_NEXT.match(text, at) is not None


def _holds_json(opened: str, closers: str, inner: int, names: Set[str]) -> bool:
    """Whether a string, with its first quote, seems to hold the end of itself and more of the reply."""
    first = UP_TO[closers].match(opened, 1)
    if first and CLOSED_BEFORE[closers].match(opened, first.end() - 1):
        return True
    if inner % 2 == 1 and SIGNS[closers].search(opened, 1):
        return True
    known = any(found[1].casefold() in names for found in NAME_INSIDE.finditer(opened, 1))
    return known or KEY_INSIDE[closers].search(opened, 1) is not None
