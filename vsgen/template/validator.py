"""Says why an answer does not fit a schema, in a number of steps that is bounded: `Validator`.

Once every ``$ref`` is written out, a part of a schema meets each part of an answer at most once. Their product is still
large where both are hostile, so each keyword pays a step for itself, for each item that it goes through, of the answer
or of its own (``required``, ``allOf``), and for each error; what jsonschema compares one by one (``enum``,
``uniqueItems``) is looked up in a set.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from vsgen.template.patterns import pattern_finder

MAX_STEPS: Final = 100_000
"""Keywords applied, and items that they go through, for one answer."""
_META_STEPS: Final = 5_000_000
"""The same, for a schema."""
_DRAFT: Final = "https://json-schema.org/draft/2020-12/"
_OURS: Final = "https://vsgen.invalid/"
_MESSAGE: Final = 100
"""Characters of a message, which holds all that did not fit, that are written in the time of a step."""
_EVOLVING: Final = dict.fromkeys(("not", "if", "contains", "oneOf"), 5)
"""Steps of keywords for which jsonschema makes a validator of its own."""

_Keyword: TypeAlias = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]


def metaschema() -> Validator:
    """Checks whether something is a JSON Schema.

    The parts of the metaschema name themselves as jsonschema knows them, which would bring in its own keywords; so they
    are given other names.
    """
    registry: Registry[Any] = Registry()
    for uri in REGISTRY:
        if uri.startswith(_DRAFT):
            part = json.loads(json.dumps(REGISTRY[uri].contents).replace(_DRAFT, _OURS))
            del part["$schema"]
            registry = registry.with_resource(uri.replace(_DRAFT, _OURS), DRAFT202012.create_resource(part))
    registry = registry.crawl()  # once, rather than for every reference
    return Validator(registry[f"{_OURS}schema"].contents, _META_STEPS, registry)


class TooMuch(Exception):
    """Checking takes more steps than it may."""


class Validator:
    """Checks values against a schema whose parts refer to nothing."""

    def __init__(self, schema: Any, most: int = MAX_STEPS, registry: Registry[Any] | None = None) -> None:
        """Set up.

        Args:
            schema: See `vsgen.template.answer.closed`. No part of it may name a ``$schema``, which would bring in the
                keywords of that.
            most: Steps for one value.
            registry: What it may refer to; nothing by default.
        """
        self._most = most
        self._left = most
        self._texts: dict[object, frozenset[str]] = {}
        own: dict[str, _Keyword] = {"pattern": _pattern, "uniqueItems": self._unique}
        own |= {"enum": self._enum, "const": self._const}
        keywords = {**Draft202012Validator.VALIDATORS, **own}
        paid = {
            name: self._paid(keyword, _EVOLVING.get(name, 1), walks=name not in own)
            for name, keyword in keywords.items()
        }
        validator: Any = extend(Draft202012Validator, paid)  # type: ignore[no-untyped-call]
        self._validator = validator(schema, registry=Registry() if registry is None else registry)

    def error(self, value: object) -> ValidationError | None:
        """Why a value does not fit; None if it does.

        Raises:
            TooMuch: It cannot be told in so many steps.
            ArithmeticError: A number is too large to be checked.
            RecursionError: It is nested too deeply.
        """
        error: ValidationError | None = best_match(self._errors(value))
        return error

    def first(self, value: object) -> ValidationError | None:
        """The first reason, which may not be the one that says most.

        Raises:
            TooMuch: As for `error`.
        """
        return next(self._errors(value), None)

    def _errors(self, value: object) -> Iterator[ValidationError]:
        self._left = self._most
        return iter(self._validator.iter_errors(value))

    def _paid(self, keyword: _Keyword, price: int, *, walks: bool) -> _Keyword:
        """A keyword that pays; `walks` if it goes through what the schema says of it, one by one."""

        def paid(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
            items = len(instance) if isinstance(instance, _COLLECTIONS) else 0
            parts = len(value) if walks and isinstance(value, _COLLECTIONS) else 0
            self._spend(price * (1 + max(items, parts)))
            for error in keyword(validator, value, instance, schema) or ():
                self._spend(1 + len(error.message) // _MESSAGE)
                yield error

        return paid

    def _enum(self, _: Any, allowed: list[object], instance: object, __: object) -> Iterator[ValidationError]:
        if self._canonical(instance) not in self._known(allowed):
            yield ValidationError(f"{instance!r} is not one of {allowed!r}")

    def _const(self, _: Any, allowed: object, instance: object, __: object) -> Iterator[ValidationError]:
        if self._canonical(instance) not in self._known([allowed], allowed):
            yield ValidationError(f"{allowed!r} was expected")

    def _known(self, allowed: list[object], key: object = None) -> frozenset[str]:
        """What an enum or a const allows, canonical; parts of the schema outlive this, so their ids stay theirs."""
        place = (key is None, id(allowed if key is None else key))
        if place not in self._texts:
            self._texts[place] = frozenset(map(_canonical, allowed))
        return self._texts[place]

    def _unique(self, _: Any, wanted: bool, instance: object, __: object) -> Iterator[ValidationError]:
        if wanted and isinstance(instance, list) and len({*map(self._canonical, instance)}) < len(instance):
            yield ValidationError(f"{instance!r} has non-unique elements")

    def _canonical(self, instance: object) -> str:
        text = _canonical(instance)
        self._spend(len(text) // _MESSAGE)
        return text

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooMuch(f"more than {self._most:,} steps to check it against the schema")


_COLLECTIONS: Final = (list, dict)


def _pattern(_: Any, pattern: str, instance: object, __: object) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not pattern_finder(pattern)(instance):
        yield ValidationError(f"does not match {pattern!r}")


def _canonical(value: object) -> str:
    """One text for all that JSON Schema takes for the same: 1 and 1.0, and objects in any order."""
    match value:
        case Mapping():
            return "{" + ",".join(sorted(f"{json.dumps(key)}:{_canonical(item)}" for key, item in value.items())) + "}"
        case list():
            return "[" + ",".join(map(_canonical, value)) + "]"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return json.dumps(value)
