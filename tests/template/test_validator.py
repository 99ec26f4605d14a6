"""What is checked in counted steps is what jsonschema finds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic import ValidationError

from vsgen.template.output import Output
from vsgen.template.validator import TooMuch, Validator, metaschema

ATOMS = st.sampled_from([0, 1, 1.0, 2, 0.5, -0.0, True, False, None, "", "a", "1", "[1]", 10**20, 1e20])
VALUES: st.SearchStrategy[Any] = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.builds(lambda values: {"enum": values}, st.lists(VALUES, max_size=3))
    | st.builds(lambda value: {"const": value}, VALUES)
    | st.sampled_from([{"uniqueItems": True}, {"type": "array"}, {"type": "integer"}, {"minLength": 1}, True, False])
    | st.sampled_from([{"minimum": 1}, {"multipleOf": 0.5}, {"required": ["a"]}, {"maxItems": 1}, {"pattern": "a"}]),
    lambda inner: (
        st.builds(lambda one: {"items": one, "uniqueItems": True}, inner)
        | st.builds(lambda one: {"properties": {"a": one}, "additionalProperties": False}, inner)
        | st.builds(lambda one: {"not": one}, inner)
        | st.builds(lambda one: {"contains": one}, inner)
        | st.builds(lambda one, two: {"anyOf": [one, two]}, inner, inner)
        | st.builds(lambda one, two: {"oneOf": [one, two]}, inner, inner)
        | st.builds(lambda one, two: {"allOf": [one, two]}, inner, inner)
        | st.builds(lambda one, two: {"if": one, "then": two}, inner, inner)
    ),
    max_leaves=4,
)


@given(SCHEMAS, VALUES)
def test_a_value_fits_where_it_fits_for_jsonschema_and_else_for_the_same_reason(schema: Any, value: Any) -> None:
    theirs = best_match(Draft202012Validator(schema).iter_errors(value))
    ours = Validator(schema).error(value)
    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None and ours.validator != "pattern":  # Rust's, in words of its own
        assert (ours.message, ours.path, ours.validator) == (theirs.message, theirs.path, theirs.validator)


@given(st.dictionaries(st.sampled_from(["type", "enum", "required", "items", "minLength", "anyOf", "x"]), VALUES))
def test_a_schema_is_one_where_it_is_for_jsonschema(schema: dict[str, Any]) -> None:
    theirs = list(Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema))
    ours = metaschema().first(schema)
    assert (ours is None) == (not theirs)
    assert ours is None or ours.message == theirs[0].message


def test_what_takes_more_steps_than_it_may_is_given_up() -> None:
    validator = Validator({"items": {"allOf": [{"minLength": 0}] * 10}}, most=1_000)
    assert validator.error(["x"] * 10) is None
    with pytest.raises(TooMuch, match="more than 1,000 steps"):
        validator.error(["x"] * 100)
    assert validator.error(["x"] * 10) is None


@pytest.mark.parametrize("name", ["title", "description", "default", "examples", "const", "enum"])
def test_a_field_may_be_called_as_a_keyword_is_and_hides_nothing(name: str) -> None:
    inner = {"type": "object", "properties": {name: {"$ref": "#/$defs/word"}}}
    schema = {"type": "object", "properties": {"a": inner}, "$defs": {"word": {"type": "string", "pattern": "^x"}}}
    made = Output.model_validate({"schema": schema})
    assert made.problem({"a": {name: "xy"}}) is None
    assert made.problem({"a": {name: "y"}}) == f"a.{name}: does not match '^x'"
    remote = {"type": "object", "properties": {name: {"$ref": "http://127.0.0.1:9/schema"}}}
    with pytest.raises(ValidationError, match="must point into this schema"):
        Output.model_validate({"schema": remote})


def test_no_part_of_a_schema_brings_in_the_keywords_of_another_draft() -> None:
    part = {"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "^(a+)+$"}
    with pytest.raises(ValidationError, match="not supported in a template's schema but at its top"):
        Output.model_validate({"schema": {"type": "object", "properties": {"a": part}}})
