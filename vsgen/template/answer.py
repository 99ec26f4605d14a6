"""The JSON Schema of one answer: made safe when the template is loaded, then checked against every candidate.

A template is untrusted, so its schema may not fetch anything, may not grow without bound and may not hang. `closed`
therefore writes every local ``$ref`` out (a recursive one is refused, and the whole may hold 10,000 nodes), and
patterns are those of Rust, which are searched in linear time because they cannot look around or refer back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend
from pydantic_core import SchemaError as PatternError
from pydantic_core import SchemaValidator, core_schema

from vsgen.sections.misfit import Misfit, Path

_MAX_NODES: Final = 10_000
_PATTERN_COST: Final = 200  # a pattern may compile to megabytes: 50 of them use up the whole allowance
_MAX_PATTERN: Final = 1_000
_MAX_MESSAGE: Final = 160
VERBATIM: Final = frozenset({"const", "enum", "default", "examples", "description", "title"})
"""Keys of a schema whose values are no schemas."""
_REFUSED: Final = ("$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor", "patternProperties")


def check_length(pattern: str) -> None:
    """See that a regular expression is short enough to be compiled.

    Raises:
        ValueError: It is not.
    """
    if len(pattern) > _MAX_PATTERN:
        raise ValueError(f"pattern of {len(pattern)} characters: at most {_MAX_PATTERN}")


def as_text(value: object) -> str:
    """A field's value as patterns see it: text as it is, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@lru_cache(maxsize=256)
def pattern_finder(pattern: str) -> Callable[[str], bool]:
    """A search for `pattern` anywhere in a text, in time linear in the text.

    Raises:
        ValueError: The pattern is not a regular expression of that kind.
    """
    check_length(pattern)
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python
    except PatternError as error:
        reason = str(error).rsplit("error: ", 1)[-1].split("SchemaError: ")[-1].strip()
        raise ValueError(f"not a usable regular expression ({reason}): {pattern!r}") from None


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of one answer: an object with exactly the given properties, all required, and no ``$ref`` left.

    Raises:
        Misfit: It is not such a schema; each problem with its path.
    """
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise Misfit((tuple(error.absolute_path), short(error.message))) from None
    if schema.get("type") != "object":
        raise Misfit((("type",), "must be object: the schema describes one answer with its fields"))
    properties = schema.get("properties")
    if not properties:
        raise Misfit((("properties",), "must name at least one field"))
    if strangers := [name for name in schema.get("required", ()) if name not in properties]:
        raise Misfit((("required",), f"names {strangers[0]!r}, which is not among the properties"))
    plain = {key: value for key, value in schema.items() if key not in ("$defs", "definitions", "$schema")}
    written: dict[str, Any] = _Writer(schema).write(plain, (), ())
    try:
        json.dumps(written, allow_nan=False)
    except ValueError:
        raise Misfit(((), "holds an infinite number or NaN, which JSON cannot write")) from None
    return {**written, "required": list(properties), "additionalProperties": False}


def short(text: str) -> str:
    """The text on one line, cut to a length that a message can bear."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_MESSAGE else line[: _MAX_MESSAGE - 1] + "…"


class Checker:
    """Says why the fields of a candidate do not fit a closed schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._fields = tuple(schema["properties"])
        self._validator = _Validator(dict(schema))

    def problem(self, fields: Mapping[str, object]) -> str | None:
        """The first reason for which the fields do not fit; None if they do. Never raises."""
        if missing := [name for name in self._fields if name not in fields]:
            return f"{missing[0]}: missing"
        if extra := [name for name in fields if name not in self._fields]:
            return f"{short(str(extra[0]))}: not a field of this template"
        try:
            json.dumps(dict(fields), allow_nan=False, ensure_ascii=False).encode()
            error = best_match(self._validator.iter_errors(dict(fields)))
        except (ArithmeticError, RecursionError, TypeError, ValueError) as failure:
            return short(f"cannot be written as JSON: {failure}")
        return None if error is None else _worded(error)


class _Writer:
    """Writes a schema out in full; holds what is left of the allowance."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MAX_NODES

    def write(self, node: Any, path: Path, refs: tuple[str, ...]) -> Any:
        self._spend(1)
        if isinstance(node, list):
            return [self.write(item, (*path, i), refs) for i, item in enumerate(node)]
        if not isinstance(node, Mapping):
            return node
        self._check(node, path)
        written = {
            key: value if key in VERBATIM else self.write(value, (*path, key), refs)
            for key, value in node.items()
            if key != "$ref"
        }
        ref = node.get("$ref")
        if not isinstance(ref, str):
            return written
        if ref in refs:
            raise Misfit(((*path, "$ref"), f"{ref!r} refers to itself: recursive schemas are not supported"))
        return {**self.write(self._target(ref, path), path, (*refs, ref)), **written}

    def _check(self, node: Mapping[Any, Any], path: Path) -> None:
        for key in node:
            if not isinstance(key, str):
                raise Misfit((path, f"keys must be text, got {key!r} (quote it)"))
            if key in _REFUSED:
                raise Misfit(((*path, key), "is not supported in a template's schema"))
        if isinstance(pattern := node.get("pattern"), str):
            self._spend(_PATTERN_COST)
            try:
                pattern_finder(pattern)
            except ValueError as error:
                raise Misfit(((*path, "pattern"), str(error))) from None

    def _target(self, ref: str, path: Path) -> Mapping[str, Any]:
        target: Any = self._root
        for step in ref.removeprefix("#/").split("/"):
            target = target.get(step) if isinstance(target, Mapping) else None
        if not ref.startswith("#/") or not isinstance(target, Mapping):
            raise Misfit(((*path, "$ref"), f"must point into this schema, such as '#/$defs/name', got {ref!r}"))
        return target

    def _spend(self, cost: int) -> None:
        self._left -= cost
        if self._left < 0:
            raise Misfit(((), f"too large: more than {_MAX_NODES:,} nodes when every $ref is written out"))


def _pattern(_: Any, pattern: str, instance: object, __: object) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not pattern_finder(pattern)(instance):
        yield ValidationError(f"does not match {pattern!r}")


_Validator: Final[Any] = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def _worded(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path)
    match error.validator, error.instance:
        case "maxLength", str(text):
            what = f"{len(text)} characters, at most {error.validator_value}"
        case "minLength", str(text):
            what = f"{len(text)} characters, at least {error.validator_value}"
        case _:
            what = error.message
    return short(f"{where}: {what}" if where else what)
