"""The keys of objects: in quotes of any kind, in one quote of two, or in none."""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from vsgen.sampling.replies.literals import unescape
from vsgen.sampling.replies.patterns import BARE_KEY, CLOSERS, COLON, KEY_TEXT, UNCLOSED_KEY, VALUE_COMES


class Key(NamedTuple):
    """What stands in the place of a key."""

    name: str | None
    """None where it is no key."""
    end: int
    """After its colon; of what is no key: the quote that ends it, or where it begins."""
    mended: bool = True
    """A strict reader would have refused it."""


def read_key(text: str, start: int, names: Set[str]) -> Key:
    """Read the key that begins at `start`. Unlike a value, it ends at its first quote and has a greatest length.

    Args:
        text: the reply.
        start: of the key.
        names: keys that are expected, in lower case; they may lack their second quote or their colon.
    """
    quote = text[start]
    if quote not in CLOSERS:
        bare = BARE_KEY.match(text, start)
        return Key(bare[1], bare.end()) if bare else Key(None, start)
    closers = CLOSERS[quote]
    found = KEY_TEXT[closers].match(text, start + 1)
    end = found.end() if found else start + 1
    closed = end < len(text) and text[end] in closers
    colon = COLON.match(text, end + 1) if closed else None
    if colon is None:
        return _torn(text, start, end, names)
    name, mended = unescape(text[start + 1 : end])
    return Key(name.strip() if mended else name, colon.end(), mended or quote != '"')


def _torn(text: str, start: int, end: int, names: Set[str]) -> Key:
    """An expected key that lacks its second quote or its colon."""
    unclosed = UNCLOSED_KEY.match(text, start)
    if unclosed and unclosed[1].casefold() in names:
        return Key(unclosed[1], unclosed.end())
    name = text[start + 1 : end]
    value = VALUE_COMES.match(text, end + 1) if name.casefold() in names else None
    return Key(name, value.end()) if value else Key(None, end)
