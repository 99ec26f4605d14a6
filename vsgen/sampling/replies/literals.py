r"""Words, numbers and escapes of JSON and of Python's repr."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vsgen.sampling.replies.lazy import pattern
from vsgen.texts import pair_surrogates

_NUMBER: Final = pattern(r"[-+]?+(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?+\d++)?+", re.ASCII)
_PLAIN_NUMBER: Final = pattern(r"-?+(?:0|[1-9]\d*+)(?:\.\d++)?+(?:[eE][-+]?+\d++)?+", re.ASCII)
_GROUPED: Final = pattern(r"[-+]?+(?:0|[1-9]\d*+)(?:_\d++)*+(?:\.\d++(?:_\d++)*+)?+", re.ASCII)
_CONTROL: Final = pattern(r"[\x00-\x1f]")
_ESCAPE: Final = pattern(
    r"\\(?:u([0-9a-fA-F]{4})|U(000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL
)
_INT64: Final = (-(2**63), 2**64 - 1)
_INFINITE: Final = float("inf")
_REPLACEMENT: Final = "\ufffd"
_WORDS: Final[dict[str, object]] = {
    "true": True,
    "false": False,
    "null": None,
    "True": True,
    "False": False,
    "None": None,
    "TRUE": True,
    "FALSE": False,
    "NULL": None,
    "Null": None,
    "undefined": None,
    "NaN": "NaN",
    "nan": "nan",
    "inf": "inf",
    "-inf": "-inf",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
}
"""JSON has no number that is infinite or none at all, so these stay words."""
_WORDS_OF_JSON: Final = frozenset({"true", "false", "null"})
_ESCAPES_OF_JSON: Final = frozenset('"\\/bfnrt')
_SIMPLE: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"', "'": "'"}


class Literal(NamedTuple):
    """What a word without quotes means."""

    value: object
    strict: bool
    """JSON writes it so."""


def literal(word: str) -> Literal | None:
    """The meaning of a word without quotes; None if it is just a word."""
    if word in _WORDS:
        return Literal(_WORDS[word], word in _WORDS_OF_JSON)
    if _NUMBER.fullmatch(word):
        return Literal(number(word), _PLAIN_NUMBER.fullmatch(word) is not None)
    if _GROUPED.fullmatch(word):
        return Literal(number(word.replace("_", "")), False)
    return None


def number(text: str) -> int | float | str:
    """A JSON number; one that 64 bits cannot hold (or no JSON at all: 007) stays text, because it would be altered."""
    if text.lstrip("-").isdigit():
        value = int(text) if len(text) <= 20 and _PLAIN_NUMBER.fullmatch(text) else None
        return value if value is not None and _INT64[0] <= value <= _INT64[1] else text
    real = float(text)
    return text if abs(real) == _INFINITE else real


def unescape(text: str) -> tuple[str, bool]:
    r"""Resolve the escapes of JSON and of Python's repr, and say if a strict reader would have refused the string.

    An unknown escape stays as it is, backslash included. A surrogate without its partner is no character and becomes
    U+FFFD.
    """
    mended = _CONTROL.search(text) is not None
    if "\\" not in text:
        return text, mended
    plain = _ESCAPE.sub(_character, text)
    paired = pair_surrogates(plain)
    mended |= any(not escape[1] and escape[4] not in _ESCAPES_OF_JSON for escape in _ESCAPE.finditer(text))
    return paired, mended or paired.count(_REPLACEMENT) > plain.count(_REPLACEMENT)


def _character(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    return chr(int(code, 16)) if code else _SIMPLE.get(escape[4], escape[0])
