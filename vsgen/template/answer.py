"""The JSON Schema of one answer: made safe when the template is loaded, then checked against every candidate.

A template is untrusted, so its schema may not fetch anything, may not grow without bound and may not hang. `closed`
therefore writes every local ``$ref`` out (a recursive one is refused, and the whole may hold 10,000 nodes and a million
characters), so that no part is applied to a value more than once; what is evaluated over and over is refused. What is
left is checked in steps that are counted; see `vsgen.template.validator`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from vsgen.sections.misfit import Misfit, Path
from vsgen.template.patterns import MAX_SIZE, pattern_finder, size, too_large

_MAX_NODES: Final = 10_000
_MAX_CHARS: Final = 1_000_000
_SCALAR: Final = 8
_MAX_MESSAGE: Final = 160
VERBATIM: Final = frozenset({"const", "enum", "default", "examples", "description", "title"})
"""Keys of a schema whose values are no schemas."""
_NAMED: Final = frozenset({"properties", "$defs", "definitions", "dependentSchemas", "dependentRequired"})
"""Keys of a schema whose values hold schemas by names of their own."""
_REFUSED: Final = {
    **dict.fromkeys(("$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor", "patternProperties"), ""),
    "$schema": " but at its top",
    "unevaluatedProperties": "; use additionalProperties",
    "unevaluatedItems": "; use items",
}


def as_text(value: object) -> str:
    """A field's value as patterns see it: text as it is, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of one answer: an object with exactly the given properties, all required, and no ``$ref`` left.

    Raises:
        Misfit: It is not such a schema; each problem with its path.
    """
    from vsgen.template.checker import schema_problem  # jsonschema loads slowly, and most templates have no schema

    if (error := schema_problem(schema)) is not None:
        raise Misfit(error)
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
    if never := [name for name, one in written["properties"].items() if one is False]:
        raise Misfit((("properties", never[0]), "is false, so no value fits; leave it out"))
    fields = {name: {} if one is True else one for name, one in written["properties"].items()}
    return {**written, "properties": fields, "required": list(properties), "additionalProperties": False}


def short(text: str) -> str:
    """The text on one line, cut to a length that a message can bear."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_MESSAGE else line[: _MAX_MESSAGE - 1] + "…"


class _Writer:
    """Writes a schema out in full; holds what is left of the allowances."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._nodes = _MAX_NODES
        self._chars = _MAX_CHARS
        self._patterns = MAX_SIZE

    def write(self, node: Any, path: Path, refs: tuple[str, ...]) -> Any:
        """A schema, or a list of some."""
        self._spend(node)
        if isinstance(node, list):
            return [self.write(item, (*path, i), refs) for i, item in enumerate(node)]
        if not isinstance(node, Mapping):
            return node
        self._check(node, path)
        written = {key: self._under(key, value, (*path, key), refs) for key, value in node.items() if key != "$ref"}
        ref = node.get("$ref")
        if not isinstance(ref, str):
            return written
        if ref in refs:
            raise Misfit(((*path, "$ref"), f"{ref!r} refers to itself: recursive schemas are not supported"))
        return {**self.write(self._target(ref, path), path, (*refs, ref)), **written}

    def _under(self, key: str, value: Any, path: Path, refs: tuple[str, ...]) -> Any:
        """What stands under a key: a schema; some by names of a user's own, which mean nothing here; or a value."""
        self._spend(key, nodes=0)
        if key in VERBATIM:
            self._spend_verbatim(value)
            return value
        if key in _NAMED and isinstance(value, Mapping):
            self._check_keys(value, path)
            self._spend(value)
            return {name: self.write(schema, (*path, name), refs) for name, schema in value.items()}
        return self.write(value, path, refs)

    def _check(self, node: Mapping[Any, Any], path: Path) -> None:
        self._check_keys(node, path)
        for key in node:
            if key in _REFUSED:
                raise Misfit(((*path, key), f"is not supported in a template's schema{_REFUSED[key]}"))
        if isinstance(pattern := node.get("pattern"), str):
            try:
                self._patterns -= size(pattern)
                if self._patterns < 0:
                    raise ValueError(too_large(MAX_SIZE - self._patterns))
                pattern_finder(pattern)
            except ValueError as error:
                raise Misfit(((*path, "pattern"), str(error))) from None

    def _check_keys(self, node: Mapping[Any, Any], path: Path) -> None:
        for key in node:
            if not isinstance(key, str):
                raise Misfit((path, f"keys must be text, got {key!r} (quote it)"))

    def _target(self, ref: str, path: Path) -> Mapping[str, Any]:
        target: Any = self._root
        for step in ref.removeprefix("#/").split("/"):
            target = target.get(step) if isinstance(target, Mapping) else None
        if not ref.startswith("#/") or not isinstance(target, Mapping):
            raise Misfit(((*path, "$ref"), f"must point into this schema, such as '#/$defs/name', got {ref[:100]!r}"))
        return target

    def _spend(self, value: object, nodes: int = 1) -> None:
        self._nodes -= nodes
        self._chars -= len(value) if isinstance(value, str) else _SCALAR
        for what, left, most in (("nodes", self._nodes, _MAX_NODES), ("characters", self._chars, _MAX_CHARS)):
            if left < 0:
                raise Misfit(((), f"too large: more than {most:,} {what} when every $ref is written out"))

    def _spend_verbatim(self, value: object) -> None:
        """Texts of an enum are no nodes, but as long as those of a schema."""
        left = [value]
        while left:
            match left.pop():
                case list() as items:
                    left += items
                case Mapping() as mapping:
                    left += [*mapping, *mapping.values()]
                case each:
                    self._spend(each, nodes=0)
