"""The filters that a text may use, each of which pays for its work; see `vsgen.sections.rendering`.

They are Jinja's, by name, arguments and result, but for those that are missing: random, which draws, and what only
formats. What yields its items one by one in Jinja is a list here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from jinja2 import Environment, StrictUndefined, Undefined, filters

from vsgen.sections.operators import added
from vsgen.sections.rendering import ELEMENT, Rendering, whole

Filter: TypeAlias = Callable[..., object]
"""Of a rendering, a value, and the filter's own arguments."""
_KEYED: Final = (dict, list, str, tuple, Undefined, Mapping, Sequence)
_PLAIN: Final = (str, int, float, Undefined)


def found(value: object, key: Any) -> Any:
    """What stands in a mapping or sequence at a key, which is never an attribute of a Python object."""
    if isinstance(value, _KEYED):
        try:
            return value[key]
        except (LookupError, TypeError):
            pass
    return StrictUndefined(obj=value, name=key)


class _Environment(Environment):
    """Jinja's, as its own filters want it: `attribute` is a path of keys."""

    def getitem(self, obj: Any, argument: Any) -> Any:
        return found(obj, argument)


_ENVIRONMENT: Final = _Environment(undefined=StrictUndefined)


def natural(rendering: Rendering, value: object) -> str:
    """How a value stands in a text: text as it is, the rest as in JSON."""
    if isinstance(value, _PLAIN) and not isinstance(value, bool):
        return str(value)
    return tojson(rendering, value)


def tojson(rendering: Rendering, value: object) -> str:
    """A value as JSON."""
    return rendering.made(json.dumps(value, ensure_ascii=False))


def _replace(rendering: Rendering, value: object, old: str, new: str) -> str:
    text = rendering.text(value)
    rendering.search(old, text)
    rendering.spend(text.count(old) * len(new))
    return text.replace(old, new)


def _join(rendering: Rendering, values: Iterable[object], separator: str = "") -> str:
    items = _items(rendering, values)
    rendering.spend(len(separator) * len(items))
    return separator.join([natural(rendering, value) for value in items])


def _trim(rendering: Rendering, value: object, chars: str | None = None) -> str:
    text = rendering.text(value)
    rendering.spend(len(text) * len(chars or "") // 10)
    return text.strip(chars)


def _truncate(rendering: Rendering, value: Any, length: int = 255, *args: Any, **named: Any) -> Any:
    rendering.spend(max(0, min(len(value), length)))
    return filters.do_truncate(_ENVIRONMENT, value, length, *args, **named)


def _default(_: Rendering, value: object, default_value: object = "", boolean: bool = False) -> object:
    return default_value if isinstance(value, Undefined) or (boolean and not value) else value


def _int(rendering: Rendering, value: Any, default: Any = 0, base: int = 10) -> Any:
    rendering.weigh(value)
    number: Any = filters.do_int(value, default, base)
    return whole(number) if isinstance(number, int) else number


def _float(rendering: Rendering, value: Any, default: Any = 0.0) -> Any:
    rendering.weigh(value)
    return filters.do_float(value, default)


def _first(_: Rendering, value: Iterable[object]) -> object:
    return next(iter(value), StrictUndefined("No first item, sequence was empty."))


def _last(_: Rendering, value: Sequence[object]) -> object:
    return next(iter(reversed(value)), StrictUndefined("No last item, sequence was empty."))


def _list(rendering: Rendering, value: Iterable[object]) -> list[object]:
    return list(_items(rendering, value))


def _reverse(rendering: Rendering, value: Any) -> object:
    return rendering.text(value)[::-1] if isinstance(value, str) else list(reversed(_items(rendering, value)))


def _sum(rendering: Rendering, value: Iterable[object], attribute: str | int | None = None, start: Any = 0) -> Any:
    items = _items(rendering, value)
    _attribute(rendering, items, attribute)
    getter = filters.make_attrgetter(_ENVIRONMENT, attribute) if attribute is not None else None
    for item in items:
        start = added(rendering, start, item if getter is None else getter(item))
    return start


def _ordered(jinjas: Callable[..., Any]) -> Filter:
    """A filter that compares items, each with few others or, as sorting does, with some."""

    def ordered(rendering: Rendering, value: Iterable[object], *args: Any, **named: Any) -> object:
        items = _items(rendering, value)
        for each in (*args, *named.values()):
            _attribute(rendering, items, each)
        made = jinjas(_ENVIRONMENT, items, *args, **named)
        return made if jinjas in (filters.do_min, filters.do_max) else list(made)

    return ordered


def _attribute(rendering: Rendering, items: Sequence[object], attribute: object) -> None:
    """A path of keys, or several with commas between them, is followed, and compared, for every item."""
    if isinstance(attribute, str):
        rendering.spend(len(attribute) * len(items))
        for _ in range(attribute.count(",")):
            rendering.weigh(items)


def _items(rendering: Rendering, value: Iterable[object]) -> Sequence[object]:
    """What a filter goes through, paid for by its order of growth: sorting is the worst of them."""
    if isinstance(value, str):
        rendering.spend(len(value) * ELEMENT)
    items = value if isinstance(value, list | tuple | str | range) else list(value)
    weight = rendering.weigh(items)
    rendering.spend(weight * len(items).bit_length() // 10)
    return items


def _texts(method: Callable[[str], object], price: int = 1) -> Filter:
    """A filter that makes a text, or a number, of a text, at a price for each of its characters."""

    def textual(rendering: Rendering, value: object) -> object:
        text = rendering.text(value)
        rendering.spend((price - 1) * len(text))
        made = method(text)
        return rendering.made(made) if isinstance(made, str) else made

    return textual


FILTERS: Final[Mapping[str, Filter]] = {
    "capitalize": _texts(str.capitalize),
    "count": lambda _, value: len(value),
    "d": _default,
    "default": _default,
    "first": _first,
    "float": _float,
    "int": _int,
    "join": _join,
    "last": _last,
    "length": lambda _, value: len(value),
    "list": _list,
    "lower": _texts(str.lower),
    "max": _ordered(filters.do_max),
    "min": _ordered(filters.do_min),
    "replace": _replace,
    "reverse": _reverse,
    "sort": _ordered(filters.do_sort),
    "string": lambda rendering, value: rendering.text(value),
    "sum": _sum,
    "title": _texts(filters.do_title, ELEMENT),
    "tojson": tojson,
    "trim": _trim,
    "truncate": _truncate,
    "unique": _ordered(filters.sync_do_unique),
    "upper": _texts(str.upper),
    "wordcount": _texts(filters.do_wordcount, ELEMENT),
}
