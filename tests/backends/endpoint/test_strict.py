from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from vsgen.backends.endpoint.strict import strict_schema
from vsgen.sampling import schemas

ITEM = {"type": "object", "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 40}}}
LEFT_OUT = {"minLength", "maxLength", "pattern", "minimum", "maximum", "multipleOf", "minItems", "maxItems", "format"}


def names(schema: object) -> set[str]:
    """The keywords in a schema, at any depth; names of members are left out."""
    if isinstance(schema, list):
        return {name for one in schema for name in names(one)}
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for name, value in schema.items():
        inner = list(value.values()) if name in ("properties", "$defs") else value
        found |= set() if name in ("enum", "const", "required") else names(inner)
    return found


def test_the_form_of_verbalized_sampling_loses_its_limits_and_nothing_else() -> None:
    import json

    form = json.loads(schemas.many(ITEM, 5, verbalized=True, p_max=0.1, reasoning=True) or "")
    made = strict_schema(form)
    assert made is not None and not names(made) & LEFT_OUT
    item = made["properties"]["responses"]["items"]
    assert item["required"] == ["text", "probability"] and item["additionalProperties"] is False
    assert list(made["properties"]) == ["reasoning", "responses"]


def test_a_member_that_need_not_be_there_must() -> None:
    made = strict_schema({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "null"}}})
    assert made is not None and made["required"] == ["a", "b"]


def test_a_choice_of_forms_and_definitions_stay() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"oneOf": [{"type": "integer", "minimum": 1}, {"$ref": "#/$defs/b"}]}},
        "$defs": {"b": {"type": "string", "format": "date"}},
    }
    made = strict_schema(schema)
    assert made is not None
    assert made["properties"]["a"] == {"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/b"}]}
    assert made["$defs"] == {"b": {"type": "string"}}


def test_a_closed_set_stays() -> None:
    made = strict_schema({"type": "object", "properties": {"a": {"enum": ["x", "y"]}, "minLength": {"const": 3}}})
    assert made is not None and made["properties"] == {"a": {"enum": ["x", "y"]}, "minLength": {"const": 3}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}},
        {"type": "object"},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "properties": {"a": {"type": "array"}}},
        {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": {"type": "string"}}}},
    ],
)
def test_what_has_no_strict_form_is_not_sent_at_all(schema: dict[str, Any]) -> None:
    assert strict_schema(schema) is None


SCALAR = st.sampled_from(
    [
        {"type": "string", "maxLength": 3},
        {"type": "number", "minimum": 0},
        {"type": "integer", "multipleOf": 2},
        {"type": "boolean"},
        {"enum": ["a", 1]},
        {"type": ["string", "null"]},
    ]
)
SCHEMA = st.recursive(
    SCALAR,
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items, "maxItems": 2}, inner)
        | st.builds(
            lambda members: {"type": "object", "properties": members, "required": list(members)},
            st.dictionaries(st.sampled_from("abc"), inner, min_size=1),
        )
    ),
    max_leaves=5,
)
VALUE = st.recursive(
    st.sampled_from(["a", "long text", 0, 1, 2, -3, 0.5, True, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(SCHEMA, VALUE)
def test_a_value_of_a_closed_schema_is_one_of_its_strict_form_too(inner: Any, value: Any) -> None:
    schema = {"type": "object", "properties": {"a": inner}, "required": ["a"]}
    made = strict_schema(schema)
    assert made is not None and not names(made) & LEFT_OUT
    closed = Draft202012Validator(schema | {"unevaluatedProperties": False})
    if closed.is_valid({"a": value}) and not _open(inner, value):
        assert Draft202012Validator(made).is_valid({"a": value})


def _open(schema: Any, value: Any) -> bool:
    """Whether a value has members that its schema does not name."""
    if isinstance(value, list):
        return any(_open(schema.get("items", {}), one) for one in value)
    if not isinstance(value, dict):
        return False
    members = schema.get("properties", {})
    return not value.keys() <= members.keys() or any(_open(members[name], one) for name, one in value.items())
