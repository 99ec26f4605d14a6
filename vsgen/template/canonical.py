"""The canonical spelling of an answer, and the schema that may constrain its decoding.

A model writes ``monday`` or ``" Monday"`` where the template lists ``Monday``: that is the same answer, so case and
outer spaces are folded, where this is unambiguous; and ``"3"`` is the number 3 where only numbers are listed. Nothing
else is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

from vsgen.template.answer import VERBATIM, as_text

Speller: TypeAlias = Callable[[object], object]
_SLACK: Final = (1.25, 20)
"""A string may grow to this many times its limit and so many characters more before decoding ends it."""
_MORE: Final = 4
"""What a pattern repeats up to n times may be repeated n / 4 times more, and at least once."""
_BY_NAME: Final = frozenset({"properties", "dependentSchemas"})
"""Keys of a schema whose values are schemas by names that a user chose."""
_TURNED: Final = frozenset({"not", "if"})
"""Keys whose schema says what an answer is not, or when another one holds: there more room would mean less."""
_COMBINED: Final = frozenset({"allOf", "anyOf", "oneOf", "then", "else", "dependentSchemas"})
_STATES: Final = 10_000
_REPEATED: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d+),(\d+)\}", re.DOTALL)
"""In a pattern: an escape, a class of characters, or a repetition between two bounds."""


def speller(schema: Mapping[str, Any]) -> Speller:
    """What puts every text that is one of a closed set into that set's spelling, in one step however large the set is.

    Args:
        schema: Of the values, without ``$ref``. A value, of any JSON type, that does not fit it is left as it is.
    """
    schemas = {name: one for name, one in schema.get("properties", {}).items() if isinstance(one, Mapping)}
    fields = {name: one for name, inner in schemas.items() if (one := speller(inner)) is not _unchanged}
    item = speller(schema["items"]) if isinstance(schema.get("items"), Mapping) else _unchanged
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if not fields and item is _unchanged and not allowed:
        return _unchanged
    exact, folded = _unambiguous(map(as_text, allowed), allowed), _unambiguous(map(_folded, allowed), allowed)

    def spell(value: object) -> object:
        match value:
            case Mapping():
                return {name: fields[name](inner) if name in fields else inner for name, inner in value.items()}
            case list():
                return [item(inner) for inner in value]
            case _ if not allowed:
                return value
            case _ if (text := as_text(value)) in exact:
                return exact[text][0] if len(exact[text]) == 1 else value
            case _:
                alike = folded.get(_folded(value), ())
                return alike[0] if len(alike) == 1 else value

    return spell


def _unchanged(value: object) -> object:
    """Of a schema without closed sets."""
    return value


def _unambiguous(texts: Iterable[str], values: Sequence[object]) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for text, value in zip(texts, values, strict=True):
        found.setdefault(text, []).append(value)
    return found


def decodable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with which decoding is constrained: it does not cut a text at its limit.

    A grammar that ends a string at `maxLength` turns an answer that is too long into half an answer that fits, and
    nobody is told; one that forbids its end before `minLength` makes it ramble. So there is slack, beyond which a
    runaway string does end, and validation refuses what is too long or too short, with its length. The same holds of
    a pattern that may repeat something up to n times; one that repeats it exactly n times says what a text is.
    """
    kept = VERBATIM | _TURNED
    return {
        key: value if key in kept else _loosened(key, _uncounted(value) if key in _COMBINED else value)
        for key, value in schema.items()
        if key != "multipleOf" or _countable(value)
    }


def _countable(multiple: Any) -> bool:
    """Whether a grammar may count in steps of this number: it has as many states as the number without its point."""
    return int(f"{Decimal(str(multiple)).normalize():f}".replace(".", "")) <= _STATES


def _uncounted(value: object) -> object:
    """Without multiples of numbers, the states of which would multiply where schemas are combined."""
    match value:
        case Mapping():
            kept = (key for key, one in value.items() if key != "multipleOf" or isinstance(one, Mapping))
            return {key: value[key] if key in VERBATIM else _uncounted(value[key]) for key in kept}
        case list():
            return [_uncounted(one) for one in value]
        case _:
            return value


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


def _folded(value: object) -> str:
    return as_text(value).strip().casefold()
