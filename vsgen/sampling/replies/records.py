"""From the value that a reply holds to its items: whatever the list is called and however deep it lies.

An item that is there and cannot be read whole is found too, as lost: an entry of a list of items that is none itself,
and an object with the name of something that was asked whose value is not there whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from vsgen.sampling.prompts import PROBABILITY, REASONING, RESPONSES
from vsgen.sampling.replies.items import Found
from vsgen.sampling.replies.lenient import read
from vsgen.sampling.replies.naming import COLLECTIONS, Names, names_item, pick, squeeze
from vsgen.sampling.replies.reading import Flaw, Unread

_DEPTH: Final = 6
"""How deep a list of items may lie."""
_FORM: Final = frozenset({REASONING, RESPONSES, PROBABILITY})
_LONGEST: Final = 4000
"""Characters of a lost item that are kept where it is no text."""
_WHOLE: Final[Mapping[int, Flaw]] = {}


class _Context(NamedTuple):
    asked: Names
    text: str
    flaws: Mapping[int, Flaw]
    depth: int = _DEPTH

    def inside(self) -> _Context:
        return _Context(self.asked, self.text, self.flaws, self.depth - 1)

    def lost(self, start: int, end: int, stated: object = None) -> Found:
        return Found({}, stated, lost=self.text[start:end].strip().strip(",").strip())


def records(
    value: object, asked: Names, text: str = "", flaws: Mapping[int, Flaw] = _WHOLE, *, trusted: bool
) -> list[Found]:
    """The items in a value, in order.

    Args:
        value: what was read.
        asked: the names to look for.
        text: where it was read.
        flaws: the containers in `value` that are not whole, by id. Such an item counts only if nothing that was asked
            of it is missing; else it is lost.
        trusted: the value is the whole reply, so a list of bare numbers is meant as the list of responses.
    """
    if not flaws and isinstance(value, dict) and (items := _as_asked(value, asked)) is not None:
        return items
    context = _Context(asked, text, flaws)
    return _from_list(value, context, trusted) if isinstance(value, list) else _from_value(value, context)


def repeats(found: Sequence[Found], asked: Names, text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether a key may stand twice in an object of a value that is valid JSON: there a strict reader drops one."""
    return len(found) < text.count(f'"{asked.fields[0]}"', start, len(text) if end is None else end)


def _as_asked(reply: Mapping[str, object], asked: Names) -> list[Found] | None:
    """The items of a reply in the very form that was asked for, which need no search; None for any other reply."""
    entries = reply.get(RESPONSES)
    if not isinstance(entries, list) or not entries or not _holds_only(reply, asked):
        return None
    keys = {*asked.fields, PROBABILITY} if asked.verbalized else set(asked.fields)
    if not all(isinstance(entry, dict) and entry.keys() == keys and _is_plain(entry) for entry in entries):
        return None
    return [Found({name: entry[name] for name in asked.fields}, entry.get(PROBABILITY)) for entry in entries]


def _holds_only(reply: Mapping[str, object], asked: Names) -> bool:
    """Whether there is nothing beside the list but a reasoning, and no field goes by a name of the form."""
    reasoned = len(reply) == 1 or (len(reply) == 2 and isinstance(reply.get(REASONING), str))
    return reasoned and _FORM.isdisjoint(asked.fields)


def _is_plain(record: Mapping[str, object]) -> bool:
    """Whether its values are texts and numbers, and nothing is missing."""
    return all(isinstance(value, str | int | float) for value in record.values())


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
    return _from_value(reading.value, _Context(context.asked, text, reading.flaws, context.depth - 1))


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
        return _of_items(entries, [_entry(entry, context.inside()) for entry in entries], context)
    objects = [entry for entry in entries if isinstance(entry, str) and entry.startswith("{")] if trusted else []
    nested = _of_items(objects, [_encoded(entry, context.inside()) for entry in objects], context)
    if nested or only is None:
        return nested
    kinds: tuple[type, ...] = (str, int, float) if trusted else (str,)
    found = [[Found({only: entry})] if isinstance(entry, kinds) else [] for entry in entries]
    return _of_items(entries, found, context)


def _of_items(entries: Sequence[object], found: Sequence[list[Found]], context: _Context) -> list[Found]:
    """What a list's entries hold, if it is a list of items: then an entry without one is counted too."""
    flat = [item for items in found for item in items]
    if not any(item.fields or item.lost is not None for item in flat):
        return []
    if all(found):
        return flat
    pairs = zip(entries, found, strict=True)
    return [item for entry, items in pairs for item in items or [_stray(entry, context)]]


def _entry(entry: object, context: _Context) -> list[Found]:
    """The items of one entry of a list."""
    if not isinstance(entry, list):
        return _from_value(entry, context) if isinstance(entry, dict) else []
    return _pair(entry, context) or _from_list(entry, context, False) if context.depth > 0 else []


def _stray(entry: object, context: _Context) -> Found:
    """An entry among items that is none: an object that lacks what was asked, or something that is lost."""
    if isinstance(entry, Unread):
        return context.lost(entry.start, entry.end)
    flaw = context.flaws.get(id(entry)) if isinstance(entry, dict | list) else None
    if flaw is not None:
        return context.lost(flaw.start, flaw.end)
    if isinstance(entry, dict):
        return pick(entry, context.asked)
    return Found({}, lost=entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False)[:_LONGEST])


def _pair(entry: list[object], context: _Context) -> list[Found]:
    """A text and its number."""
    only = context.asked.only
    if only is None or len(entry) != 2 or id(entry) in context.flaws:
        return []
    text, stated = entry
    number = isinstance(stated, int | float) and not isinstance(stated, bool)
    return [Found({only: text}, stated)] if isinstance(text, str) and number else []


def _item(record: dict[str, object], context: _Context) -> list[Found]:
    """The object itself as an item; none if it has no asked field, and lost if it is not whole and lacks something.

    An object that is closed may lack its probability, as one that states none.
    """
    flaw = context.flaws.get(id(record))
    if flaw is None:
        found = pick(record, context.asked)
        return [found] if found.fields else []
    whole = {key: value for key, value in record.items() if id(value) not in context.flaws}
    found = pick({key: value for key, value in whole.items() if key not in flaw.keys}, context.asked)
    unstated = context.asked.verbalized and found.stated is None and not flaw.closed
    if len(found.fields) == len(context.asked.fields) and not unstated:
        return [found]
    meant = any(names_item(key, context.asked) for key in (*record, *flaw.keys))
    return [context.lost(flaw.start, flaw.end, found.stated)] if meant else []
