"""The canonical spelling of an answer, and the schema that may constrain its decoding.

A model writes ``monday`` or ``" Monday"`` where the template lists ``Monday``: that is the same answer, so case and
outer spaces are folded, where this is unambiguous; and ``"3"`` is the number 3 where only numbers are listed. Nothing
else is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vsgen.template.answer import VERBATIM, as_text

_SLACK: Final = (1.25, 20)
"""A string may grow to this many times its limit and so many characters more before decoding ends it."""


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
    runaway string does end, and validation refuses what is too long or too short, with its length.
    """
    return {key: value if key in VERBATIM else _loosened(key, value) for key, value in schema.items()}


def _loosened(key: str, value: object) -> object:
    match key, value:
        case "maxLength", int():
            factor, more = _SLACK
            return int(value * factor) + more
        case "minLength", int():
            return min(value, 1)
        case _, Mapping():
            return decodable(value)
        case _, list():
            return [decodable(one) if isinstance(one, Mapping) else one for one in value]
        case _:
            return value


def _spelled(allowed: Sequence[object], value: object) -> object:
    text = as_text(value)
    alike = [one for one in allowed if as_text(one) == text] or [
        one for one in allowed if _folded(one) == _folded(text)
    ]
    return alike[0] if len(alike) == 1 else value


def _folded(value: object) -> str:
    return as_text(value).strip().casefold()
