"""Rows in: JSON objects, one a line, from a file or from standard input, read as they are needed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import orjson

from vsgen.errors import InputError
from vsgen.values import Row

_SHOWN = 60
_LONG = re.compile(rb"\d{19}")
_INT64 = 2**63
_READ = 30
"""Digits that tell whether a number has more than 64 bits."""


def read_rows(source: str, *, skip: Callable[[str], None] | None = None) -> Iterator[Row]:
    """Read rows in order; blank lines do not count.

    Args:
        source: A path, or ``-`` for standard input.
        skip: Told of each line that is not a JSON object, which is then passed over; without it that is an error.

    Raises:
        InputError: The file cannot be read, or a line is not a JSON object; names the line.
    """
    name = "<stdin>" if source == "-" else source
    if source == "-" and sys.stdin is None:
        raise InputError("<stdin>: is closed; give a JSONL file")
    try:
        with nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb") as lines:
            filled = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
            for index, (number, line) in enumerate(filled):
                where = f"{name}:{number}"
                fields = _fields(line, where, skip)
                if fields is not None:
                    yield Row(index, fields, where)
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}; give a JSONL file, or - for stdin") from error


def _exact(line: bytes) -> bool:
    """Whether no whole number of a line is beyond 64 bits, which would lose its last digits."""
    found: list[int] = []
    if _LONG.search(line):
        json.loads(line, parse_int=lambda digits: found.append(int(digits[:_READ])))
    return all(-_INT64 <= number < _INT64 for number in found)


def _fields(line: bytes, where: str, skip: Callable[[str], None] | None) -> dict[str, object] | None:
    try:
        value = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        problem = f"not JSON ({error.msg})"
    else:
        if isinstance(value, dict) and _exact(line):
            return value
        problem = "not a JSON object" if not isinstance(value, dict) else "a number of more than 64 bits (quote it)"
    shown = line.strip()[:_SHOWN].decode("utf-8", "replace")
    message = f"{where}: {problem}: got {shown!r}; give one JSON object a line, or pass --on-error skip"
    if skip is None:
        raise InputError(message)
    skip(message)
    return None
