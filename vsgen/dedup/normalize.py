"""When two texts are the same text: the key of the exact stage."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b

from vsgen.dedup.guards import numbers

_INVISIBLE = "\u00ad\u200b\u2060\ufeff"  # soft hyphen, zero-width space, word joiner, byte-order mark
_MEANT = "#%&*/@\\"  # punctuation to Unicode, but "C#" is not "C" and "7*3" is not "7/3"
_MINUS = "\u2212"
_REMEMBERED = 1024
"""Texts: whether one was seen is often asked shortly before it comes to the index."""
_DASH_OF_NUMBERS = re.compile(r"(?<=\d)\s*[-\u2010-\u2015\u2212]\s*(?=\d)")


class _Fold(dict[int, str]):
    """A table for `str.translate` that asks Unicode about each character once."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        space = unicodedata.category(char)[0] in "PZ" or char.isspace()
        folded = self[code] = " " if space and char not in _MEANT else char
        return folded


_FOLD = _Fold({ord(char): "" for char in _INVISIBLE})


def fold(text: str) -> str:
    """The text without what does not count: case, compatibility forms, prose punctuation, spacing.

    Symbols, emoji and the letters and marks of every script stay, and so does a dash between two numbers. A text of
    nothing but punctuation stays as it is, apart from spacing.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _squeeze(_DASH_OF_NUMBERS.sub(_MINUS, plain).translate(_FOLD)) or _squeeze(plain)


@lru_cache(_REMEMBERED)
def key(text: str) -> bytes:
    """16 bytes that are equal for texts that differ only in what `fold` drops and hold the same numbers.

    The numbers go in beside the folded text, because folding would make 1.5 of "1 5" and 5 of "-5".
    """
    content = "\0".join((fold(text), *numbers(text)))
    return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _squeeze(text: str) -> str:
    return " ".join(text.split())
