"""Answers that surely fit: the validator and a writer of JSON have nothing against them either."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsgen.template.answer import closed
from vsgen.template.checker import Checker
from vsgen.template.fits import surely_fits

PLAIN: list[dict[str, Any]] = [
    {"type": "string", "minLength": 1, "maxLength": 3},
    {"type": "string", "enum": ["a", "bc"], "title": "T"},
    {"type": "number", "minimum": 0, "maximum": 1.5},
    {"type": "integer", "maximum": 9},
    {"type": "boolean"},
]
OTHER: list[dict[str, Any]] = [
    {"type": "string", "pattern": "a"},
    {"type": ["string", "null"]},
    {"type": "array", "items": {"type": "string"}},
    {"type": "integer", "multipleOf": 2},
    {"enum": [1, "a"]},
    {},
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, 2**63, -(2**63), 0, 1, 9, 10]),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["a", "bc", "\ud800", "é", "abcd", ""]),
    st.lists(st.text(max_size=2), max_size=2),
)


def schema(*fields: dict[str, Any]) -> dict[str, Any]:
    return closed({"type": "object", "properties": {f"f{i}": one for i, one in enumerate(fields)}})


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PLAIN), min_size=1, max_size=2), st.data())
def test_what_surely_fits_is_not_refused(fields: list[dict[str, Any]], data: st.DataObject) -> None:
    made = schema(*fields)
    fits = surely_fits(made)
    assert fits is not None
    answer = {f"f{i}": data.draw(VALUES) for i in range(len(fields))}
    assert not fits(answer) or Checker(made).problem(answer) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (PLAIN[0], "é"),
        (PLAIN[0], "abc"),
        (PLAIN[1], "bc"),
        (PLAIN[2], 0.5),
        (PLAIN[2], 1),
        (PLAIN[3], -9),
        (PLAIN[4], False),
    ],
)
def test_what_plainly_fits_needs_no_validator(field: dict[str, Any], value: object) -> None:
    fits = surely_fits(schema(field))
    assert fits is not None
    assert fits({"f0": value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (PLAIN[0], ""),
        (PLAIN[0], "abcd"),
        (PLAIN[0], "\ud800"),
        (PLAIN[0], 3),
        (PLAIN[1], "b"),
        (PLAIN[2], 2),
        (PLAIN[2], float("nan")),
        (PLAIN[2], True),
        (PLAIN[3], 1.5),
        (PLAIN[3], 10),
        (PLAIN[4], 0),
    ],
)
def test_what_may_not_fit_is_left_to_the_validator(field: dict[str, Any], value: object) -> None:
    fits = surely_fits(schema(field))
    assert fits is not None
    assert not fits({"f0": value})


@pytest.mark.parametrize("fields", [{}, {"f0": "a"}, {"f0": "a", "f1": "a", "f2": "a"}, {"f0": "a", "f2": "a"}])
def test_other_fields_are_left_to_the_validator(fields: dict[str, object]) -> None:
    fits = surely_fits(schema(PLAIN[0], PLAIN[0]))
    assert fits is not None
    assert not fits(fields)


@pytest.mark.parametrize("field", OTHER)
def test_of_a_keyword_that_is_not_plain_nothing_is_sure(field: dict[str, Any]) -> None:
    assert surely_fits(schema(PLAIN[0], field)) is None
    assert surely_fits({**schema(PLAIN[0]), "minProperties": 2}) is None
