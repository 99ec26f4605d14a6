"""The fields of a row: one line of JSON, within bounds, or what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import orjson

from vsgen.errors import SKIP_IT, InputError
from vsgen.files.mistaken import mistaken

Skip: TypeAlias = Callable[[str], None]
"""Gets the problem of a line that is passed over."""
MAX_DEPTH: Final = 100
"""Objects and lists of a row that may lie in each other; what writes and renders rows bears some more."""
DEEP: Final = f"nested more than {MAX_DEPTH} levels deep"
"""What is wrong with a row that has more."""
_SHOWN: Final = 60
_LONG: Final = re.compile(rb"\d{19}")
_INT64: Final = 2**63
_DIGITS: Final = 30
"""Digits that tell whether a number has more than 64 bits."""


def fields_of(line: bytes, where: str, skip: Skip | None) -> dict[str, object] | None:
    """The JSON object in a line; None if there is none and the line is passed over.

    Args:
        line: Of an input.
        where: The input's name and the line's number, for messages.
        skip: Gets what is wrong with the line; without it that is an error.

    Raises:
        InputError: The line is no row.
    """
    try:
        value = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        problem = _no_json(error, line)
    else:
        problem = _problem(value, line)
        if not problem and isinstance(value, dict):
            return value
    shown = line[: 4 * _SHOWN].strip()[:_SHOWN].decode("utf-8", "replace")
    message = f"{where}: {problem}: got {shown!r}"
    remedy = f"give one JSON object per line; {SKIP_IT}"
    name, _, number = where.rpartition(":")
    if number == "1" and (other := mistaken(name, line)):
        message, remedy = f"{where}: {other}", ""
    if skip is None:
        raise InputError("; ".join(filter(None, [message, remedy])))
    skip(f"{message}; skipped")
    return None


def _no_json(error: orjson.JSONDecodeError, line: bytes) -> str:
    """Why a line cannot be read as JSON."""
    if "depth limit" in error.msg:
        return DEEP
    try:
        line.decode()
    except UnicodeDecodeError:
        return "not UTF-8 (convert the file, for example with iconv -f latin1 -t utf-8)"
    return f"not JSON ({error.msg})"


def _problem(value: object, line: bytes) -> str:
    """Why a value that was read from a line is no row."""
    if not isinstance(value, dict):
        return "not a JSON object"
    if too_deep(value, line):
        return DEEP
    return "" if _exact(line) else "a number of more than 64 bits (quote it)"


def too_deep(value: object, line: bytes) -> bool:
    """Whether more objects and lists lie in each other than a row may have, in a value that was read from a line.

    Takes no stack of its own.
    """
    if line.count(b"[") + line.count(b"{") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inner(outer)]
    return any(isinstance(inner, dict | list) for inner in level)


def _inner(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _exact(line: bytes) -> bool:
    """Whether no whole number of a line is beyond 64 bits, which would lose its last digits."""
    found: list[int] = []
    if _LONG.search(line):
        json.loads(line, parse_int=lambda digits: found.append(int(digits[:_DIGITS])))
    return all(-_INT64 <= number < _INT64 for number in found)
