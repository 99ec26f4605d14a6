"""Answers in their canonical spelling, and decoding that does not cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vsgen.template.canonical import decodable, speller
from vsgen.template.schema import Template

DAYS = {"type": "string", "enum": ["Monday", "Sunday"]}


def template(**more: object) -> Template:
    return Template.model_validate({"version": 1, "name": "t", "prompt": "hi", **more})


@pytest.mark.parametrize(
    ("schema", "written", "meant"),
    [
        (DAYS, "monday", "Monday"),
        (DAYS, " SUNDAY\n", "Sunday"),
        (DAYS, "Monday.", "Monday."),
        (DAYS, "Tuesday", "Tuesday"),
        ({"const": "Yes"}, "yes", "Yes"),
        ({"enum": [1, 2, None]}, "2", 2),
        ({"enum": [1, 2, None]}, " NULL ", None),
        ({"enum": [1, "1"]}, "1", "1"),
        ({"enum": ["it", "IT"]}, "it", "it"),
        ({"enum": ["it", "IT"]}, "It", "It"),
        ({"type": "string"}, " Monday", " Monday"),
        ({"type": "array", "items": DAYS}, ["sunday", 3], ["Sunday", 3]),
        ({"type": "object", "properties": {"day": DAYS}}, {"day": "sunday", "x": " y"}, {"day": "Sunday", "x": " y"}),
    ],
)
def test_case_and_outer_spaces_are_folded_where_a_set_is_closed_and_nothing_else_is(
    schema: dict[str, Any], written: object, meant: object
) -> None:
    assert speller(schema)(written) == meant


@given(st.sampled_from(["Monday", "Sunday"]), st.text(" \t\n", max_size=3))
def test_a_canonical_text_stays_as_it_is(day: str, space: str) -> None:
    once = speller(DAYS)(space + day.upper() + space)
    assert once == day
    assert speller(DAYS)(once) == day


def test_decoding_has_room_beyond_every_limit_on_length_and_keeps_all_else() -> None:
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "minLength": 30, "maxLength": 400, "pattern": "^[A-Z]"},
            "tags": {"type": "array", "maxItems": 3, "items": {"anyOf": [{"type": "string", "maxLength": 4}]}},
            "maxLength": {"type": "integer", "maximum": 9},
            "kind": {"enum": [{"maxLength": 3}]},
        },
        "required": ["text"],
    }
    made = decodable(schema)
    assert made["properties"]["text"] == {"type": "string", "minLength": 1, "maxLength": 520, "pattern": "^[A-Z]"}
    assert made["properties"]["tags"]["items"] == {"anyOf": [{"type": "string", "maxLength": 25}]}
    assert made["properties"]["tags"]["maxItems"] == 3
    assert made["properties"]["maxLength"] == {"type": "integer", "maximum": 9}
    assert made["properties"]["kind"] == schema["properties"]["kind"]  # type: ignore[index]
    assert made["required"] == ["text"]


def test_choices_are_the_only_answers_that_fit_and_are_written_as_json() -> None:
    made = template(choices={"Monday": 3, 7: 1, True: 2}, output={"field": "day"})
    assert made.output.fields == ("day",)
    assert made.output.item_schema["properties"] == {"day": {"type": "string", "enum": ["Monday", "7", "true"]}}
    assert made.output.problem({"day": "7"}) is None
    assert "'Friday' is not one of" in str(made.output.problem({"day": "Friday"}))
    assert template().output.problem({"text": "Friday"}) is None
    assert made.digest != template(output={"field": "day"}).digest


@pytest.mark.parametrize(
    ("output", "where", "problem"),
    [
        ({"max_chars": 5}, "max_chars", "is 5, but the choice 'Monday' is longer"),
        ({"min_chars": 4}, "min_chars", "is 4, but the choice 'Sun' is shorter"),
        (
            {"schema": {"type": "object", "properties": {"day": {"type": "string"}}}},
            "schema",
            "cannot be combined with 'choices', which stand in the single text field; list them as 'enum'",
        ),
    ],
)
def test_choices_that_cannot_be_answered_are_named(output: dict[str, Any], where: str, problem: str) -> None:
    with pytest.raises(ValidationError) as found:
        template(choices=["Monday", "Sun"], output=output)
    assert problem in str(found.value) and where in str(found.value)


def test_a_large_set_is_looked_up_and_not_gone_through() -> None:
    spell = speller({"items": {"enum": [f"Word {i}" for i in range(10_000)]}})
    assert spell(["word 9999"] * 20_000) == ["Word 9999"] * 20_000  # of 200 million comparisons, minutes


def test_a_field_of_any_value_is_left_as_it_is() -> None:
    made = template(output={"schema": {"type": "object", "properties": {"a": True, "b": {"enum": ["X"]}}}})
    assert made.output.spelled({"a": "x", "b": "x"}) == {"a": "x", "b": "X"}


def test_decoding_does_not_count_in_steps_for_which_a_grammar_takes_minutes() -> None:
    primes = [{"type": "integer", "multipleOf": prime} for prime in (79, 83, 89, 97)]
    schema = {"type": "number", "multipleOf": 999_983, "allOf": primes, "default": {"multipleOf": 7}}
    assert decodable(schema) == {"type": "number", "allOf": [{"type": "integer"}] * 4, "default": {"multipleOf": 7}}
    assert decodable({"multipleOf": 0.001}) == {"multipleOf": 0.001}
    assert decodable({"multipleOf": 25}) == {"multipleOf": 25}
