"""Replies that are valid JSON and nothing else, which is what most are: the fast way."""

from __future__ import annotations

import json
import re
from typing import Final

import orjson

from vsgen.sampling.replies.literals import number
from vsgen.sampling.replies.patterns import KEY_AFTER_BRACKET
from vsgen.sampling.replies.reading import DEPTH, Reading


def _refuse(word: str) -> object:
    raise ValueError(word)


_ODD: Final = re.compile(r"\d{16}|\d[eE]|-0")
"""Where there is none of these, orjson and `number` read every number alike."""
_STRICT: Final = json.JSONDecoder(parse_int=number, parse_float=number, parse_constant=_refuse)


def read_first(text: str, start: int) -> Reading | None:
    """The value that begins at `start`, whatever follows it; None if it is not valid JSON, or escapes any character."""
    try:
        value, end = _STRICT.raw_decode(text, start)
    except ValueError:
        return None
    return None if KEY_AFTER_BRACKET.match(text, end - 1) else Reading(value, end, {}, False, False)


def is_plain(text: str) -> bool:
    """Whether `read_first` may be tried: nothing in it is nested deeply, or may be half of a character."""
    return "\\u" not in text and text.count("[") + text.count("{") <= DEPTH


def read_clean(text: str) -> object:
    """The value of a text that is valid JSON and nothing else; None for any other text (and for a mere null)."""
    if text.count("[") + text.count("{") > DEPTH:
        return None
    try:
        if _ODD.search(text) is None:
            return orjson.loads(text)
        value: object = _STRICT.decode(text)
        if "\\u" in text or not text.isascii():
            orjson.loads(text)  # refuses what is no Unicode: lone surrogates
    except ValueError:
        return None
    return value
