"""The part of JSON Schema that the strict modes of all servers take, made out of a schema of ours.

Every member is required, no other is allowed, and there are no limits of lengths, numbers and counts, no patterns and
no formats; a member that need not be there must. What is left out makes the schema weaker, so a reply is validated by
the whole one as well. ``type``, ``enum``, ``const``, ``anyOf``, ``$ref`` and what describes a member stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_KEPT: Final = frozenset({"type", "enum", "const", "description", "title", "$ref"})
_DEEPEST: Final = 10
"""Levels that strict modes take; below them any value of its type will do."""


def strict_schema(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema in the common subset.

    Returns:
        None where it has no such form: its root is no object, or a value in it may be anything.
    """
    made = _strict(schema, 0)
    return made if made is not None and made.get("type") == "object" else None


def _strict(schema: object, depth: int) -> dict[str, Any] | None:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    made = {name: value for name, value in schema.items() if name in _KEPT}
    try:
        if branches := schema.get("anyOf") or schema.get("oneOf"):
            made["anyOf"] = [_whole(one, depth + 1) for one in branches]
        if defined := schema.get("$defs"):
            made["$defs"] = {name: _whole(one, depth + 1) for name, one in defined.items()}
        _fill(made, schema, depth)
    except _NoForm:
        return None
    return made if {"type", "enum", "const", "anyOf", "$ref"} & made.keys() else None


def _fill(made: dict[str, Any], schema: Mapping[str, Any], depth: int) -> None:
    """Add what objects and lists hold."""
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        members = schema.get("properties", {})
        made["type"] = "object"
        made["properties"] = {name: _whole(one, depth + 1) for name, one in members.items()}
        made["required"] = list(members)
        made["additionalProperties"] = False
        if not members:
            raise _NoForm
    if kind == "array" or "items" in schema:
        made["items"] = _whole(schema.get("items"), depth + 1)


def _whole(schema: object, depth: int) -> dict[str, Any]:
    made = _strict(schema, depth)
    if made is None:
        raise _NoForm
    return made


class _NoForm(Exception):
    """A part of a schema has no form in the subset."""
