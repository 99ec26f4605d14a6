"""Whether an answer surely fits its schema, for schemas of plain fields: the fast way.

What is made here says yes only where `vsgen.template.validator` says so as well and JSON can hold the answer. Whatever
it does not say yes to is for the validator to decide, and to put into words. So a keyword that is not known here, or a
value within a value, makes no answer wrong, only slow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Final, TypeAlias

Fit: TypeAlias = Callable[[Any], bool]
_WORDS: Final = frozenset({"title", "description", "default", "examples"})
"""Keywords that ask for nothing."""
_WHOLE: Final = {"type", "properties", "required", "additionalProperties"} | _WORDS
_TEXT: Final = {"type", "enum", "minLength", "maxLength"} | _WORDS
_NUMBER: Final = {"type", "minimum", "maximum"} | _WORDS
_FIELDS: Final = 100
"""Above, the validator counts its steps."""
_LARGEST: Final = 2**63
"""An integer of at most so much can be written and compared exactly."""


def surely_fits(schema: Mapping[str, Any]) -> Fit | None:
    """What says of an answer's fields, in one step each, that they fit.

    Args:
        schema: See `vsgen.template.answer.closed`.

    Returns:
        None where no answer can be said to fit so quickly.
    """
    fields: Mapping[str, Any] = schema["properties"]
    if not schema.keys() <= _WHOLE or len(fields) > _FIELDS:
        return None
    tests = {name: test for name, one in fields.items() if (test := _field(one)) is not None}
    if len(tests) < len(fields):
        return None
    if len(tests) == 1:
        ((name, only),) = tests.items()
        return lambda answer: len(answer) == 1 and name in answer and only(answer[name])
    return lambda answer: answer.keys() == tests.keys() and all(test(answer[name]) for name, test in tests.items())


def _field(schema: Mapping[str, Any]) -> Fit | None:
    match schema.get("type"):
        case "string" if schema.keys() <= _TEXT:
            return _text(schema)
        case "number" if schema.keys() <= _NUMBER:
            return _number(schema, (int, float))
        case "integer" if schema.keys() <= _NUMBER:
            return _number(schema, (int,))
        case "boolean" if schema.keys() <= _WORDS | {"type"}:
            return lambda value: type(value) is bool
        case _:
            return None


def _text(schema: Mapping[str, Any]) -> Fit:
    least, most = schema.get("minLength", 0), schema.get("maxLength", inf)
    allowed = frozenset(one for one in schema["enum"] if isinstance(one, str)) if "enum" in schema else None

    def fits(value: Any) -> bool:
        return (
            type(value) is str
            and least <= len(value) <= most
            and (allowed is None or value in allowed)
            and (value.isascii() or _is_unicode(value))
        )

    return fits


def _number(schema: Mapping[str, Any], kinds: tuple[type, ...]) -> Fit:
    least, most = max(schema.get("minimum", -inf), -_LARGEST), min(schema.get("maximum", inf), _LARGEST)
    return lambda value: type(value) in kinds and least <= value <= most


def _is_unicode(text: str) -> bool:
    """Whether it has no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
