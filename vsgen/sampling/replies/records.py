"""From the value that a reply holds to its items: whatever the list is called and however deep it lies."""

from __future__ import annotations

from collections.abc import Set
from typing import Final, NamedTuple

from vsgen.sampling.prompts import REASONING
from vsgen.sampling.replies.items import Found
from vsgen.sampling.replies.lenient import read
from vsgen.sampling.replies.naming import COLLECTIONS, Names, pick, squeeze

_DEPTH: Final = 6
"""How deep a list of items may lie."""


class _Context(NamedTuple):
    asked: Names
    open: Set[int]
    depth: int = _DEPTH

    def inside(self) -> _Context:
        return _Context(self.asked, self.open, self.depth - 1)


def records(value: object, asked: Names, unclosed: Set[int] = frozenset(), *, trusted: bool) -> list[Found]:
    """The items in a value, in order.

    Args:
        value: what was read.
        asked: the names to look for.
        unclosed: ids of the containers in `value` that the reply left open. An unclosed item counts only if nothing
            that was asked of it is missing.
        trusted: the value is the whole reply, so a list of bare numbers is meant as the list of responses.
    """
    context = _Context(asked, unclosed)
    return _from_list(value, context, trusted) if isinstance(value, list) else _from_value(value, context)


def _from_value(value: object, context: _Context) -> list[Found]:
    if context.depth <= 0:
        return []
    if isinstance(value, dict):
        return _from_object(value, context)
    if isinstance(value, list):
        return _from_list(value, context, True)
    return _encoded(value, context) if isinstance(value, str) else []


def _encoded(text: str, context: _Context) -> list[Found]:
    """JSON inside a JSON string."""
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] not in {"{", "["}:
        return []
    reading = read(text, start, context.asked.expected)
    return _from_value(reading.value, _Context(context.asked, reading.open, context.depth - 1))


def _from_object(record: dict[str, object], context: _Context) -> list[Found]:
    fields = context.asked.fields
    wanted = frozenset(fields)
    if record.keys() >= wanted and not (len(fields) == 1 and _holds(record[fields[0]], wanted)):
        return _item(record, context)
    inner = [value for value in record.values() if _holds(value, wanted)]
    if inner:
        return [item for value in inner for item in _from_value(value, context.inside())]
    return _named(record, context) or _item(record, context) or _wrapped(record, context)


def _holds(value: object, wanted: frozenset[str]) -> bool:
    """Whether this is an object with an asked field, or a list with such objects."""
    if isinstance(value, list):
        return any(isinstance(entry, dict) and not wanted.isdisjoint(entry) for entry in value)
    return isinstance(value, dict) and not wanted.isdisjoint(value)


def _named(record: dict[str, object], context: _Context) -> list[Found]:
    """The list under the key of a collection."""
    for key, value in record.items():
        if squeeze(key) in COLLECTIONS and key not in context.asked.fields:
            found = _from_value(value, context.inside())
            if found:
                return found
    return []


def _wrapped(record: dict[str, object], context: _Context) -> list[Found]:
    """Objects, or lists of objects, under any keys; a list of strings if it is all there is."""
    others = [value for key, value in record.items() if squeeze(key) != REASONING]
    containers = [value for value in others if isinstance(value, dict) or _is_list_of_objects(value)]
    if not containers and len(others) == 1 and isinstance(others[0], list):
        containers = others
    return [item for value in containers for item in _from_value(value, context.inside())]


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(entry, dict) for entry in value)


def _from_list(entries: list[object], context: _Context, trusted: bool) -> list[Found]:
    """A list's objects; if it has none, its texts, or where that is clear its numbers, for a single field."""
    only = context.asked.only
    if any(isinstance(entry, dict | list) for entry in entries):
        found = [_entry(entry, context.inside()) for entry in entries if isinstance(entry, dict | list)]
        return [item for items in found for item in items] if any(_any_field(items) for items in found) else []
    objects = [entry for entry in entries if isinstance(entry, str) and entry.startswith("{")]
    nested = [item for entry in objects for item in _encoded(entry, context.inside())] if trusted else []
    if nested or only is None:
        return nested
    kinds: tuple[type, ...] = (str, int, float) if trusted else (str,)
    return [Found({only: entry}) for entry in entries if isinstance(entry, kinds)]


def _entry(entry: object, context: _Context) -> list[Found]:
    """One object of a list: its items, or an item without fields, so that it is counted and not lost."""
    if isinstance(entry, list):
        return _pair(entry, context) or _from_list(entry, context, False) if context.depth > 0 else []
    found = _from_value(entry, context)
    return found if found or not isinstance(entry, dict) or id(entry) in context.open else [pick(entry, context.asked)]


def _pair(entry: list[object], context: _Context) -> list[Found]:
    """A text and its number."""
    only = context.asked.only
    if only is None or len(entry) != 2 or id(entry) in context.open:
        return []
    text, stated = entry
    number = isinstance(stated, int | float) and not isinstance(stated, bool)
    return [Found({only: text}, stated)] if isinstance(text, str) and number else []


def _any_field(items: list[Found]) -> bool:
    return any(item.fields for item in items)


def _item(record: dict[str, object], context: _Context) -> list[Found]:
    """The object itself as an item; none if it has no asked field, or is unclosed and lacks something."""
    if id(record) not in context.open:
        found = pick(record, context.asked)
        return [found] if found.fields else []
    closed = {key: value for key, value in record.items() if id(value) not in context.open}
    found = pick(closed, context.asked)
    lacks = len(found.fields) < len(context.asked.fields) or (context.asked.verbalized and found.stated is None)
    return [] if lacks else [found]
