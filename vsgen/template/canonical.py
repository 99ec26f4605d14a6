"""The canonical spelling of an answer, and the schema that may constrain its decoding.

A model writes ``monday`` or ``" Monday"`` where the template lists ``Monday``: that is the same answer, so case and
outer spaces are folded, where this is unambiguous; and ``"3"`` is the number 3 where only numbers are listed. Nothing
else is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from vsgen.template.answer import VERBATIM, as_text

_SLACK: Final = (1.25, 20)
"""A string may grow to this many times its limit and so many characters more before decoding ends it."""
_MORE: Final = 4
"""What a pattern repeats up to n times may be repeated n / 4 times more, and at least once."""
_BY_NAME: Final = frozenset({"properties", "dependentSchemas"})
"""Keys of a schema whose values are schemas by names that a user chose."""
_TURNED: Final = frozenset({"not", "if"})
"""Keys whose schema says what an answer is not, or when another one holds: there more room would mean less."""
_REPEATED: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d+),(\d+)\}", re.DOTALL)
"""In a pattern: an escape, a class of characters, or a repetition between two bounds."""


def canonical(schema: Mapping[str, Any], value: object) -> object:
    """The value with every text that is one of a closed set in that set's spelling.

    Args:
        schema: Of the value, without ``$ref``.
        value: Of any JSON type; what does not fit the schema is left as it is.
    """
    match value:
        case Mapping():
            fields = schema.get("properties", {})
            return {name: canonical(fields.get(name, {}), inner) for name, inner in value.items()}
        case list() if isinstance(schema.get("items"), Mapping):
            return [canonical(schema["items"], inner) for inner in value]
        case list():
            return value
        case _:
            return _spelled(schema.get("enum", [schema["const"]] if "const" in schema else []), value)


def decodable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with which decoding is constrained: it does not cut a text at its limit.

    A grammar that ends a string at `maxLength` turns an answer that is too long into half an answer that fits, and
    nobody is told; one that forbids its end before `minLength` makes it ramble. So there is slack, beyond which a
    runaway string does end, and validation refuses what is too long or too short, with its length. The same holds of
    a pattern that may repeat something up to n times; one that repeats it exactly n times says what a text is.
    """
    kept = VERBATIM | _TURNED
    return {key: value if key in kept else _loosened(key, value) for key, value in schema.items()}


def _loosened(key: str, value: object) -> object:
    match value:
        case Mapping() if key in _BY_NAME:
            return {name: _loosened("", one) for name, one in value.items()}
        case Mapping():
            return decodable(value)
        case list():
            return [_loosened("", one) for one in value]
        case _:
            return _with_room(key, value)


def _with_room(key: str, limit: object) -> object:
    match key, limit:
        case "maxLength", int() | float():  # 400.0 is a whole number to a schema
            factor, more = _SLACK
            return int(limit * factor) + more
        case "minLength", int() | float():
            return min(int(limit), 1)
        case "pattern", str():
            return _REPEATED.sub(_repeated_more, limit)
        case _:
            return limit


def _repeated_more(found: re.Match[str]) -> str:
    if found[1] is None or int(found[1]) >= (most := int(found[2])):
        return found[0]
    return f"{{{found[1]},{most + max(1, most // _MORE)}}}"


def _spelled(allowed: Sequence[object], value: object) -> object:
    text = as_text(value)
    alike = [one for one in allowed if as_text(one) == text] or [
        one for one in allowed if _folded(one) == _folded(text)
    ]
    return alike[0] if len(alike) == 1 else value


def _folded(value: object) -> str:
    return as_text(value).strip().casefold()
